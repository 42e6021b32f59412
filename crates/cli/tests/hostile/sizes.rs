//! Single things that are very large.

use std::fs::File;
use std::io::{BufWriter, Write};

use crate::context::Context;

/// Writes lines, one of them with a string of so many bytes.
fn with_a_string(context: &Context, name: &str, bytes: usize) {
    let mut file = BufWriter::new(File::create(context.path(name)).unwrap());
    file.write_all(b"{\"ts\":1}\n{\"ts\":2,\"x\":\"").unwrap();
    let block = vec![b'x'; 1 << 20];
    for at in (0..bytes).step_by(block.len()) {
        file.write_all(&block[..block.len().min(bytes - at)]).unwrap();
    }
    file.write_all(b"\"}\n{\"ts\":3}\n").unwrap();
}

fn peak_memory(context: &Context) -> u64 {
    let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
    report["resources"]["peak_memory_bytes"].as_u64().unwrap()
}

#[test]
fn a_string_of_300_megabytes_is_one_bad_record_in_little_memory() {
    let context = Context::new();
    with_a_string(&context, "in.json", 300_000_000);
    let flags =
        ["in.json", "-o", "out.parquet", "--key", "ts", "--memory", "256MiB", "--report", "r.json"];
    let told = context.distil(&flags);
    told.fails(1, &["in.json line 2, byte 9: too_large", "nothing was written", "--quarantine"]);
    context.distil(&[&flags[..], &["--quarantine", "q.ndjson", "-q"]].concat()).succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n{\"ts\":3}\n");
    let text = context.read("q.ndjson");
    let entry = text.lines().nth(1).unwrap();
    let quarantined: serde_json::Value = serde_json::from_str(entry).unwrap();
    assert_eq!(quarantined["length"], 300_000_000 + 15);
    assert!(quarantined.get("raw").is_none());
    assert!(peak_memory(&context) < 400 << 20, "{}", peak_memory(&context));
}

#[test]
fn a_string_of_300_megabytes_is_kept_where_records_may_be_so_large() {
    let context = Context::new();
    with_a_string(&context, "in.json", 300_000_000);
    let flags = ["-q", "in.json", "-o", "out.parquet", "--key", "ts", "--max-record", "400MiB"];
    context.distil(&flags).succeeds();
    let shown = context.out(&["head", "out.parquet"]);
    assert_eq!(shown.len(), 300_000_000 + 16 + 2 * 9);
    assert!(shown.ends_with("x\"}\n{\"ts\":3}\n"));
}

/// What one record of 100,000 says changes the type of all.
#[test]
fn a_string_in_one_of_100_000_records_changes_no_other_value() {
    let context = Context::new();
    let mut lines: Vec<String> =
        (0..99_999).map(|i| format!("{{\"k\":{i},\"v\":{i}}}\n")).collect();
    lines.push("{\"k\":99999,\"v\":\"7\",\"late\":true}\n".into());
    context.write("in.json", lines.concat());
    context.distil(&["-q", "in.json", "-o", "out.parquet", "--key", "k"]).succeeds();
    let expected: Vec<String> = (0..99_999)
        .map(|i| format!("{{\"k\":{i},\"v\":{i}}}"))
        .chain(["{\"k\":99999,\"v\":\"7\",\"late\":true}".to_owned()])
        .collect();
    let shown = context.out(&["head", "out.parquet", "-n", "100000"]);
    assert!(shown.lines().eq(expected.iter().map(String::as_str)));
}

/// A window of 2 GiB, announced by a frame of a few bytes, takes no memory by itself.
#[test]
fn a_zstd_frame_that_announces_a_large_window_takes_no_memory_for_it() {
    let context = Context::new();
    let mut frame = b"\x28\xb5\x2f\xfd\x00\xa8".to_vec();
    let content = b"{\"ts\":1}\n";
    frame.extend_from_slice(&((content.len() as u32) << 3 | 1).to_le_bytes()[..3]);
    frame.extend_from_slice(content);
    context.write("in.zst", frame);
    let flags = ["-q", "in.zst", "-o", "out.parquet", "--key", "ts", "--report", "r.json"];
    context.distil(&flags).succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n");
    assert!(peak_memory(&context) < 200 << 20, "{}", peak_memory(&context));
}

/// As `zstd --long=27` makes them, of content that fills the window.
#[test]
fn a_window_of_zstd_that_is_filled_beyond_the_budget_is_refused() {
    let context = Context::new();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(zstd::stream::raw::CParameter::WindowLog(27)).unwrap();
    let line = format!("{{\"ts\":1,\"x\":\"{}\"}}\n", "x".repeat(1 << 20));
    for _ in 0..40 {
        encoder.write_all(line.as_bytes()).unwrap();
    }
    context.write("in.zst", encoder.finish().unwrap());
    let flags =
        ["in.zst", "-o", "out.parquet", "--key", "ts", "--threads", "2", "--report", "r.json"];
    context.distil(&[&flags[..], &["--memory", "128MiB"]].concat()).fails(
        3,
        &[
            "in.zst",
            "with a window of 128 MiB",
            "give the run more memory: --memory 512MiB",
            "--threads",
        ],
    );
    context.distil(&[&flags[..], &["--memory", "512MiB", "-q"]].concat()).succeeds();
    assert!(peak_memory(&context) < 300 << 20, "{}", peak_memory(&context));
}

#[test]
fn records_larger_than_the_budget_holds_are_refused_before_reading() {
    let context = Context::new();
    context.write("in.json", "{\"ts\":1}\n");
    let flags = ["in.json", "-o", "out.parquet", "--key", "ts", "--max-record", "1GiB"];
    context.distil(&[&flags[..], &["--memory", "512MiB"]].concat()).fails(
        2,
        &[
            "for records of up to 1.00 GiB: at least 6.00 GiB is needed",
            "--memory 6144MiB",
            "--max-record",
        ],
    );
    context.distil(&[&flags[..], &["--memory", "6GiB", "-q"]].concat()).succeeds();
}
