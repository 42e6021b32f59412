//! `docs/recipes.md`, executed: its files are written, its commands run, and what they print compared.

use std::process::Command;

use crate::context::Context;

#[test]
fn every_recipe_prints_what_it_says() {
    let text = include_str!("../../../../docs/recipes.md");
    let mut context = Context::new();
    let (mut files, mut commands) = (0, 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("## ") {
            context = Context::new();
        }
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind.strip_prefix("json file=") {
            Some(name) => {
                context.write(name, block.join("\n") + "\n");
                files += 1;
            }
            None if kind == "console" => commands += run(&context, &block),
            None => panic!("a block of the kind {kind}"),
        }
    }
    assert!(files >= 11 && commands >= 22, "{files} files and {commands} commands");
}

/// Runs the commands of a block. The lines after a command are what it prints.
fn run(context: &Context, block: &[&str]) -> usize {
    let mut commands = 0;
    let mut rest = block;
    while let Some((command, after)) = rest.split_first() {
        let command = command.strip_prefix("$ ").unwrap();
        let count = after.iter().take_while(|line| !line.starts_with("$ ")).count();
        let (printed, next) = after.split_at(count);
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_distil")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(context.path("."))
            .env("PATH", path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
        if command.starts_with("distil head") {
            let expected: String = printed.iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{command}");
        }
        commands += 1;
        rest = next;
    }
    commands
}
