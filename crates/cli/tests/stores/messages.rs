//! What a user reads when the store says no.

use distil_testkit::proxy::Fault;
use distil_testkit::servers::Service;

use crate::lake::Lake;

#[test]
fn every_refusal_says_what_to_do_and_shows_no_secret_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    let error = |code: &str, more: &str| {
        format!("<Error><Code>{code}</Code><Message>no</Message>{more}</Error>")
    };
    for (status, code, more, exit, text) in [
        (403, "AccessDenied", "", 3, "do not allow that"),
        (400, "ExpiredToken", "", 3, "the credentials have expired"),
        (403, "InvalidAccessKeyId", "", 3, "does not accept the credentials"),
        (403, "SignatureDoesNotMatch", "", 3, "does not accept the credentials"),
        (403, "RequestTimeTooSkewed", "", 3, "clock of this machine is wrong"),
        (301, "PermanentRedirect", "<Endpoint>x</Endpoint>", 3, "lies in another region"),
        (
            400,
            "AuthorizationHeaderMalformed",
            "<Region>eu-west-1</Region>",
            3,
            "export AWS_REGION=eu-west-1",
        ),
        (404, "NoSuchBucket", "", 1, "there is no such bucket"),
    ] {
        let body = error(code, more);
        lake.proxy.inject(move |_| Some(Fault::Answer(status, body.clone())));
        let said = lake.refused("run @in -o out.parquet --key id");
        assert!(said.contains(&format!("exit: {exit}\n")) && said.contains(text), "{code}: {said}");
        assert!(said.contains("help: ") && !said.contains("tests-secret"), "{said}");
        let said = lake.refused("run disk.ndjson -o @out.parquet --key id");
        let exit = if exit == 1 { 2 } else { exit };
        assert!(said.contains(&format!("exit: {exit}\n")) && said.contains(text), "{code}: {said}");
    }
    lake.proxy.inject(|_| Some(Fault::Status(503)));
    let said = lake.refused("head @out.parquet");
    assert!(said.contains("exit: 3") && said.contains("too busy"), "{said}");
    drop(lake.proxy);
}

#[test]
fn names_that_are_not_there_are_told_apart_on_s3() {
    let lake = Lake::new(Service::S3);
    lake.put_records(1);
    for (arguments, exit, text) in [
        ("run @none.json -o o.parquet --key id", 1, "there is no such file or directory"),
        ("run @in/*.json -o o.parquet --key id", 1, "nothing matches the glob"),
        ("run s3://no-such-bucket-here/in -o o.parquet --key id", 1, "there is no such bucket"),
        ("run @in -o s3://no-such-bucket-here/o.parquet --key id", 2, "there is no such bucket"),
        ("run @in -o @ --key id", 2, "needs a name"),
        ("run @in -o @o.parquet --key id --quarantine q.ndjson", 2, "does not"),
        ("run s3://key:secret@lake/in -o o.parquet --key id", 2, "no user, password or port"),
        ("head @none.parquet", 1, "there is no such file or directory"),
    ] {
        let said = lake.refused(arguments);
        assert!(
            said.contains(&format!("exit: {exit}\n")) && said.contains(text),
            "{arguments}: {said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn without_credentials_the_message_says_where_to_get_some_on_s3() {
    let lake = Lake::new(Service::S3);
    // The address that would give the keys of a machine in the cloud, which nobody answers.
    let output = lake
        .context
        .command(&["head", "s3://lake/out.parquet"])
        .envs([
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1"),
        ])
        .env("HOME", lake.context.path("home"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = crate::lake::errors(&output);
    assert!(
        said.contains("there are no credentials") || said.contains("can't be reached"),
        "{said}"
    );
}
