//! Files of web servers: by links that are signed, from one that serves ranges and from one that does not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use distil_testkit::proxy::Fault;
use distil_testkit::servers::Service;

use crate::lake::Lake;

/// What opens an object to whoever has it. The store of the tests takes any signature.
const SIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=tests%2F20260101%2Fus-east-1%2Fs3%2F\
                      aws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&\
                      X-Amz-Signature=0123456789abcdef0123456789abcdef";

/// A link to an object, by way of the proxy.
fn link(lake: &Lake, key: &str) -> String {
    format!("http://{}/{}/{key}?{SIGNED}", lake.proxy.address(), lake.bucket.name)
}

fn has_secret(text: &[u8]) -> bool {
    let secrets = ["0123456789abcdef", "tests%2F", "tests/2026"];
    secrets.iter().any(|secret| text.windows(secret.len()).any(|part| part == secret.as_bytes()))
}

#[test]
fn a_signed_link_is_read_and_its_secrets_are_shown_nowhere() {
    let lake = Lake::new(Service::S3);
    let text = "{\"id\":1,\"v\":1}\n[]\n{\"id\":1,\"v\":2}\n{\"id\":2,\"v\":null}\n";
    lake.bucket.put("in.ndjson", text.as_bytes());
    lake.context.write("in.ndjson", text);
    lake.out("run in.ndjson -o disk.parquet --key id --quarantine dq.ndjson");
    let link = link(&lake, "in.ndjson");
    let beside = "--quarantine q.ndjson --dropped d.parquet --report r.json";
    let run = lake.run(&format!("run {link} -o out.parquet --key id {beside}"));
    assert!(run.status.success(), "{}", crate::lake::errors(&run));
    let read = |name: &str| std::fs::read(lake.context.path(name)).unwrap();
    assert!(read("out.parquet") == read("disk.parquet"));
    let shown = "in.ndjson?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=***&X-Amz-Date=20260101T000000Z";
    assert!(String::from_utf8(read("r.json")).unwrap().contains(shown));
    assert!(String::from_utf8(read("q.ndjson")).unwrap().contains(shown));
    // Where rows come from is a column here.
    lake.out(&format!("run {link} -o origin.parquet --origin --key id --quarantine oq.ndjson"));
    let refused = lake.run(&format!("run {link} -o no.parquet --key id --verbose"));
    assert_eq!(refused.status.code(), Some(1));
    let dry = lake.run(&format!("run {link} -o no.parquet --key id --dry-run"));
    let head = lake.run("head origin.parquet");
    let gone =
        lake.run(&format!("run {} -o no.parquet --key id", self::link(&lake, "none.ndjson")));
    assert_eq!(gone.status.code(), Some(1));
    let said = crate::lake::errors(&gone);
    assert!(said.contains("there is no such file") && said.contains("none.ndjson?X-Amz"), "{said}");
    // Where a command is not what it should be, or takes the link for something else.
    let wrong = [
        link.clone(),
        format!("head {link} {link}"),
        format!("head {link}"),
        format!("digest {link}"),
        format!("verify out.parquet {link}"),
        format!("replay {link} -o no.parquet"),
        format!("run --plan {link}"),
        format!("run in.ndjson -o no.parquet --key id --schema-from={link}"),
        format!("run in.ndjson -o no.parquet --key id --report={link}"),
        format!("run {link} -o no.parquet --key id --quarantine={link}"),
        format!("run {} -o no.parquet --key id", link.replace("://", ":/")),
    ];
    let wrong = wrong.map(|arguments| lake.run(&arguments));
    assert!(wrong.iter().all(|output| !output.status.success()));
    for output in [run, refused, dry, head, gone].into_iter().chain(wrong) {
        for text in [output.stdout, output.stderr] {
            assert!(!has_secret(&text), "{}", String::from_utf8_lossy(&text));
        }
    }
    for name in lake.context.names() {
        assert!(!has_secret(&read(&name)), "{name}");
    }
}

#[test]
fn a_link_is_read_in_ranges_through_what_a_network_does() {
    let lake = Lake::new(Service::S3);
    lake.out("generate data --records 60000 --files 1 --shape lines");
    lake.out("run data -o disk.parquet --key id,ts");
    let expected = std::fs::read(lake.context.path("disk.parquet")).unwrap();
    let input = std::fs::read(lake.context.path("data/records-00000.ndjson")).unwrap();
    lake.bucket.put("in.ndjson", &input);
    let link = link(&lake, "in.ndjson");
    let faults = [
        Fault::Status(503),
        Fault::Status(429),
        Fault::BreakBefore,
        Fault::BreakAfter,
        Fault::CutBody(1000),
    ];
    for fault in faults {
        let said = format!("{fault:?}");
        lake.proxy.inject(move |request| (request.attempt == 0).then(|| fault.clone()));
        lake.out(&format!("run {link} -o out.parquet --key id,ts --mode overwrite"));
        assert!(std::fs::read(lake.context.path("out.parquet")).unwrap() == expected, "{said}");
    }
    let ranges =
        lake.proxy.requests().iter().filter(|request| request.header("range").is_some()).count();
    assert!(ranges > 30, "{ranges}");
    lake.proxy.inject(|_| Some(Fault::Status(403)));
    let said = lake.refused(&format!("head {link}"));
    assert!(said.contains("exit: 3") && said.contains("get a new one"), "{said}");
}

/// Links that differ in their secrets alone are two, and each is asked for as it was given.
#[test]
fn two_links_to_one_path_stay_two() {
    let lake = Lake::new(Service::S3);
    lake.bucket.put("in.ndjson", b"{\"id\":1}\n");
    let first = link(&lake, "in.ndjson");
    let second =
        first.replace("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
    lake.out(&format!("run {first} {second} -o out.parquet --key id --report r.json"));
    let asked = lake.proxy.requests();
    for signature in ["0123456789abcdef", "fedcba9876543210"] {
        assert!(asked.iter().any(|request| request.target.contains(signature)), "{signature}");
    }
    assert!(asked.iter().all(|request| !request.target.contains("***")));
    let report = std::fs::read_to_string(lake.context.path("r.json")).unwrap();
    assert!(report.contains("\"read\": 2"), "{report}");
}

#[test]
fn a_file_that_changes_while_it_is_read_fails_the_run() {
    let lake = Lake::new(Service::S3);
    lake.out("generate data --records 60000 --files 1 --shape lines");
    let input = std::fs::read(lake.context.path("data/records-00000.ndjson")).unwrap();
    lake.bucket.put("in.ndjson", &input);
    let (address, name) = (lake.bucket.address.clone(), lake.bucket.name.clone());
    let bucket = distil_testkit::bucket::Bucket { service: Service::S3, address, name };
    let other = input.to_ascii_uppercase();
    lake.proxy.inject(move |request| {
        if request.header("range").is_some_and(|range| range.starts_with("bytes=262144-")) {
            bucket.put("in.ndjson", &other);
        }
        None
    });
    let said = lake.refused(&format!("run {} -o out.parquet --key id", link(&lake, "in.ndjson")));
    assert!(said.contains("exit: 1") && said.contains("was replaced while it was read"), "{said}");
    assert!(!lake.context.path("out.parquet").exists());
}

#[test]
fn nothing_is_written_to_a_web_server() {
    let lake = Lake::new(Service::S3);
    lake.context.write("in.ndjson", "{\"id\":1}\n");
    let place = format!("http://{}/out", lake.proxy.address());
    for arguments in [
        format!("run in.ndjson -o {place}.parquet --key id"),
        format!("run in.ndjson -o out.parquet --key id --quarantine {place}.ndjson"),
        format!("run in.ndjson -o out.parquet --key id --report {place}.json"),
        format!("generate {place} --records 1 --files 1"),
    ] {
        let said = lake.refused(&arguments);
        assert!(said.contains("exit: 2"), "{arguments}: {said}");
        assert!(!lake.context.path("out.parquet").exists());
    }
    let said = lake.refused(&format!("run in.ndjson -o {place}.parquet --key id"));
    assert!(said.contains("nothing can be written to a web server"), "{said}");
    assert_eq!(lake.proxy.requests().len(), 0);
    let said = lake.refused("run http://me:word@host/in.json -o out.parquet --key id");
    assert!(said.contains("exit: 2") && said.contains("http://***@host/in.json"), "{said}");
    let said = lake.refused("run https://host/in.json?sig=*** -o out.parquet --key id");
    assert!(said.contains("exit: 2") && said.contains("give the whole URL"), "{said}");
}

/// The server of Python's library, which serves no ranges.
struct Plain(Child, String);

impl Plain {
    fn of(directory: &std::path::Path) -> Self {
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().skip_while(|word| *word != "port").nth(1);
        let url = format!("http://127.0.0.1:{}", port.unwrap());
        Self(server, url)
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_without_ranges_gives_the_same() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    let expected = lake.on_disk(1);
    lake.context.write("disk/empty.ndjson", "");
    let server = Plain::of(&lake.context.path("disk"));
    let files =
        ["0", "1", "2", "empty"].map(|name| format!("{}/{name}.ndjson", server.1)).join(" ");
    lake.out(&format!("run {files} -o out.parquet --key id"));
    assert!(std::fs::read(lake.context.path("out.parquet")).unwrap() == expected);
    std::fs::copy(lake.context.path("disk.parquet"), lake.context.path("disk/d.parquet")).unwrap();
    let parquet = format!("{}/d.parquet", server.1);
    assert_eq!(lake.out(&format!("digest {parquet}")), lake.out("digest disk.parquet"));
    let said = lake.refused(&format!("run {}/none.json -o none.parquet --key id", server.1));
    assert!(said.contains("exit: 1") && said.contains("there is no such file"), "{said}");
    // A whole file is asked for once in a run.
    let proxy = distil_testkit::proxy::Proxy::new(server.1.trim_start_matches("http://"));
    lake.out(&format!(
        "run http://{}/0.ndjson -o once.parquet --key id --report r.json",
        proxy.address()
    ));
    assert_eq!(proxy.requests().len(), 1);
    // One that ends too soon is fetched again.
    let proxy = distil_testkit::proxy::Proxy::new(server.1.trim_start_matches("http://"));
    proxy.inject(|request| (request.attempt == 1).then_some(Fault::CutBody(100)));
    let files = [0, 1, 2].map(|name| format!("http://{}/{name}.ndjson", proxy.address())).join(" ");
    lake.out(&format!("run {files} -o again.parquet --key id"));
    assert!(std::fs::read(lake.context.path("again.parquet")).unwrap() == expected);
}
