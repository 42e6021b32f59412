//! Records within values, what they get added, and damage that is mended.

use crate::data::content;
use crate::kinds::{Kind, kind, lines, list, run};

fn record(i: usize) -> String {
    format!("{{\"id\":{i}}}")
}

const PAGES: [&str; 4] = ["--key", "id", "--records", "/r"];
const ADDED: [&str; 6] = ["--key", "id", "--records", "/r", "--add", "n=/n"];
const ASIDE: [&str; 6] = ["--key", "id", "--records", "/r", "--quarantine", "bad.ndjson"];
const MENDED: [&str; 4] = ["--key", "id", "--repair", "nan,surrogates,duplicate-members"];

pub fn kinds() -> Vec<Kind> {
    vec![
        content("records of one page", 60_000, &PAGES, |n| {
            format!("{{\"r\":[{}]}}", list(n, record))
        }),
        content("pages of one record", 30_000, &PAGES, |n| {
            lines(n, |i| format!("{{\"r\":[{}]}}", record(i)))
        }),
        content("pages without records", 60_000, &PAGES, |n| {
            "{\"r\":[{\"id\":1}]}\n".to_owned() + &lines(n, |i| format!("{{\"x\":{i}}}"))
        }),
        content("records of a map", 40_000, &["--key", "id", "--records", "/{id}"], |n| {
            format!("{{{}}}", list(n, |i| format!("\"u{i}\":{{}}")))
        }),
        content("holes among records", 100_000, &PAGES, |n| {
            format!("{{\"r\":[{{\"id\":1}},{}]}}", list(n, |_| "null".to_owned()))
        }),
        // More than the lines that are kept in memory: what going to disk costs is paid once.
        content("scalars among records", 150_000, &ASIDE, |n| {
            format!("{{\"r\":[{{\"id\":1}},{}]}}", list(n, |i| i.to_string()))
        }),
        content("pages with members to add", 20_000, &ADDED, |n| {
            lines(n, |i| format!("{{\"n\":{i},\"r\":[{}]}}", record(i)))
        }),
        content("members to add that follow their records", 40_000, &ADDED, |n| {
            format!("{{\"r\":[{}],\"n\":1}}", list(n, record))
        }),
        content("members beside records", 40_000, &PAGES, |n| {
            format!("{{{},\"r\":[{{\"id\":1}}]}}", list(n, |i| format!("\"m{i}\":{i}")))
        }),
        content("pages that break", 10_000, &ASIDE, |n| {
            "{\"r\":[{\"id\":1}]}\n".to_owned() + &lines(n, |i| format!("{{\"r\":[{}", record(i)))
        }),
        content("lists on lines", 40_000, &["--key", "*", "--records", "/*"], |n| {
            lines(n, |i| format!("[{}]", record(i)))
        }),
        content("numbers that are mended", 20_000, &MENDED, |n| {
            lines(n, |i| format!("{{\"id\":{i},\"v\":NaN}}"))
        }),
        content("numbers of one record that are mended", 1_000, &MENDED, |n| {
            format!("{{\"id\":1,{}}}\n", list(n, |i| format!("\"a{i}\":NaN")))
        }),
        content("members that are dropped", 4_000, &MENDED, |n| {
            format!("{{\"id\":1,{}}}\n", list(n, |_| "\"a\":1".to_owned()))
        }),
        content("places of records", 60_000, &["--key", "id", "--origin"], |n| lines(n, record)),
        content("JSON text in strings", 20_000, &["--key", "id", "--type", "p=json(text)"], |n| {
            lines(n, |i| format!("{{\"id\":{i},\"p\":\"{{\\\"a\\\":{i}}}\"}}"))
        }),
        kind("directories that give columns", 100, |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in.json/d={i}/a.json"), record(i)));
            run(&["--key", "id", "--hive"])
        }),
    ]
}
