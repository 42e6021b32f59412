//! What a network and a busy server do: the same bytes, or a clear error, never a wrong row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use distil_testkit::proxy::{Fault, Kind};
use distil_testkit::servers::Service;
use rustix::process::{Pid, Signal, kill_process};

use crate::context::{end_of, wait_for};
use crate::lake::{Lake, errors};

/// Every request fails once, in each way.
fn gets_through(service: Service) {
    let lake = Lake::new(service);
    lake.put_records(1);
    let expected = lake.on_disk(1);
    let faults = [
        Fault::Status(503),
        Fault::Status(429),
        Fault::Status(500),
        Fault::BreakBefore,
        Fault::BreakAfter,
        Fault::StatusAfter(503),
        Fault::CutBody(3),
        Fault::Delay(Duration::from_millis(20)),
    ];
    for (at, fault) in faults.into_iter().enumerate() {
        let said = format!("{fault:?}");
        lake.proxy.inject(move |request| (request.attempt == 0).then(|| fault.clone()));
        lake.out(&format!("run @in -o @{at}.parquet --key id"));
        assert!(lake.bucket.get(&format!("{at}.parquet")).unwrap() == expected, "{said}");
        lake.proxy.inject(|_| None);
    }
    // What was begun by a request whose answer was lost is known to nobody: the next run to the output aborts it.
    for at in 0..8 {
        lake.out(&format!("run @in -o @{at}.parquet --key id --mode overwrite"));
    }
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn requests_that_fail_once_are_sent_again_on_s3() {
    gets_through(Service::S3);
}

#[test]
fn requests_that_fail_once_are_sent_again_on_azure() {
    gets_through(Service::Azure);
}

/// Parts of an upload, and the request that completes it, whose first answers are lost.
#[test]
fn an_upload_whose_answers_are_lost_is_complete_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.out("generate data --records 200000 --files 1 --shape lines");
    let options = "--key id,ts --compression none";
    lake.out(&format!("run data -o out.parquet {options}"));
    let on_disk = std::fs::read(lake.context.path("out.parquet")).unwrap();
    for (name, fault) in
        [("a", Fault::BreakAfter), ("b", Fault::StatusAfter(500)), ("c", Fault::Status(503))]
    {
        lake.proxy.inject(move |request| {
            let is_upload = matches!(request.kind, Kind::Part | Kind::Complete);
            (is_upload && request.attempt == 0).then(|| fault.clone())
        });
        lake.out(&format!("run data -o @{name}.parquet {options}"));
        assert!(lake.bucket.get(&format!("{name}.parquet")).unwrap() == on_disk, "{name}");
        assert!(lake.proxy.count("POST", Kind::Complete) > 0);
    }
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn an_object_that_changes_while_it_is_read_fails_the_run_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.out("generate data --records 60000 --files 1 --shape lines");
    let input = std::fs::read(lake.context.path("data/records-00000.ndjson")).unwrap();
    lake.bucket.put("in.ndjson", &input);
    let other = input.to_ascii_uppercase();
    let (address, name) = (lake.bucket.address.clone(), lake.bucket.name.clone());
    let bucket = distil_testkit::bucket::Bucket { service: Service::S3, address, name };
    let seen = AtomicUsize::new(0);
    lake.proxy.inject(move |request| {
        let is_range = request.method == "GET" && request.header("range").is_some();
        if is_range && seen.fetch_add(1, Ordering::Relaxed) == 1 {
            bucket.put("in.ndjson", &other);
        }
        None
    });
    let said = lake.refused("run @in.ndjson -o @out.parquet --key id,ts");
    assert!(said.contains("exit: 1") && said.contains("was replaced while it was read"), "{said}");
    assert_eq!(lake.bucket.keys(), ["in.ndjson"]);
}

#[test]
fn a_store_that_never_answers_does_not_keep_a_run_that_is_asked_to_stop_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    for kind in [Kind::List, Kind::Object] {
        let (tell, told) = std::sync::mpsc::channel();
        lake.proxy.inject(move |request| {
            let hangs = request.kind == kind && request.method == "GET";
            if hangs {
                let _ = tell.send(());
            }
            hangs.then_some(Fault::Hang)
        });
        let child = lake.start("run @in -o @out.parquet --key id");
        told.recv().unwrap();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = end_of(child);
        assert_eq!(output.status.code(), Some(130), "{}", errors(&output));
        lake.proxy.inject(|_| None);
    }
    assert_eq!((lake.bucket.keys().len(), lake.bucket.uploads()), (3, vec![]));
}

/// Killed at each of its requests, and run again.
#[test]
fn nothing_is_left_of_runs_that_were_killed_on_s3() {
    let kills = std::env::var("DISTIL_KILLS").map_or(12, |kills| kills.parse().unwrap());
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    let expected = lake.on_disk(1);
    // As large as uploads of several requests: what stays in memory leaves nothing behind.
    lake.out("generate data --records 200000 --files 1 --shape lines");
    let arguments = "run data -o @out.parquet --key id,ts --compression none --mode overwrite";
    lake.out(arguments);
    let all = lake.proxy.requests().len();
    let whole = lake.bucket.get("out.parquet").unwrap();
    for kill in 0..kills {
        let (tell, told) = std::sync::mpsc::channel();
        let (at, seen) = (1 + kill % (all - 1), Arc::new(AtomicUsize::new(0)));
        lake.proxy.inject(move |_| {
            let is_last = seen.fetch_add(1, Ordering::Relaxed) == at;
            if is_last {
                let _ = tell.send(());
            }
            is_last.then_some(Fault::Hang)
        });
        let mut child = lake.start(arguments);
        // A run with fewer requests than the first one ends by itself.
        wait_for("the last request, or the end", || {
            told.try_recv().is_ok() || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        lake.proxy.inject(|_| None);
        assert!(lake.bucket.get("out.parquet").unwrap() == whole, "killed at {at}");
    }
    lake.out(arguments);
    lake.out("run @in -o @other.parquet --key id");
    assert!(lake.bucket.get("other.parquet").unwrap() == expected);
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}
