//! Arguments of a command: hints, columns, plans, schemas, configurations, and names that are misspelled.

use std::fmt::Write as _;

use crate::counted::Scene;
use crate::kinds::{Kind, kind, list, run, wide, words};

/// Flags of one name, each with a value.
fn flags(name: &str, n: usize, value: impl Fn(usize) -> String) -> Vec<String> {
    (0..n).flat_map(|i| [name.to_owned(), value(i)]).collect()
}

/// A command over one record with `n` columns.
fn columns(scene: &Scene, n: usize, flags: &[String]) -> Vec<String> {
    scene.write("in.json", wide(n));
    run(flags)
}

pub fn kinds() -> Vec<Kind> {
    let key = || ["--key".to_owned(), "id".to_owned()];
    let all = |n| list(n, |i| format!("c{i}"));
    vec![
        kind("types that are declared", 250, move |scene, n| {
            columns(
                scene,
                n,
                &[&key()[..], &flags("--type", n, |i| format!("c{i}=int64"))].concat(),
            )
        }),
        kind("types of columns that are not there", 250, move |scene, n| {
            columns(
                scene,
                1,
                &[&key()[..], &flags("--type", n, |i| format!("x{i}=int64"))].concat(),
            )
        }),
        kind("types of nested columns", 100, move |scene, n| {
            scene.write("in.json", format!("{{\"id\":1,\"o\":{}}}", wide(n)));
            run(&[&key()[..], &flags("--type", n, |i| format!("o.c{i}=int64"))].concat())
        }),
        kind("types that hold each other", 400, move |scene, n| {
            columns(
                scene,
                1,
                &[&key()[..], &flags("--type", n, |i| format!("{}c=json", "c.".repeat(i % 30)))]
                    .concat(),
            )
        })
        .fails(2),
        kind("columns that are written", 250, move |scene, n| {
            columns(scene, n, &[&key()[..], &["--columns".into(), all(n)]].concat())
        }),
        kind("columns that are written twice", 1_000, move |scene, n| {
            columns(
                scene,
                n,
                &[&key()[..], &["--columns".into(), format!("{0},{0}", all(n))]].concat(),
            )
        })
        .limited()
        .fails(2),
        kind("columns of the key", 250, move |scene, n| {
            columns(scene, n, &["--key".into(), all(n)])
        }),
        kind("columns of the key, twice", 1_000, move |scene, n| {
            columns(scene, n, &["--key".into(), format!("{0},{0}", all(n))])
        })
        .limited()
        .fails(2),
        kind("columns of the order", 250, move |scene, n| {
            columns(scene, n, &[&key()[..], &["--order-by".into(), all(n)]].concat())
        }),
        kind("columns with a bloom filter", 100, move |scene, n| {
            columns(scene, n, &[&key()[..], &["--bloom".into(), all(n)]].concat())
        }),
        kind("columns of a schema", 250, move |scene, n| {
            let schema = list(n, |i| format!("c{i} int64"));
            columns(
                scene,
                n,
                &[&key()[..], &["--schema".into(), format!("id int64,{schema}")]].concat(),
            )
        }),
        kind("columns of a schema that are not there", 250, move |scene, n| {
            let schema = list(n, |i| format!("x{i} int64"));
            columns(
                scene,
                1,
                &[&key()[..], &["--schema".into(), format!("id int64,c0 int64,{schema}")]].concat(),
            )
        }),
        kind("columns of a schema, nested", 100, move |scene, n| {
            let schema = list(n, |i| format!("c{i}: int64"));
            columns(
                scene,
                1,
                &[
                    &key()[..],
                    &["--schema".into(), format!("id int64,c0 int64,o struct<{schema}>")],
                ]
                .concat(),
            )
        }),
        kind("columns of a schema, twice", 600, move |scene, n| {
            let schema = list(n, |i| format!("c{i} int64"));
            columns(
                scene,
                1,
                &[&key()[..], &["--schema".into(), format!("id int64,{schema},{schema}")]].concat(),
            )
        })
        .limited()
        .fails(2),
        kind("columns of a schema file", 250, move |scene, n| {
            scene.write("in.json", wide(n));
            scene.write("s.json", scene.run(&["schema", "in.json", "--json"]));
            run(&[&key()[..], &["--schema".into(), "s.json".into()]].concat())
        }),
        kind("a schema that is printed", 500, move |scene, n| {
            scene.write("in.json", wide(n));
            words("schema in.json --threads 1", &[""; 0])
        }),
        kind("a schema with reasons", 500, move |scene, n| {
            scene.write("in.json", wide(n));
            words("schema in.json --why --threads 1", &[""; 0])
        }),
        kind("a schema as JSON", 500, move |scene, n| {
            scene.write("in.json", wide(n));
            words("schema in.json --json --threads 1", &[""; 0])
        }),
        kind("a plan of many columns", 250, move |scene, n| {
            scene.write("in.json", wide(n));
            let columns = all(n);
            let mut command = words("plan in.json -o out.parquet --key id --columns", &[columns]);
            command.extend(flags("--type", n, |i| format!("c{i}=int64")));
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            scene.write("plan.json", scene.run(&command));
            words("run --plan plan.json -q --threads 1", &[""; 0])
        }),
        kind("a plan of many sources", 1_000, move |scene, n| {
            scene.write("in.json", wide(1));
            let sources: Vec<String> = (0..n).map(|i| format!("in{i}.json")).collect();
            words("plan -o out.parquet --key id", &sources)
        }),
        // There may be 10,000 columns.
        kind("a key that is misspelled", 1_200, move |scene, n| {
            columns(scene, n, &["--key".into(), "c5x".into()])
        })
        .limited()
        .fails(1),
        kind("keys that are misspelled", 1_200, move |scene, n| {
            columns(scene, n, &["--key".into(), list(n, |i| format!("c{i}x"))])
        })
        .limited()
        .fails(1),
        kind("columns that are misspelled", 1_000, move |scene, n| {
            columns(
                scene,
                n,
                &[&key()[..], &["--columns".into(), list(n, |i| format!("c{i}x"))]].concat(),
            )
        })
        .fails(1),
        kind("a long name that is misspelled", 5_000, move |scene, n| {
            scene.write("in.json", format!("{{\"id\":1,\"{}\":1}}", "ab".repeat(n)));
            run(&["--key", &"ba".repeat(n)])
        })
        .fails(1),
        kind("backends of a configuration", 250, move |scene, n| {
            let mut text = String::new();
            (0..n).for_each(|i| {
                writeln!(text, "[backends.b{i}]\nengine = \"native\"\nthreads = 1").unwrap()
            });
            scene.write("distil.toml", text);
            words("backends", &[""; 0])
        }),
        kind("jobs of a configuration", 250, move |scene, n| {
            scene.write("in.json", wide(1));
            let mut text = String::new();
            (0..n).for_each(|i| {
                writeln!(
                    text,
                    "[jobs.j{i}]\nsource = [\"in.json\"]\noutput = \"o.parquet\"\nkey = [\"id\"]"
                )
                .unwrap()
            });
            scene.write("distil.toml", text);
            words("run --job j1 -q --threads 1", &[""; 0])
        }),
        kind("a job that is misspelled", 250, move |scene, n| {
            let mut text = String::new();
            (0..n).for_each(|i| {
                writeln!(
                    text,
                    "[jobs.j{i}]\nsource = [\"in.json\"]\noutput = \"o.parquet\"\nkey = [\"id\"]"
                )
                .unwrap()
            });
            scene.write("distil.toml", text);
            words("run --job jx -q --threads 1", &[""; 0])
        })
        .fails(2),
        kind("options that are unknown", 1_500, move |scene, n| {
            let mut text = "[jobs.j]\n".to_owned();
            (0..n).for_each(|i| writeln!(text, "sourcex{i} = 1").unwrap());
            scene.write("distil.toml", text);
            words("run --job j -q --threads 1", &[""; 0])
        })
        .fails(2),
        kind("types of a configuration", 250, move |scene, n| {
            scene.write("in.json", wide(n));
            let types = list(n, |i| format!("c{i} = \"int64\""));
            scene.write("distil.toml", format!("[jobs.j]\nsource = \"in.json\"\noutput = \"o.parquet\"\nkey = \"id\"\ntypes = {{ {types} }}\n"));
            words("run --job j -q --threads 1", &[""; 0])
        }),
        kind("sources of a configuration", 3_000, move |scene, n| {
            scene.write("in.json", wide(1));
            let sources = list(n, |_| "\"in.json\"".into());
            scene.write(
                "distil.toml",
                format!("[jobs.j]\nsource = [{sources}]\noutput = \"o.parquet\"\nkey = \"id\"\n"),
            );
            words("run --job j -q --threads 1", &[""; 0])
        }),
        kind("depth of a configuration", 20_000, move |scene, n| {
            scene.write("distil.toml", format!("x = {}{}\n", "[".repeat(n), "]".repeat(n)));
            words("backends", &[""; 0])
        })
        .fails(2),
        kind("depth of a plan", 2_000, move |scene, n| {
            scene.write("plan.json", format!("{}{}\n", "[".repeat(n), "]".repeat(n)));
            words("run --plan plan.json", &[""; 0])
        })
        .limited()
        .fails(2),
    ]
}
