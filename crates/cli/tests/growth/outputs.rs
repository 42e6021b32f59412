//! What is written, and what reads it: columns, row groups, parts.

use crate::counted::Scene;
use crate::kinds::{Kind, kind, lines, run, wide, words};

/// An output of one record with `n` columns.
fn wide_output(scene: &Scene, n: usize) {
    scene.write("in.json", wide(n));
    scene.run(&["run", "in.json", "-o", "out.parquet", "--key", "id", "--digest", "-q"]);
}

/// Inputs for an output of `n` rows.
fn rows(scene: &Scene, n: usize) {
    scene.write("in.json", lines(n, |i| format!("{{\"id\":{i},\"s\":\"s{i}\"}}")));
}

fn parts(scene: &Scene, n: usize) {
    rows(scene, n);
    scene.run(&["run", "in.json", "-o", "out", "--key", "id", "--max-file-rows", "1", "-q"]);
}

fn groups(scene: &Scene, n: usize) {
    rows(scene, n);
    scene.run(&[
        "run",
        "in.json",
        "-o",
        "out.parquet",
        "--key",
        "id",
        "--row-group-rows",
        "1",
        "-q",
    ]);
}

pub fn kinds() -> Vec<Kind> {
    let none = [""; 0];
    vec![
        kind("parts that are written", 600, |scene, n| {
            rows(scene, n);
            words("run in.json -o out --key id --max-file-rows 1 -q --threads 1", &[""; 0])
        }),
        kind("parts that are replaced", 300, |scene, n| {
            parts(scene, n);
            words(
                "run in.json -o out --key id --max-file-rows 1 -q --threads 1 --mode overwrite",
                &[""; 0],
            )
        }),
        kind("row groups that are written", 1_000, |scene, n| {
            rows(scene, n);
            run(&["--key", "id", "--row-group-rows", "1"])
        }),
        kind("head of many columns", 500, move |scene, n| {
            wide_output(scene, n);
            words("head out.parquet", &none)
        }),
        kind("digest of many columns", 500, move |scene, n| {
            wide_output(scene, n);
            words("digest out.parquet", &none)
        }),
        kind("verify many columns", 500, move |scene, n| {
            wide_output(scene, n);
            words("verify out.parquet", &none)
        }),
        kind("verify many columns against another output", 500, move |scene, n| {
            wide_output(scene, n);
            words("verify out.parquet out.parquet", &none)
        }),
        kind("head of many row groups", 200, move |scene, n| {
            groups(scene, n);
            words("head out.parquet -n 1000000", &none)
        }),
        kind("digest of many row groups", 200, move |scene, n| {
            groups(scene, n);
            words("digest out.parquet", &none)
        }),
        kind("verify many row groups", 200, move |scene, n| {
            groups(scene, n);
            words("verify out.parquet", &none)
        }),
        kind("head of many parts", 100, move |scene, n| {
            parts(scene, n);
            words("head out -n 1000000", &none)
        }),
        kind("digest of many parts", 100, move |scene, n| {
            parts(scene, n);
            words("digest out", &none)
        }),
        kind("verify many parts", 100, move |scene, n| {
            parts(scene, n);
            words("verify out", &none)
        }),
        kind("an output that is replaced by other rows", 30_000, |scene, n| {
            rows(scene, n);
            scene.run(&["run", "in.json", "-o", "out.parquet", "--key", "id", "-q"]);
            run(&["--key", "s", "--mode", "overwrite"])
        }),
    ]
}
