//! Every command on objects gives what it gives on files.

use distil_testkit::servers::Service;

use crate::lake::Lake;

fn gives_the_same_as_a_disk(service: Service) {
    let lake = Lake::new(service);
    lake.put_records(1);
    let expected = lake.on_disk(1);
    lake.out("run @in -o @out.parquet --key id --report @report.json");
    assert!(lake.bucket.get("out.parquet").unwrap() == expected);
    let report = lake.bucket.get("report.json").unwrap();
    assert!(String::from_utf8(report).unwrap().contains("\"status\": \"done\""));
    // From a disk, to a disk, by a glob, by several spellings.
    lake.out("run disk -o @from-disk.parquet --key id");
    assert!(lake.bucket.get("from-disk.parquet").unwrap() == expected);
    lake.out("run @in/[0-9].ndjson @in/1.ndjson -o to-disk.parquet --key id");
    assert!(std::fs::read(lake.context.path("to-disk.parquet")).unwrap() == expected);
    let digest = lake.out("digest @out.parquet");
    assert_eq!(digest, lake.out("digest disk.parquet"));
    assert_eq!(lake.out("head @out.parquet -n 3"), lake.out("head disk.parquet -n 3"));
    assert_eq!(lake.out("schema @in"), lake.out("schema disk"));
    lake.out("verify @out.parquet @report.json");
    // A directory; what is written is all that is there.
    lake.out("run @in -o @dir/ --key id --row-group-rows 30 --max-file-rows 30");
    lake.out("run disk -o dir/ --key id --row-group-rows 30 --max-file-rows 30");
    for part in 0..3 {
        let name = format!("dir/part-0000{part}.parquet");
        let on_disk = std::fs::read(lake.context.path(&name)).unwrap();
        assert!(lake.bucket.get(&name).unwrap() == on_disk, "{name}");
    }
    let keys = lake.bucket.keys();
    assert_eq!(keys.iter().filter(|key| key.starts_with("dir/")).count(), 3, "{keys:?}");
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn every_command_gives_what_it_gives_on_files_on_s3() {
    gives_the_same_as_a_disk(Service::S3);
}

#[test]
fn every_command_gives_what_it_gives_on_files_on_azure() {
    gives_the_same_as_a_disk(Service::Azure);
}

fn sets_aside(service: Service) {
    let lake = Lake::new(service);
    let text = "{\"id\":1,\"v\":1}\n[]\n{\"id\":1,\"v\":2}\n";
    lake.bucket.put("in.ndjson", text.as_bytes());
    lake.out("run @in.ndjson -o @o.parquet --key id --quarantine @q.ndjson --dropped @d.parquet");
    let quarantine = String::from_utf8(lake.bucket.get("q.ndjson").unwrap()).unwrap();
    assert!(quarantine.contains("\"reason\":\"not_an_object\""), "{quarantine}");
    assert_eq!(lake.out("head @d.parquet"), "{\"id\":1,\"v\":2}\n");
    assert_eq!(lake.bucket.keys(), ["d.parquet", "in.ndjson", "o.parquet", "q.ndjson"]);
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn records_are_set_aside_beside_the_output_on_s3() {
    sets_aside(Service::S3);
}

#[test]
fn records_are_set_aside_beside_the_output_on_azure() {
    sets_aside(Service::Azure);
}

/// Records that nothing makes smaller.
fn texts(count: u64) -> String {
    let mut state = 1u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    (0..count)
        .map(|id| {
            let text: String = (0..4).map(|_| format!("{:016x}", next())).collect();
            format!("{{\"id\":{id},\"text\":\"{text}\"}}\n")
        })
        .collect()
}

/// More than a part of an upload, and more ranges than are read at once.
fn takes_large_objects(service: Service) {
    let lake = Lake::new(service);
    let input = texts(160_000);
    lake.context.write("data/in.ndjson", &input);
    lake.bucket.put("in.ndjson", input.as_bytes());
    for memory in ["128MiB", "1GiB"] {
        let options = format!("--key id --compression none --mode overwrite --memory {memory}");
        lake.out(&format!("run @in.ndjson -o @out.parquet {options} --report r.json"));
        let report = std::fs::read(lake.context.path("r.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let peak = report["resources"]["peak_memory_bytes"].as_u64().unwrap();
        assert!(memory != "128MiB" || peak < (128 << 20) / 10 * 11 + 64_000_000, "{peak}");
        lake.out(&format!("run data -o out.parquet {options}"));
        let on_disk = std::fs::read(lake.context.path("out.parquet")).unwrap();
        assert!(lake.bucket.get("out.parquet").unwrap() == on_disk, "{memory}");
        assert!(on_disk.len() > 9 << 20, "{} bytes are one part", on_disk.len());
    }
    assert_eq!(lake.bucket.uploads(), Vec::<String>::new());
}

#[test]
fn objects_of_many_ranges_and_parts_are_those_of_a_disk_on_s3() {
    takes_large_objects(Service::S3);
}

#[test]
fn objects_of_many_ranges_and_parts_are_those_of_a_disk_on_azure() {
    takes_large_objects(Service::Azure);
}

#[test]
fn a_budget_that_does_not_hold_stores_is_refused_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    let said = lake.refused("run @in -o out.parquet --key id --memory 100MiB");
    assert!(said.contains("exit: 2") && said.contains("--memory 128MiB"), "{said}");
}

#[test]
fn an_object_is_read_in_many_ranges_at_once_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.out("generate data --records 60000 --files 1 --shape lines");
    let input = std::fs::read(lake.context.path("data/records-00000.ndjson")).unwrap();
    lake.bucket.put("in.ndjson", &input);
    // No range is answered before three of them are asked for.
    lake.proxy.inject(|request| {
        let is_range = request.method == "GET" && request.header("range").is_some();
        let is_later =
            request.header("range").is_some_and(|range| range.len() > "bytes=0-262143".len());
        (is_range && is_later).then_some(distil_testkit::proxy::Fault::Gather(3))
    });
    lake.out("run @in.ndjson -o out.parquet --key id,ts --memory 512MiB");
}

#[test]
fn many_small_objects_are_fetched_ahead_and_looked_at_once_on_s3() {
    let lake = Lake::new(Service::S3);
    for n in 0..40 {
        lake.bucket.put(&format!("in/{n:03}.ndjson"), format!("{{\"id\":{n}}}\n").as_bytes());
    }
    lake.proxy.inject(|request| {
        let is_object = request.method == "GET" && request.header("range").is_some();
        is_object.then_some(distil_testkit::proxy::Fault::Gather(8))
    });
    lake.out("run @in -o out.parquet --key id --threads 1");
    let heads = lake.proxy.requests().iter().filter(|request| request.method == "HEAD").count();
    // Of those that are sampled, and of the directory itself: what a list tells is not asked again.
    assert!(heads < 40, "{heads}");
}

/// Sampled, inferred and decoded, it is fetched once for each, whatever pieces it is read in.
#[test]
fn a_small_object_is_fetched_three_times_at_most_on_s3() {
    let lake = Lake::new(Service::S3);
    for size in [1, 5_000] {
        let text: String =
            (0..size).map(|id| format!("{{\"id\":{id},\"text\":\"{id:064}\"}}\n")).collect();
        let key = format!("{size}.ndjson");
        lake.bucket.put(&key, text.as_bytes());
        lake.out(&format!("run @{key} -o @{size}.parquet --key id"));
        let requests = lake.proxy.requests();
        let fetched = requests.iter().filter(|request| {
            request.method == "GET"
                && request.header("range").is_some()
                && request.target.contains(&key)
        });
        assert!(
            fetched.clone().count() <= 3,
            "{size}: {:?}",
            fetched.map(|r| &r.target).collect::<Vec<_>>()
        );
    }
}

#[test]
fn keys_are_taken_as_they_are_spelled_on_s3() {
    let lake = Lake::new(Service::S3);
    let key = "a b/ü+&%41~=x.ndjson";
    lake.bucket.put(key, b"{\"id\":1}\n");
    let url = lake.url(key);
    let environment = lake.bucket.environment(&lake.proxy.address());
    let arguments = ["run", &url, "-o", "o.parquet", "--key", "id"];
    let output = lake.context.command(&arguments).envs(environment).output().unwrap();
    assert!(output.status.success(), "{}", crate::lake::errors(&output));
}
