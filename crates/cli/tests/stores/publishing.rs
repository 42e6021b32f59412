//! Who publishes first wins, and the other one changes nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use distil_testkit::bucket::Bucket;
use distil_testkit::proxy::Kind;
use distil_testkit::servers::Service;

use crate::lake::Lake;

/// Somebody writes the output just before it is published.
fn loses_against_another(service: Service, mode: &str, large: bool) {
    let lake = Lake::new(service);
    lake.put_records(1);
    if mode == "overwrite" {
        lake.bucket.put("out.parquet", b"older");
    }
    if large {
        lake.out("generate data --records 200000 --files 1 --shape lines");
    }
    let (address, name) = (lake.bucket.address.clone(), lake.bucket.name.clone());
    let other = Bucket { service, address, name };
    let is_done = AtomicBool::new(false);
    lake.proxy.inject(move |request| {
        let is_object = request.kind == Kind::Object && request.method == "PUT";
        let publishes = request.kind == Kind::Complete || (is_object && !large);
        if publishes && !is_done.swap(true, Ordering::Relaxed) {
            other.put("out.parquet", b"of another");
        }
        None
    });
    let source = if large { "data --key id,ts --compression none" } else { "@in --key id" };
    let said = lake.refused(&format!("run {source} -o @out.parquet --mode {mode}"));
    assert!(said.contains("exit: 5") && said.contains("wrote it meanwhile"), "{said}");
    assert_eq!(lake.bucket.get("out.parquet").unwrap(), b"of another");
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn the_second_to_create_an_object_changes_nothing_on_s3() {
    loses_against_another(Service::S3, "error", false);
    loses_against_another(Service::S3, "error", true);
    // moto ignores If-Match where an upload is completed; of small objects it does not.
    loses_against_another(Service::S3, "overwrite", false);
}

#[test]
fn the_second_to_create_or_replace_an_object_changes_nothing_on_azure() {
    for large in [false, true] {
        loses_against_another(Service::Azure, "error", large);
        loses_against_another(Service::Azure, "overwrite", large);
    }
}

#[test]
fn an_upload_that_replaces_is_completed_on_the_condition_of_what_was_seen_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.bucket.put("out.parquet", b"older");
    let e_tag = lake.bucket.e_tag("out.parquet").unwrap();
    lake.out("generate data --records 200000 --files 1 --shape lines");
    lake.out("run data -o @out.parquet --key id,ts --compression none --mode overwrite");
    let requests = lake.proxy.requests();
    let complete = requests.iter().find(|request| request.kind == Kind::Complete).unwrap();
    assert_eq!(complete.header("if-match"), Some(e_tag.as_str()));
}

#[test]
fn a_directory_is_new_or_refused_and_the_advice_helps_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    lake.out("run @in -o @out/ --key id");
    lake.bucket.begin("out/part-00007.parquet");
    for mode in ["error", "overwrite"] {
        let said = lake.refused(&format!("run @in -o @out/ --key id --mode {mode}"));
        assert!(
            said.contains("exit: 5") && said.contains("can't be replaced in one step"),
            "{said}"
        );
        assert!(said.contains("1 uploads to it were begun and not completed"), "{said}");
    }
    let said = lake.refused("run @in -o @in --key id");
    assert!(said.contains("exit: 5"), "{said}");
    let said = lake.refused("run @in -o @in/out.parquet --key id");
    assert!(said.contains("exit: 2") && said.contains("lies inside the source"), "{said}");
}
