//! The bootstrap action, run by a shell among programs that write down how they are called.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::context::Context;

/// What the script calls on a node: `is_primary`, and whether it has the Python already.
fn called(is_primary: bool, has_python: bool) -> String {
    let context = Context::new();
    context.write(
        "bootstrap.sh",
        context.out(&[
            "emr",
            "plan",
            "a",
            "--bucket",
            "s3://bucket",
            "--wheel",
            "s3://b/d.whl",
            "-q",
            "--print",
            "bootstrap",
        ]),
    );
    let log = context.path("log");
    let status = |good: bool| i32::from(!good);
    let programs = [
        ("grep", format!("exit {}", status(is_primary))),
        ("sudo", String::new()),
        // A copy is there.
        ("aws", "for last; do :; done; : > \"$last/${4##*/}\"".to_owned()),
        (
            "python3.11",
            format!(
                "[ \"$2\" != distil.spark ] || echo /site/application.py\n[ \"$2\" != pip ] || exit {}",
                status(has_python)
            ),
        ),
    ];
    for (name, body) in programs {
        let path = format!("bin/{name}");
        context.write(
            &path,
            format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{body}\n", log.display()),
        );
        std::fs::set_permissions(context.path(&path), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let output = Command::new("bash")
        .arg(context.path("bootstrap.sh"))
        .args(["120", "python3.11", "pandas pyarrow", "s3://b/d.whl", "s3://b/more.whl"])
        .env("PATH", format!("{}:/usr/bin:/bin", context.path("bin").display()))
        .env("TMPDIR", context.path("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = context.read("log");
    // The directory of the wheels has another name each time.
    let wheels = text
        .lines()
        .find_map(|line| line.strip_prefix("aws s3 cp --only-show-errors s3://b/d.whl "))
        .unwrap();
    text.replace(wheels.trim_end_matches('/'), "WHEELS")
}

#[test]
fn the_primary_is_shut_down_at_the_limit_and_every_node_gets_the_package() {
    insta::assert_snapshot!(called(true, false), @r#"
    grep -q "isMaster": *true /mnt/var/lib/info/instance.json
    sudo shutdown -P +120
    python3.11 -m pip --version
    sudo dnf install -y -q python3.11 python3.11-pip
    aws s3 cp --only-show-errors s3://b/d.whl WHEELS/
    aws s3 cp --only-show-errors s3://b/more.whl WHEELS/
    sudo python3.11 -m pip install --quiet --find-links WHEELS WHEELS/d.whl WHEELS/more.whl pandas pyarrow
    sudo mkdir -p /opt/distil
    python3.11 -m distil.spark
    sudo cp /site/application.py /opt/distil/application.py
    "#);
}

#[test]
fn another_node_is_not_shut_down_and_a_python_that_is_there_is_taken() {
    insta::assert_snapshot!(called(false, true), @r#"
    grep -q "isMaster": *true /mnt/var/lib/info/instance.json
    python3.11 -m pip --version
    aws s3 cp --only-show-errors s3://b/d.whl WHEELS/
    aws s3 cp --only-show-errors s3://b/more.whl WHEELS/
    sudo python3.11 -m pip install --quiet --find-links WHEELS WHEELS/d.whl WHEELS/more.whl pandas pyarrow
    sudo mkdir -p /opt/distil
    python3.11 -m distil.spark
    sudo cp /site/application.py /opt/distil/application.py
    "#);
}
