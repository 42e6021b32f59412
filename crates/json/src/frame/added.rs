//! Members that records get from the text around them: names of maps, and members of the values around.

use distil_plan::{Added, PathStep, RecordsPath};

use crate::frame::path_walk::Outcome;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Tape, skip_blanks, unescape};
use crate::rows::value::write_string;

/// A map on the path.
#[derive(Debug)]
struct MapName {
    step: usize,
    /// The column as a member name, with its colon.
    column: Vec<u8>,
    /// The name of the member that the walk is in, with quotes.
    text: Vec<u8>,
}

/// A member beside the records.
#[derive(Debug)]
struct Beside {
    /// The column as a member name, with its colon.
    column: Vec<u8>,
    shown: String,
    /// The step of the path whose object it lies in, or below.
    step: usize,
    /// Its names from there.
    names: Vec<String>,
    /// Names matched, and the depth at which the object of the last one is open.
    matched: usize,
    depth: usize,
    /// The next value is that of the name.
    is_next: bool,
    /// Whether the whole object was looked at when it began.
    is_known: bool,
    /// Whether a record was met before it.
    is_late: bool,
    /// Its JSON text.
    text: Option<Vec<u8>>,
}

/// What the records at hand get added.
#[derive(Debug)]
pub(crate) struct AddedMembers {
    maps: Vec<MapName>,
    beside: Vec<Beside>,
}

fn column(name: &str) -> Vec<u8> {
    let mut text = Vec::new();
    write_string(name.as_bytes(), &mut text);
    text.push(b':');
    text
}

impl AddedMembers {
    pub(crate) fn new(path: &RecordsPath, added: &[Added]) -> Self {
        let maps = path.0.iter().enumerate().filter_map(|(step, kind)| match kind {
            PathStep::Member(name) => {
                Some(MapName { step, column: column(name), text: Vec::new() })
            }
            _ => None,
        });
        let beside = added.iter().map(|added| {
            let shared = added.shared(path);
            let names = added.pointer.0[shared..].iter().filter_map(|step| match step {
                PathStep::Name(name) => Some(name.clone()),
                _ => None,
            });
            Beside {
                column: column(&added.name),
                shown: added.to_string(),
                step: shared,
                names: names.collect(),
                matched: 0,
                depth: 0,
                is_next: false,
                is_known: false,
                is_late: false,
                text: None,
            }
        });
        Self { maps: maps.collect(), beside: beside.collect() }
    }

    /// A value of the file begins.
    pub(crate) fn begin(&mut self) {
        for one in &mut self.beside {
            one.forget();
        }
    }

    /// The walk goes into an object or a list before a step, which begins with the first byte of `rest`: one that is no
    /// longer than a record may be is looked at whole.
    pub(crate) fn enter(
        &mut self,
        step: usize,
        rest: &[u8],
        is_end: bool,
        max_record: u64,
    ) -> Result<(), Outcome> {
        if self.beside.iter().all(|one| one.step != step) {
            return Ok(());
        }
        let end = FrameScan::default().advance(rest, 0);
        if end.is_none() && !is_end && rest.len() as u64 <= max_record {
            return Err(Outcome::More);
        }
        let object = &rest[..end.unwrap_or(rest.len())];
        let is_whole = object.len() as u64 <= max_record;
        for one in self.beside.iter_mut().filter(|one| one.step == step) {
            one.forget();
            if is_whole {
                one.is_known = true;
                let found = find(object, &one.names).map_err(|()| one.twice())?;
                one.text = found.and_then(|(start, end)| sound(&object[start..end]));
            }
        }
        Ok(())
    }

    /// A name was read at a depth; `step` is that of the innermost open object, if it lies on the path.
    pub(crate) fn name(
        &mut self,
        raw: &[u8],
        depth: usize,
        step: Option<usize>,
    ) -> Result<(), Outcome> {
        for one in self.beside.iter_mut().filter(|one| !one.is_known) {
            let is_here = match one.matched {
                0 => step == Some(one.step),
                _ => one.depth == depth,
            };
            if !is_here {
                continue;
            }
            let mut name = Vec::new();
            unescape(raw, &mut name);
            one.is_next = one.names.get(one.matched).is_some_and(|next| next.as_bytes() == name);
            if one.is_next && one.matched + 1 == one.names.len() {
                if one.text.is_some() {
                    return Err(one.twice());
                }
                if one.is_late {
                    return Err(Outcome::Wrong(format!(
                        "the member of `{}` comes after records, in a value that is longer than a \
                         record may be",
                        one.shown
                    )));
                }
            }
        }
        Ok(())
    }

    /// A value begins with the first byte of `rest`: keeps it if it is to be added. Returns whether one was.
    pub(crate) fn value(
        &mut self,
        rest: &[u8],
        is_end: bool,
        max_record: u64,
    ) -> Result<bool, Outcome> {
        if self.beside.iter().all(|one| !one.is_next) {
            return Ok(false);
        }
        let mut scan = FrameScan::default();
        let end = match scan.advance(rest, 0) {
            Some(end) => end,
            None if is_end => rest.len(),
            None if rest.len() as u64 <= max_record => return Err(Outcome::More),
            None => rest.len(),
        };
        let mut any = false;
        for one in self.beside.iter_mut().filter(|one| one.is_next) {
            one.is_next = false;
            if one.matched + 1 < one.names.len() {
                if rest[0] == b'{' {
                    one.matched += 1;
                    one.depth = usize::MAX;
                }
                continue;
            }
            if end as u64 > max_record {
                return Err(Outcome::Wrong(format!(
                    "the member of `{}` is longer than a record may be",
                    one.shown
                )));
            }
            one.text = sound(&rest[..end]);
            any = true;
        }
        Ok(any)
    }

    /// So many brackets are open now.
    pub(crate) fn depth(&mut self, depth: usize) {
        for one in self.beside.iter_mut().filter(|one| one.matched > 0) {
            if one.depth == usize::MAX {
                one.depth = depth;
            } else if depth < one.depth {
                one.matched -= 1;
                one.depth = depth;
            }
        }
    }

    /// The walk is in the member of this name, without its quotes, of the map at a step.
    pub(crate) fn map_name(&mut self, step: usize, raw: &[u8]) {
        for map in self.maps.iter_mut().filter(|map| map.step == step) {
            map.text.clear();
            map.text.push(b'"');
            map.text.extend_from_slice(raw);
            map.text.push(b'"');
        }
    }

    /// A record was met.
    pub(crate) fn met_record(&mut self) {
        for one in &mut self.beside {
            one.is_late = true;
        }
    }

    /// Writes what is added; returns where.
    pub(crate) fn write(&self, text: &mut Vec<u8>) -> (usize, usize) {
        let start = text.len();
        let maps = self.maps.iter().map(|map| (&map.column, map.text.as_slice()));
        let beside =
            self.beside.iter().map(|one| (&one.column, one.text.as_deref().unwrap_or(b"null")));
        for (column, value) in maps.chain(beside) {
            text.extend_from_slice(column);
            text.extend_from_slice(value);
            text.push(b',');
        }
        (start, text.len())
    }
}

impl Beside {
    fn forget(&mut self) {
        self.matched = 0;
        self.is_next = false;
        self.is_known = false;
        self.is_late = false;
        self.text = None;
    }

    fn twice(&self) -> Outcome {
        Outcome::Wrong(format!("the member of `{}` occurs twice", self.shown))
    }
}

/// A value that can be added: what is not JSON breaks the text around the records, and is told there.
fn sound(text: &[u8]) -> Option<Vec<u8>> {
    let is_whole = Tape::default().parse(text, 0) == Ok(text.len());
    (is_whole && std::str::from_utf8(text).is_ok()).then(|| text.to_vec())
}

/// The range of a member below the object that begins the text, by strings and brackets alone, so that a bad record
/// among the others hides nothing; an error if a name on the way is there twice.
fn find(text: &[u8], names: &[String]) -> Result<Option<(usize, usize)>, ()> {
    let mut range = (0, text.len());
    for name in names {
        let object = &text[..range.1];
        let Some(found) = member(object, range.0, name)? else { return Ok(None) };
        range = found;
    }
    Ok(Some(range))
}

/// The range of a member of the object at `at`; nothing behind text that is not of an object is looked at.
fn member(text: &[u8], at: usize, wanted: &str) -> Result<Option<(usize, usize)>, ()> {
    let mut found = None;
    let mut name = Vec::new();
    if text.get(at) != Some(&b'{') {
        return Ok(None);
    }
    let mut at = at + 1;
    loop {
        at = skip_blanks(text, at);
        if text.get(at) == Some(&b',') {
            at += 1;
            continue;
        }
        if text.get(at) != Some(&b'"') {
            return Ok(found);
        }
        let Some(end) = FrameScan::default().advance(text, at) else { return Ok(found) };
        name.clear();
        unescape(&text[at + 1..end - 1], &mut name);
        at = skip_blanks(text, end);
        if text.get(at) != Some(&b':') {
            return Ok(found);
        }
        at = skip_blanks(text, at + 1);
        let mut scan = FrameScan::default();
        let end = match scan.advance(text, at) {
            Some(end) => end,
            None if scan.ends_at_eof() => text.len(),
            None => return Ok(found),
        };
        if name == wanted.as_bytes() && found.replace((at, end)).is_some() {
            return Err(());
        }
        at = end;
    }
}
