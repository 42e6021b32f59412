//! The report as a page for people.

use crate::context::Context;

const BEGINNING: &str = "<!doctype html>\n<html lang=\"en\">\n";

/// Two records that conflict, one that is bad, and a name that would be markup.
const INPUT: &str = concat!(
    r#"{"id":1,"<b>":"one","v":"<script>alert(1)</script>"}"#,
    "\n",
    r#"{"id":1,"<b>":"two","v":"<script>alert(1)</script>"}"#,
    "\n[]\n",
    r#"{"id":2,"<b>":null,"v":"x"}"#,
    "\n",
);

fn input() -> Context {
    let context = Context::new();
    context.write("in.ndjson", INPUT);
    context
}

const RUN: [&str; 7] = ["run", "in.ndjson", "-o", "out.parquet", "--key", "id", "-q"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

#[track_caller]
fn says(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
}

#[test]
fn a_run_with_conflicts_and_bad_records_writes_its_page() {
    let context = input();
    let page =
        with(&["--quarantine", "bad.ndjson", "--dropped", "d.parquet", "--report", "x.html"]);
    context.out(&page);
    let page = context.read("x.html");
    assert!(page.starts_with(BEGINNING) && page.ends_with("</html>\n"), "{page}");
    says(
        &page,
        &[
            "<title>out.parquet · done · distil</title>",
            "2 rows",
            "read 4 = kept 2, identical 0, conflicting 1, quarantined 1",
            "1 conflicting: the first 1",
            "≠ &quot;one&quot;",
            "≠ &quot;two&quot;",
            "&lt;b&gt;",
            "&lt;script&gt;",
            "1 quarantined record, 2 B",
            "not_an_object",
            "distil replay bad.ndjson -o NEW.parquet",
            "d.parquet",
        ],
    );
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
}

#[test]
fn a_failed_run_writes_its_page_too() {
    let context = input();
    let told = context.run(&with(&["--report", "x.HTM"]));
    assert!(told.starts_with("exit: 1\n"), "{told}");
    let page = context.read("x.HTM");
    assert!(page.starts_with(BEGINNING), "{page}");
    says(
        &page,
        &[
            "<title>out.parquet · failed · distil</title>",
            "<strong>error:</strong>",
            "in.ndjson line 3",
            "nothing was written",
            "records = /*",
        ],
    );
    assert!(!page.contains(" --"), "a page does not know which face was asked: {page}");
    assert_eq!(context.names(), ["in.ndjson", "x.HTM"]);
}

#[test]
fn dry_runs_and_replays_write_pages_and_replace_earlier_ones() {
    let context = input();
    context.out(&with(&["--quarantine", "bad.ndjson", "--dry-run", "--report", "x.html"]));
    says(&context.read("x.html"), &["dry run · distil", "the output was not written"]);
    context.out(&with(&["--quarantine", "bad.ndjson", "--report", "x.html"]));
    says(&context.read("x.html"), &["done · distil"]);
    let mended = context.read("bad.ndjson").replace("\"[]\"", r#""{\"id\":3}""#);
    context.write("mended.ndjson", mended);
    let replay = ["replay", "mended.ndjson", "-o", "new.parquet", "-q", "--report"];
    context.out(&[&replay[..], &["x.html"]].concat());
    let page = context.read("x.html");
    says(&page, &["new.parquet · done · distil", "mended.ndjson", "read 1 = kept 1"]);
    assert!(!page.contains("records.ndjson"), "the copy of the records is shown: {page}");
    let report = context.out(&["replay", "mended.ndjson", "-o", "b.parquet", "--report", "-"]);
    assert!(report.contains("\"path\": \"mended.ndjson\""), "{report}");
    let refused = context.run(&[&replay[..], &["mended.ndjson"]].concat());
    assert!(refused.starts_with("exit: 2\n") && refused.contains("same file"), "{refused}");
    assert!(context.read("mended.ndjson").contains("id"));
}

#[test]
fn a_replay_that_fails_writes_its_page() {
    let context = input();
    context.out(&with(&["--quarantine", "bad.ndjson"]));
    let told = context.run(&["replay", "bad.ndjson", "-o", "b.parquet", "--report", "x.html"]);
    assert!(told.starts_with("exit: 1\n"), "{told}");
    let page = context.read("x.html");
    says(&page, &["failed · distil", "bad.ndjson line", "replay the file again"]);
    assert!(!page.contains("records.ndjson"), "the copy of the records is shown: {page}");
}

#[test]
fn the_page_of_someone_else_is_not_replaced() {
    let context = input();
    let foreign = [
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>notes</title>\n</html>\n",
        "<meta name=\"generator\" content=\"distil 0.1.0, report 1\">",
        "",
    ];
    for content in foreign {
        context.write("notes.html", content);
        let told = context.run(&with(&["--quarantine", "bad.ndjson", "--report", "notes.html"]));
        assert!(told.starts_with("exit: 5\n") && told.contains("not a report"), "{told}");
        assert_eq!(context.read("notes.html"), content);
        assert_eq!(context.names(), ["in.ndjson", "notes.html"]);
    }
}

#[test]
fn a_job_of_the_configuration_names_its_page() {
    let context = input();
    context.write(
        "distil.toml",
        "[jobs.daily]\nsource = \"in.ndjson\"\noutput = \"out.parquet\"\nkey = \"id\"\n\
         quarantine = \"bad.ndjson\"\nreport = \"x.html\"\n",
    );
    context.out(&["run", "--job", "daily", "-q"]);
    says(&context.read("x.html"), &[BEGINNING, "done · distil"]);
}
