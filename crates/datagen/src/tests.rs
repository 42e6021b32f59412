//! The data sets against an answer worked out from the files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use distil_json::digest::RowDigest;
use distil_plan::Fault;
use distil_storage::{Failure, Memory, Storage};

use super::*;

type Row = (String, String, String);

fn written(parameters: &Parameters, threads: usize) -> (Memory, Answer) {
    let storage = Memory::new();
    let answer = generate(&storage, Path::new("/data"), parameters, threads, &|_| ()).unwrap();
    (storage, answer)
}

/// The text of every file, by path.
fn texts(storage: &Memory) -> Vec<String> {
    let data = storage.files().into_iter().filter(|(path, _)| path.starts_with("/data"));
    data.map(|(path, bytes)| {
        let mut text = String::new();
        if path.extension().unwrap() == "gz" {
            flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        text
    })
    .collect()
}

fn rows(text: &str, shape: Shape) -> Vec<Row> {
    let values: Vec<serde_json::Value> = match shape {
        Shape::Document => {
            let document: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(document.as_object().unwrap().len(), 1);
            document["records"].as_array().unwrap().clone()
        }
        Shape::Array => serde_json::from_str(text).unwrap(),
        Shape::Lines => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    let member = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap().to_owned();
    values
        .iter()
        .map(|value| {
            assert_eq!(value.as_object().unwrap().len(), 3);
            (member(value, "ts"), member(value, "id"), member(value, "data"))
        })
        .collect()
}

/// Nanoseconds since 1970, counted year by year and month by month.
fn nanoseconds(ts: &str) -> i128 {
    let part = |from: usize, to: usize| ts[from..to].parse::<i128>().unwrap();
    let leap = |year: i128| i128::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let (year, month) = (part(0, 4), part(5, 7));
    let mut days: i128 = (1970..year).map(|year| 365 + leap(year)).sum();
    let lengths = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += lengths[..month as usize - 1].iter().sum::<i128>() + part(8, 10) - 1;
    let seconds = days * 86_400 + part(11, 13) * 3600 + part(14, 16) * 60 + part(17, 19);
    (seconds * 1000 + part(20, 23)) * 1_000_000
}

/// The answer for one key, by keeping the smallest row of each.
fn judged<K: Ord>(rows: &[Row], key: impl Fn(&Row) -> K) -> KeyAnswer {
    let mut groups: BTreeMap<K, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    let (mut digest, mut identical, mut conflicting) = (RowDigest::new(), 0, 0);
    for group in groups.values() {
        let survivor = group.iter().min().unwrap();
        let equal = group.iter().filter(|row| row == &survivor).count() as u64;
        identical += equal - 1;
        conflicting += group.len() as u64 - equal;
        digest.begin_row(3);
        digest.name("data");
        digest.string(&survivor.2);
        digest.name("id");
        digest.string(&survivor.1);
        digest.name("ts");
        digest.timestamp_nanos(nanoseconds(&survivor.0));
        digest.end_row();
    }
    KeyAnswer {
        rows: groups.len() as u64,
        digest: digest.finish().to_string(),
        duplicates: Duplicates { identical, conflicting },
    }
}

#[test]
fn the_answer_is_what_the_files_say_for_every_mixture_of_parameters() {
    let shapes = [Shape::Document, Shape::Array, Shape::Lines];
    let mut case = 0;
    for files in [1, 2, 3, 7] {
        for records in [1, 2, 5, 64, 100] {
            for duplicates in [0, 1, 4, 7, 50, 333] {
                for spread in [0, 1, 50, 100] {
                    if files == 1 && spread > 0 {
                        continue;
                    }
                    case += 1;
                    let parameters = Parameters {
                        files,
                        records,
                        duplicates,
                        spread,
                        seed: case,
                        days: 1 + case % 400,
                        shape: shapes[case as usize % 3],
                        gzip: case % 5 == 0,
                        ..Parameters::default()
                    };
                    let (storage, answer) = written(&parameters, 1 + case as usize % 3);
                    let texts = texts(&storage);
                    assert_eq!(texts.len() as u64, files);
                    let mut all = Vec::new();
                    for text in &texts {
                        let rows = rows(text, parameters.shape);
                        assert_eq!(rows.len() as u64, records + duplicates, "{parameters:?}");
                        all.extend(rows);
                    }
                    let by_ts = judged(&all, |row| row.0.clone());
                    let by_id_and_ts = judged(&all, |row| (row.1.clone(), row.0.clone()));
                    assert_eq!(by_ts.rows, files * records, "{parameters:?}");
                    assert_eq!(answer.keys["ts"], by_ts, "{parameters:?}");
                    assert_eq!(answer.keys["id,ts"], by_id_and_ts, "{parameters:?}");
                    assert_eq!(answer.records, all.len() as u64);
                    let file = storage.get("/data.answer.json").unwrap();
                    assert_eq!(serde_json::from_slice::<Answer>(&file).unwrap(), answer);
                }
            }
        }
    }
}

#[test]
fn the_files_are_the_same_for_any_number_of_threads_and_differ_by_seed() {
    let parameters =
        Parameters { files: 9, records: 50, duplicates: 10, spread: 30, ..Parameters::default() };
    let expected = written(&parameters, 1).0.files();
    for threads in [2, 5, 100] {
        assert!(written(&parameters, threads).0.files() == expected, "{threads} threads");
    }
    let other = Parameters { seed: 1, ..parameters };
    assert!(
        texts(&written(&other, 1).0)
            != texts(&written(&Parameters { seed: 0, ..other.clone() }, 1).0)
    );
}

#[test]
fn the_four_kinds_of_duplicates_come_in_turn_and_none_is_weaker_than_its_name() {
    let parameters = Parameters { records: 400, duplicates: 400, ..Parameters::default() };
    let mut kinds = [0; 4];
    let (storage, _) = written(&parameters, 1);
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows(&texts(&storage)[0], parameters.shape) {
        groups.entry(row.0.clone()).or_default().push(row);
    }
    // As many duplicates as originals: each original has exactly one.
    for group in groups.values() {
        assert_eq!(group.len(), 2);
        let same_id = group[0].1 == group[1].1;
        let same_data = group[0].2 == group[1].2;
        kinds[usize::from(!same_id) + 2 * usize::from(!same_data)] += 1;
    }
    assert_eq!(kinds, [100; 4]);
}

#[test]
fn spread_puts_exactly_that_share_of_the_duplicates_into_other_files() {
    for (spread, expected) in [(0, 0), (25, 4 * 50), (100, 4 * 200)] {
        let parameters =
            Parameters { files: 4, records: 200, duplicates: 200, spread, ..Parameters::default() };
        let (storage, _) = written(&parameters, 2);
        let mut files_of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (file, text) in texts(&storage).iter().enumerate() {
            for row in rows(text, parameters.shape) {
                files_of.entry(row.0).or_default().push(file);
            }
        }
        let away = files_of.values().filter(|files| files.iter().any(|&file| file != files[0]));
        assert_eq!(away.count(), expected, "{spread}%");
    }
}

#[test]
fn a_document_is_written_byte_by_byte_like_the_plans_with_66_bytes_a_record() {
    let parameters = Parameters { records: 3, days: 1, ..Parameters::default() };
    let (storage, _) = written(&parameters, 1);
    assert_eq!(storage.names("/data"), ["records-00000.json"]);
    let text = &texts(&storage)[0];
    assert_eq!(text.len(), "{\"records\": [".len() + 3 * 66 - 2 + "]}".len());
    assert!(text.starts_with("{\"records\": [{\"id\": \""), "{text}");
    assert!(text.contains("\"}, {\"id\": \""), "{text}");
    assert!(text.ends_with("Z\"}]}"), "{text}");
    for (ts, id, data) in rows(text, parameters.shape) {
        assert!(ts.starts_with("2019-04-23T") && ts.len() == 24, "{ts}");
        assert!(id.len() == 5 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        assert!(data.len() == 3 && data.bytes().all(|byte| byte.is_ascii_uppercase()), "{data}");
    }
}

#[test]
fn ids_data_and_days_use_their_whole_range() {
    let parameters = Parameters { records: 20_000, days: 40, ..Parameters::default() };
    let rows = rows(&texts(&written(&parameters, 1).0)[0], parameters.shape);
    let distinct = |part: &dyn Fn(&Row) -> String| rows.iter().map(part).collect::<BTreeSet<_>>();
    assert_eq!(distinct(&|row| row.0[..10].to_owned()).len(), 40);
    assert_eq!(distinct(&|row| row.1[..1].to_owned()).len(), 9);
    assert_eq!(distinct(&|row| row.2[..1].to_owned()).len(), 26);
    assert_eq!(distinct(&|row| row.2[2..].to_owned()).len(), 26);
    assert!(distinct(&|row| row.1.clone()).len() > 17_000, "20,000 draws of 90,000 ids");
    assert!(!rows.is_sorted(), "instants come in no order");
}

#[test]
fn progress_counts_every_record_once() {
    let parameters =
        Parameters { files: 3, records: 20_000, duplicates: 5, ..Parameters::default() };
    let count = AtomicU64::new(0);
    let add = |records| {
        count.fetch_add(records, Ordering::Relaxed);
    };
    generate(&Memory::new(), Path::new("data"), &parameters, 2, &add).unwrap();
    assert_eq!(count.into_inner(), parameters.total_records());
}

#[test]
fn nothing_that_exists_is_overwritten_or_mixed_with_new_files() {
    let parameters = Parameters::default();
    let attempt = |storage: &Memory, directory: &str| {
        generate(storage, Path::new(directory), &parameters, 1, &|_| ()).unwrap_err()
    };
    let (storage, _) = written(&parameters, 1);
    let before = storage.files();
    let error = attempt(&storage, "/data");
    assert_eq!(error.fault, Fault::Exists);
    assert_eq!(error.to_string(), "/data.answer.json: an answer exists already, of other data");
    storage.remove_file(Path::new("/data.answer.json")).unwrap();
    let error = attempt(&storage, "/data");
    assert_eq!(error.to_string(), "/data: the directory is not empty");
    let error = attempt(&storage, "/data/records-00000.json");
    assert_eq!(error.to_string(), "/data/records-00000.json: this is not a directory");
    assert_eq!(attempt(&storage, "/").fault, Fault::Usage);
    let mut after = storage.files();
    after.insert("/data.answer.json".into(), before[Path::new("/data.answer.json")].clone());
    assert_eq!(after, before);
}

#[test]
fn a_failure_at_any_call_leaves_nothing_behind() {
    let parameters = Parameters { files: 2, records: 3, ..Parameters::default() };
    for prepared in [false, true] {
        let fresh = || {
            let storage = Memory::new();
            if prepared {
                storage.put_dir("/data");
            }
            storage
        };
        let healthy = fresh();
        let before = healthy.calls();
        generate(&healthy, Path::new("/data"), &parameters, 1, &|_| ()).unwrap();
        for call in before..healthy.calls() {
            let storage = fresh();
            storage.fail_at(call + 1, Failure::NoSpace);
            let outcome = generate(&storage, Path::new("/data"), &parameters, 1, &|_| ());
            assert_eq!(outcome.unwrap_err().fault, Fault::Environment, "call {call}");
            assert!(storage.files().is_empty(), "call {call} left {:?}", storage.files().keys());
        }
    }
}
