//! Records within values of files: arrays, maps and objects around them, at paths of all kinds.

use distil_plan::{Plan, Shape};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::files::{BAD, BREAKING, Packed};
use super::spelling::Spelling;
use super::values::Json;
use crate::suite::Files;

/// A path, what is added, and the text around the records of a page: `@` stands for all of them with commas
/// between, `#` for them as members of a map, and `$` for the first.
const PATHS: &[(&str, &[&str], &str)] = &[
    ("/items", &[], "{\"n\":1,\"items\":[@],\"m\":{\"items\":[2]}}"),
    ("/items", &["n=/n", "m=/m/o"], "{\"n\":1,\"items\":[@],\"m\":{\"o\":[\"]\"]}}"),
    ("/items", &["m=/m/o/p"], "{\"m\":{\"x\":{\"p\":1},\"o\":{\"p\":null}},\"items\":[@]}"),
    ("/a/b", &["n=/a/n", "z=/z"], "{\"a\":{\"b\":[@],\"n\":true},\"c\":[{\"b\":3}]}"),
    ("/*", &[], "[@]"),
    ("", &[], "[@]"),
    ("", &[], "$"),
    ("/r", &["w=/w"], "{\"w\":\"x\",\"r\":$}"),
    ("/{g}", &[], "{#}"),
    ("/u/{any as h}", &["n=/n"], "{\"n\":-1.5,\"u\":{#}}"),
    (
        "/{g}/x",
        &["o=/{g}/o"],
        "{\"p\":{\"o\":1,\"x\":[@]},\"q\\u0022\":{\"x\":[],\"o\":2},\"r\":7}",
    ),
    ("/*/x", &[], "[{\"x\":[@]},{\"y\":1},null,{\"x\":null},{\"x\":5}]"),
    ("/*", &[], "{\"a\":[@],\"b\":$}"),
    ("/1/x/0", &["n=/1/n"], "[{\"x\":[4]},{\"n\":1,\"x\":[[@],5]}]"),
];

/// Files whose records lie within values.
#[derive(Clone, Debug)]
pub struct Pages {
    which: usize,
    shape: Shape,
    seed: u64,
    /// Records of a page.
    size: usize,
    /// Bad text, and after how many records it stands.
    bad: Vec<(usize, &'static [u8])>,
    between: &'static str,
    cut: usize,
    is_pretty: bool,
    packed: Packed,
}

/// Pages of any kind.
pub fn pages() -> impl Strategy<Value = Pages> {
    let text = prop_oneof![5 => select(BAD), 3 => Just(&b"null"[..]), 1 => select(BREAKING)];
    let bad = prop_oneof![4 => Just(vec![]), 1 => vec((0usize..12, text), 1..3)];
    let shape = select(vec![Shape::Auto, Shape::Auto, Shape::Lines, Shape::Concatenated]);
    let between = prop_oneof![6 => select(vec!["\n", "\n", "\r\n\r\n", ""]), 1 => Just(" x\n")];
    let cut = prop_oneof![19 => Just(0usize), 1 => 1usize..30];
    (
        0..PATHS.len(),
        shape,
        any::<u64>(),
        1usize..6,
        bad,
        (between, cut, any::<bool>(), Packed::any()),
    )
        .prop_map(|(which, shape, seed, size, bad, (between, cut, is_pretty, packed))| {
            // Pages that can't be told apart are tried as damage.
            let is_pretty = is_pretty && shape != Shape::Lines;
            let is_apart = is_pretty || shape == Shape::Concatenated || !between.is_empty();
            let between = if is_apart { between } else { "\n" };
            Pages { which, shape, seed, size, bad, between, cut, is_pretty, packed }
        })
}

impl Pages {
    /// The plan that reads them.
    pub fn plan(&self, plan: Plan) -> Plan {
        let (path, add, _) = PATHS[self.which];
        Plan {
            shape: self.shape.clone(),
            records: Some(path.parse().unwrap()),
            add: add.iter().map(|text| text.parse().unwrap()).collect(),
            ..plan
        }
    }

    /// The files of these records.
    pub fn files(&self, rows: &[Json]) -> Files {
        let mut spelling = Spelling::new(self.seed, self.is_pretty);
        let mut records: Vec<Vec<u8>> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            records.extend(self.bad.iter().filter(|(place, _)| *place == at).map(|b| b.1.to_vec()));
            let mut text = String::new();
            spelling.write(row, &mut text);
            records.push(text.into_bytes());
        }
        let mut out = Vec::new();
        for page in records.chunks(self.size) {
            for byte in PATHS[self.which].2.bytes() {
                match byte {
                    b'@' => out.extend(page.join(&b","[..])),
                    b'$' => out.extend(&page[0]),
                    b'#' => {
                        for (at, record) in page.iter().enumerate() {
                            let comma = if at == 0 { "" } else { "," };
                            out.extend(format!("{comma}\"u{at}\" : ").bytes());
                            out.extend(record);
                        }
                    }
                    _ => out.push(byte),
                }
            }
            out.extend(self.between.bytes());
        }
        out.truncate(out.len().saturating_sub(self.cut));
        let half = out.len() / 2;
        let cut = out[half..].iter().position(|b| *b == b'\n').map_or(out.len(), |n| half + n + 1);
        let (one, other) = out.split_at(cut);
        let packed = |content: &[u8]| self.packed.pack(content.to_vec());
        vec![("0.json".into(), packed(one)), ("1.json".into(), packed(other))]
    }
}
