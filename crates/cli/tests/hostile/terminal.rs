//! Data that would steer a terminal never reaches one: messages, warnings, logs and tables are plain.

use crate::context::Context;
use crate::support::Told;

/// Clears the screen, colours, sets the title, turns text round, in every form that terminals know.
const STEERING: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\r\u{8}";

fn as_json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn names_and_values_are_shown_without_their_control_characters() {
    let context = Context::new();
    let name = as_json(STEERING);
    let upper = as_json(&format!("{STEERING}A"));
    let lower = as_json(&format!("{STEERING}a"));
    let file = format!("in{}.ndjson", STEERING.replace('/', ""));
    context.write(
        &file,
        format!(
            "{{\"ts\":1,{name}:{name},{upper}:1,{lower}:null}}\n{{\"ts\":1,{name}:\"other\",{upper}:1,{lower}:null}}\n{{\"ts\":2,{name}:{name},{name}:1}}\n"
        ),
    );
    let base = ["run", &file, "-o", "out.parquet", "--mode", "overwrite"];
    let runs: [&[&str]; 8] = [
        &["--key", "ts"],
        &["--key", "ts", "--quarantine", "q.ndjson", "-v", "--digest", "--progress", "always"],
        &["--key", STEERING, "--quarantine", "q.ndjson"],
        &["--key", "ts", "--order-by", STEERING, "--quarantine", "q.ndjson"],
        &["--key", "ts", "--quarantine", "q.ndjson", "--on-conflict", "error"],
        &["--key", "ts", "--quarantine", "q.ndjson", "--on-conflict", "warn", "-vv"],
        &["--key", "ts", "--type", "x=\u{1b}[2J"],
        &["--key", "ts", "--dry-run", "-vv"],
    ];
    for flags in runs {
        let output =
            context.command(&[&base[..], flags].concat()).env("DISTIL_LOG", "trace").output();
        let told = Told::of(&output.unwrap());
        assert!(!told.stderr.contains('\u{202e}'), "{flags:?}: {}", told.stderr);
        assert!(told.code.is_some());
    }
    for command in
        [&["schema", &file, "--why"][..], &["head", &file], &["verify", &file], &["digest", &file]]
    {
        let told = Told::of(&context.command(command).output().unwrap());
        assert!(!told.stderr.contains('\u{202e}'), "{command:?}: {}", told.stderr);
    }
}
