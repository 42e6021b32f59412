//! Where records lie: files, directories, globs, links.

use crate::kinds::{Kind, kind, words};

const RUN: &str = "run -o out.parquet -q --threads 1 --key id";

pub fn kinds() -> Vec<Kind> {
    let record = |i: usize| format!("{{\"id\":{i}}}\n");
    vec![
        kind("files of a directory", 200, move |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in/{i}.json"), record(i)));
            words(RUN, &["in"])
        }),
        kind("files that are named", 150, move |scene, n| {
            let names: Vec<String> = (0..n).map(|i| format!("in/{i}.json")).collect();
            names.iter().enumerate().for_each(|(i, name)| scene.write(name, record(i)));
            words(RUN, &names)
        }),
        kind("files that are empty", 100, move |scene, n| {
            (0..n).for_each(|i| {
                scene.write(&format!("in/{i}.json"), record(i).repeat(usize::from(i == 0)))
            });
            words(RUN, &["in"])
        }),
        kind("a file that is named again and again", 500, move |scene, n| {
            scene.write("in.json", record(1));
            words(RUN, &vec!["in.json"; n])
        }),
        kind("files that fail", 15_000, move |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in/{i}.json"), "{\"id\":}\n"));
            words(RUN, &["in"])
        })
        .fails(1),
        kind("files with bad records", 300, move |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in/{i}.json"), record(i) + "{\"id\":}\n"));
            words(RUN, &["in", "--quarantine", "bad.ndjson"])
        }),
        kind("directories beside each other", 200, move |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in/{i}/a.json"), record(i)));
            words(RUN, &["in"])
        }),
        kind("directories in each other", 40, move |scene, n| {
            scene.write(&format!("in/{}a.json", "d/".repeat(n)), record(1));
            words(RUN, &["in"])
        })
        .limited(),
        kind("directories that a glob goes through", 200, move |scene, n| {
            (0..n).for_each(|i| scene.write(&format!("in/{i}/a.json"), record(i)));
            words(RUN, &["in/**/*.json"])
        }),
        kind("files that a glob chooses", 400, move |scene, n| {
            (0..n).for_each(|i| {
                scene.write(&format!("in/{i}.{}", ["json", "txt"][i % 2]), record(i))
            });
            words(RUN, &["in/*[0-9].json"])
        }),
        kind("alternatives of a glob", 200, move |scene, n| {
            scene.write("in/1.json", record(1));
            let names: Vec<String> = (0..n).map(|i| format!("{i}.json")).collect();
            words(RUN, &[format!("in/{{{}}}", names.join(","))])
        }),
        kind("stars of a glob", 200, move |scene, n| {
            let name = format!("in/{}.json", "a".repeat(200));
            scene.write(&name, record(1));
            words(RUN, &[&name, &format!("in/{}b", "*a".repeat(n))])
        })
        .fails(1)
        // A name has at most 255 bytes to match, each of them with every star that it may have come to.
        .limited(),
        kind("links to one file", 3_000, move |scene, n| {
            scene.write("in/a.json", record(1));
            for i in 0..n {
                std::os::unix::fs::symlink("a.json", scene.path(&format!("in/{i}.json"))).unwrap();
            }
            words(RUN, &["in"])
        }),
        kind("links to one directory", 3_000, move |scene, n| {
            scene.write("in/d/a.json", record(1));
            for i in 0..n {
                std::os::unix::fs::symlink("d", scene.path(&format!("in/l{i}"))).unwrap();
            }
            words(RUN, &["in/**/*.json"])
        }),
    ]
}
