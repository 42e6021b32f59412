use distil_plan::{Fault, Sink};
use distil_storage::Memory;

use super::*;

fn quarantine(memory: &Memory, max: Option<&str>, path: Option<&str>) -> Quarantine {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("o.parquet"));
    plan.quarantine.max = max.map(|text| text.parse().unwrap());
    let input = |name: &str| Input {
        path: name.into(),
        bytes: None,
        version: 0,
        compression: None,
        shape: None,
    };
    let inputs = ["in/a.json", "in/b\"\u{1b}.json", "in/c.json"].map(input).to_vec();
    let plan = ResolvedPlan { plan, inputs, schema: None, admitted: false };
    memory.put_dir("scratch");
    let storage = Arc::new(memory.clone());
    Quarantine::new(&plan, storage, path.map(PathBuf::from), "scratch".into())
}

fn part(input: usize, offset: u64, raw: impl Into<Vec<u8>>) -> BadPart {
    let raw = raw.into();
    BadPart {
        input,
        offset,
        length: raw.len() as u64,
        reason: Reason::InvalidJson,
        detail: "unexpected `}`".into(),
        added: Vec::new(),
        at: None,
        raw: Some(raw),
    }
}

fn range(input: usize, offset: u64, length: u64) -> BadPart {
    let reason = Reason::BrokenRange;
    BadPart {
        input,
        offset,
        length,
        reason,
        detail: "cut".into(),
        at: None,
        raw: None,
        added: Vec::new(),
    }
}

fn read_of(records: u64) -> ReadTotals {
    ReadTotals { bytes: 1000, records: vec![records] }
}

#[test]
fn lines_are_sorted_by_input_and_offset_and_spelled_as_the_contract_says() {
    let memory = Memory::new();
    let quarantine = quarantine(&memory, None, Some("q.ndjson"));
    quarantine.add(part(1, 7, b"\xff".to_vec())).unwrap();
    quarantine.add(range(1, 6, 90)).unwrap();
    quarantine.add(part(0, 10, "{\u{1}\u{7f}\té\"")).unwrap();
    quarantine.add(part(0, 9, vec![b' '; BadPart::MAX_RAW as usize + 1])).unwrap();
    quarantine.add(BadPart { raw: Some(b"x".to_vec()), ..range(2, 0, 1) }).unwrap();
    assert_eq!([0, 1, 2, 3].map(|input| quarantine.counts_for(input)), [2, 2, 1, 0]);
    let SetAside { counts, reasons, losses, first } = quarantine.finish(&read_of(9)).unwrap();
    let reasons: Vec<_> = reasons.iter().map(|count| (count.reason, count.count)).collect();
    assert_eq!(reasons, [(Reason::InvalidJson, 3), (Reason::BrokenRange, 2)]);
    assert!(losses[0].contains("the rest of the file is lost (90 bytes): cut"), "{losses:?}");
    let first: Vec<_> = first.iter().map(|part| (&*part.path, part.offset)).collect();
    let b = "in/b\"\u{1b}.json";
    let a = "in/a.json";
    assert_eq!(first, [(a, 9), (a, 10), (b, 6), (b, 7), ("in/c.json", 0)]);
    let bytes = 1 + 90 + 7 + BadPart::MAX_RAW + 1 + 1;
    assert_eq!(counts, QuarantinedCounts { records: 3, ranges: 2, bytes });
    let text = String::from_utf8(memory.get("q.ndjson").unwrap()).unwrap();
    let b = r#"{"file":"in/b\"\u001b.json","offset":"#;
    let expected = [
            r#"{"file":"in/a.json","offset":9,"length":1048577,"reason":"invalid_json","detail":"unexpected `}`"}"#.to_owned(),
            "{\"file\":\"in/a.json\",\"offset\":10,\"length\":7,\"reason\":\"invalid_json\",\"detail\":\"unexpected `}`\",\"raw\":\"{\\u0001\u{7f}\\té\\\"\"}".to_owned(),
            format!(r#"{b}6,"length":90,"reason":"broken_range","detail":"cut"}}"#),
            format!(r#"{b}7,"length":1,"reason":"invalid_json","detail":"unexpected `}}`","raw_base64":"/w=="}}"#),
            r#"{"file":"in/c.json","offset":0,"length":1,"reason":"broken_range","detail":"cut"}"#.to_owned(),
        ];
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), expected);
    assert!(text.ends_with('\n'));
}

#[test]
fn spilled_and_remerged_runs_give_the_same_file_as_memory() {
    let parts: Vec<BadPart> = (0..5000u64)
        .map(|n| {
            let n = n * 2357 % 5000;
            let raw = vec![b'a' + (n % 26) as u8; (n % 90) as usize];
            let part = part((n / 2000) as usize, n * 10, raw);
            if n % 7 == 0 { range(part.input, part.offset, n) } else { part }
        })
        .collect();
    let run = |buffer_bytes| {
        let memory = Memory::new();
        let mut quarantine = quarantine(&memory, None, Some("q.ndjson"));
        quarantine.buffer_bytes = buffer_bytes;
        for part in &parts {
            quarantine.add(part.clone()).unwrap();
        }
        quarantine.finish(&read_of(5000)).unwrap();
        // Synced: it is there after a loss of power, too, once its name is.
        let survived = memory.after_power_loss(distil_storage::Survive::Names);
        (
            survived.get("q.ndjson").unwrap(),
            memory.names("scratch").len(),
            quarantine.spilled_bytes(),
        )
    };
    let (whole, none, zero) = run(BUFFER);
    assert_eq!((none, zero), (0, 0));
    // Every line spills alone: 5,000 runs, merged by 64 to 78, and these to one.
    let (spilled, runs, bytes) = run(0);
    assert_eq!(runs, 1 + 14 + 8);
    assert!(bytes > whole.len() as u64);
    assert_eq!(spilled, whole);
    let offsets: Vec<(String, u64)> = std::str::from_utf8(&whole)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|v| (v["file"].as_str().unwrap().to_owned(), v["offset"].as_u64().unwrap()))
        .collect();
    assert_eq!(offsets.len(), 5000);
    assert!(offsets.is_sorted());
}

#[test]
fn without_a_file_the_first_ten_of_the_input_are_shown_in_whatever_order_they_come() {
    let memory = Memory::new();
    let stopping = quarantine(&memory, None, None);
    for offset in (1..10).rev() {
        stopping.add(part(1, offset, "x")).unwrap();
    }
    let error = stopping.finish(&read_of(20)).unwrap_err();
    assert_eq!((error.fault, error.what.as_str()), (Fault::Input, "9 bad records"));
    assert!(!stopping.is_past_the_last(3, 0), "more may come");
    stopping.add(range(0, 5, 3)).unwrap();
    assert!(!stopping.is_past_the_last(1, 9) && stopping.is_past_the_last(1, 10));
    // The last of them makes room for one that lies before.
    stopping.add(part(1, 0, "x")).unwrap();
    stopping.add(part(2, 0, "x")).unwrap();
    assert!(!stopping.is_past_the_last(1, 8) && stopping.is_past_the_last(1, 9));
    let error = stopping.finish(&read_of(20)).unwrap_err();
    let what = "9 bad records and 1 broken range, in which no records can be told apart, the run stopped there";
    assert_eq!(error.what, what);
    assert_eq!(
        error.details,
        [
            "in/a.json at byte 5: broken_range: cut (3 bytes)",
            "in/b\"\\u{1b}.json at byte 0: invalid_json: unexpected `}`",
            "  x",
            "  ^",
            "8 more: invalid_json, the last at in/b\"\\u{1b}.json at byte 8",
        ]
    );
    assert!(!error.hints.iter().any(|hint| hint.is_about("quarantine")), "{error:?}");
    let records = quarantine(&memory, None, None);
    records.add(part(1, 0, "x")).unwrap();
    let error = records.finish(&read_of(20)).unwrap_err();
    assert!(error.hints[0].is_about("quarantine"), "{error:?}");
    assert_eq!(quarantine(&memory, None, None).finish(&read_of(3)).unwrap(), SetAside::default());
    assert!(memory.files().is_empty());
}

#[test]
fn a_run_without_bad_records_has_a_file_without_entries() {
    let memory = Memory::new();
    quarantine(&memory, None, Some("q.ndjson")).finish(&read_of(3)).unwrap();
    let text = String::from_utf8(memory.get("q.ndjson").unwrap()).unwrap();
    assert!(
        text.starts_with("{\"quarantine\":1,\"plan\":{") && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn more_than_the_plan_allows_fail_the_run_with_the_numbers() {
    let memory = Memory::new();
    let counted = quarantine(&memory, Some("2"), Some("q.ndjson"));
    counted.add(part(0, 0, "x")).unwrap();
    counted.add(range(1, 0, 4)).unwrap();
    let error = counted.add(part(2, 0, "x")).unwrap_err();
    assert_eq!(
        error.what,
        "2 bad records and 1 bad range are known, 6 bytes; the plan allows at most 2"
    );
    for (share, read, fits) in [("10%", 20, true), ("10%", 19, false), ("0%", 9, false)] {
        let memory = Memory::new();
        let shared = quarantine(&memory, Some(share), Some("q.ndjson"));
        shared.add(part(0, 0, "x")).unwrap();
        shared.add(range(1, 0, 4)).unwrap();
        let result = shared.finish(&read_of(read));
        assert_eq!(result.is_ok(), fits, "{share} of {read}: {result:?}");
        assert_eq!(memory.get("q.ndjson").is_some(), fits);
    }
}
