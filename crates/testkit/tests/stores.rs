//! The stores of objects that tests run on, and what goes wrong before them: what a test of stores can rely on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use distil_testkit::bucket::Bucket;
use distil_testkit::proxy::{Fault, Kind, Proxy};
use distil_testkit::servers::Service;

/// Keys that some store, somewhere, writes otherwise than they are.
const KEYS: [&str; 4] = ["a b/ü+&<>'\"%41~.ndjson", "b/c", "b=d", "z"];

fn has_what_was_put(service: Service) {
    let (bucket, other) = (Bucket::new(service), Bucket::new(service));
    assert_eq!((bucket.keys(), bucket.uploads(), bucket.get("a")), (vec![], vec![], None));
    for key in KEYS {
        bucket.put(key, key.as_bytes());
        assert_eq!(bucket.get(key).unwrap(), key.as_bytes());
    }
    assert_eq!(bucket.keys(), KEYS);
    let first = bucket.e_tag("z").unwrap();
    bucket.put("z", b"other");
    assert_ne!(bucket.e_tag("z").unwrap(), first);
    bucket.remove("z");
    assert_eq!((bucket.get("z"), bucket.e_tag("z")), (None, None));
    assert_eq!(bucket.keys(), KEYS[..3]);
    assert!(other.keys().is_empty());
}

#[test]
fn a_bucket_has_what_was_put_on_s3() {
    has_what_was_put(Service::S3);
}

#[test]
fn a_bucket_has_what_was_put_on_azure() {
    has_what_was_put(Service::Azure);
}

fn lists_all_pages(service: Service) {
    let bucket = Bucket::new(service);
    // Bucket::keys asks for fifty at a time.
    let keys: Vec<String> = (0..101).map(|n| format!("{n:05}")).collect();
    keys.iter().for_each(|key| bucket.put(key, b""));
    assert_eq!(bucket.keys(), keys);
}

#[test]
fn a_list_has_all_pages_on_s3() {
    lists_all_pages(Service::S3);
}

#[test]
fn a_list_has_all_pages_on_azure() {
    lists_all_pages(Service::Azure);
}

fn knows_what_was_begun(service: Service) {
    let bucket = Bucket::new(service);
    bucket.begin("part/ü b");
    assert_eq!((bucket.uploads(), bucket.keys()), (vec!["part/ü b".to_owned()], vec![]));
}

#[test]
fn uploads_that_were_begun_are_known_on_s3() {
    knows_what_was_begun(Service::S3);
}

#[test]
fn uploads_that_were_begun_are_known_on_azure() {
    knows_what_was_begun(Service::Azure);
}

fn faults_before_it(service: Service) {
    let mut bucket = Bucket::new(service);
    let proxy = Proxy::new(&bucket.address);
    let behind = std::mem::replace(&mut bucket.address, proxy.address());

    // As if it were not there.
    bucket.put("k", b"content");
    assert_eq!(bucket.get("k").unwrap(), b"content");
    assert_eq!(bucket.keys(), ["k"]);
    assert_eq!((proxy.count("PUT", Kind::Object), proxy.count("GET", Kind::List)), (1, 1));

    let outcome = |fault: Fault, method: &str, key: &str| {
        proxy.inject(move |_| Some(fault.clone()));
        bucket.try_send(method, key, b"content").ok()
    };
    let there = |key: &str| {
        let direct = Bucket { address: behind.clone(), name: bucket.name.clone(), service };
        direct.get(key).is_some()
    };
    assert_eq!(outcome(Fault::Status(503), "PUT", "status"), Some(503));
    assert!(!there("status"));
    assert_eq!(outcome(Fault::Status(429), "GET", "k"), Some(429));
    assert_eq!(outcome(Fault::StatusAfter(500), "PUT", "status"), Some(500));
    assert!(there("status"));
    assert_eq!(outcome(Fault::BreakBefore, "PUT", "broken"), None);
    assert!(!there("broken"));
    assert_eq!(outcome(Fault::BreakAfter, "PUT", "broken"), None);
    assert!(there("broken"));
    assert_eq!(outcome(Fault::CutBody(3), "GET", "k"), None);
    let delay = Fault::Delay(std::time::Duration::from_millis(10));
    assert_eq!(outcome(delay, "GET", "k"), Some(200));
    assert_eq!(outcome(Fault::Gather(1), "GET", "k"), Some(200));
}

#[test]
fn a_proxy_injects_faults_on_s3() {
    faults_before_it(Service::S3);
}

#[test]
fn a_proxy_injects_faults_on_azure() {
    faults_before_it(Service::Azure);
}

#[test]
fn a_server_that_is_killed_answers_no_more_on_s3() {
    let server = Service::S3.start();
    let bucket = Bucket::on(Service::S3, server.address());
    bucket.put("k", b"content");
    server.kill();
    assert!(bucket.try_send("GET", "k", b"").is_err());
}
