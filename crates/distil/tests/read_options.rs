//! Options of reading: what they do to a frame, and when it is told that they are wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use distil::{Dedup, Fault, ReadOptions, Session, Stores};
use distil_storage::Storage;
use tempfile::TempDir;

fn write(folder: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    let mut file = Stores::default().create_new(&path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    path
}

fn text(path: &Path) -> Option<String> {
    let stores = Stores::default();
    let size = stores.metadata(path).unwrap()?.stamp.size;
    let mut bytes = vec![0; usize::try_from(size).unwrap()];
    let file = stores.open(path).unwrap();
    let mut at = 0;
    while at < bytes.len() {
        at += file.read_at(at as u64, &mut bytes[at..]).unwrap();
    }
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_wrong_option_is_told_when_the_frame_is_used_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.parquet");
    let options = ReadOptions::new().extra_members("drop");
    let frame = Session::native().read_json_with("nowhere", options).select(["a"]);
    let expected = "extra_members: `drop` is not `error`, `ignore` or `keep`";
    for error in [
        frame.write_parquet(&output).unwrap_err(),
        frame.count().unwrap_err(),
        frame.schema().unwrap_err(),
        frame.explain().unwrap_err(),
        frame.stream().err().unwrap(),
        frame.cache().err().unwrap(),
    ] {
        assert_eq!((error.fault, error.to_string().as_str()), (Fault::Usage, expected));
    }
    let options = ReadOptions::new().set("recrods", "/data");
    let error = Session::native().read_json_with("nowhere", options).count().unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "there is no option recrods\n  output: nothing was written; the output is as it was before\n  \
         help: the nearest is records"
    );
}

#[test]
fn options_change_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(
        &folder,
        "in.json",
        r#"{"page":7,"items":[{"id":"2","n":"-"},{"id":"1","n":"3"},{"id":"1","n":"3"}]}"#,
    );
    let options = ReadOptions::new()
        .records("/items")
        .add(["page=/page"])
        .types([("id", "int64"), ("n", "int32")])
        .null_text(["n=-"]);
    let frame = Session::native().read_json_with(input.as_path(), options);
    let rows = frame.drop_duplicates(Dedup::on(["id"])).head(9).unwrap().rows;
    let rows: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(rows, [r#"{"page":7,"id":1,"n":3}"#, r#"{"page":7,"id":2}"#]);
}

#[test]
fn a_quarantine_is_written_with_an_output_and_not_by_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(&folder, "in.ndjson", "{\"k\":1}\n{\"k\":}\n{\"k\":2}\n");
    let bad = folder.path().join("bad.ndjson");
    let options = ReadOptions::new().shape("lines").quarantine(&bad);
    let session = Session::native();
    // Two plans: the first of them reads.
    let frame = session.read_json_with(input.as_path(), options.clone());
    let frame = frame.drop_duplicates(Dedup::on(["k"])).rename([("k", "key")]);
    assert_eq!(frame.count().unwrap(), 2);
    assert_eq!(frame.schema().unwrap().fields.len(), 1);
    assert_eq!(text(&bad), None);
    let report = frame.write_parquet(folder.path().join("out.parquet")).unwrap();
    assert_eq!((report.records.written, report.records.quarantined.records), (2, 1));
    let set_aside = text(&bad).unwrap();
    assert_eq!(set_aside.lines().count(), 2, "{set_aside}");
    assert!(set_aside.contains(r#""reason":"invalid_json""#), "{set_aside}");
    // It is a file of the user: a run that does not replace its output does not replace it.
    let again = frame.write_parquet(folder.path().join("other.parquet")).unwrap_err();
    assert_eq!(again.fault, Fault::Exists);
    assert_eq!(text(&bad).unwrap(), set_aside);
    let strict = options.max_quarantined("0");
    assert!(session.read_json_with(input.as_path(), strict).count().is_err());
}

#[test]
fn an_error_prints_everything_in_its_alternate_form() {
    let folder = tempfile::tempdir().unwrap();
    let input = write(&folder, "in.ndjson", "{\"k\":1}\n{\"k\":}\n");
    let frame = Session::native().read_json(input.as_path());
    let error = frame.write_parquet(folder.path().join("out.parquet")).unwrap_err();
    let shown = format!("{error:#}").replace(folder.path().to_str().unwrap(), "DIR");
    assert_eq!(
        shown,
        "1 bad record
  DIR/in.ndjson line 2, byte 13: invalid_json: expected a value, found `}`
    {\"k\":}
         ^
  output: nothing was written; the output is as it was before
  help: set bad records aside and go on: quarantine = \"FILE.ndjson\""
    );
}
