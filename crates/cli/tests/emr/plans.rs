//! `distil emr plan`: the request, the command and the estimate, none of which AWS is asked for.

use insta::assert_snapshot;
use serde_json::Value;

use crate::account::{Account, WHEEL};
use crate::context::Context;
use crate::fake::Script;

fn configured(more: &str) -> Context {
    let context = Context::new();
    context.write(
        "distil.toml",
        format!("[emr.big]\nbucket = 's3://bucket/distil/'\nwheel = '{WHEEL}'\n{more}"),
    );
    let plan = context.out(&["plan", "s3://b/in/", "-o", "s3://b/out/", "--key", "ts"]);
    context.write("plan.json", plan);
    context
}

#[test]
fn the_request_of_a_cluster_for_one_job() {
    let context = configured(
        "subnet = 'subnet-1'\nkey_pair = 'me'\nconf = { 'spark.executor.memory' = '4g' }",
    );
    assert_snapshot!("one_job", context.run(&["emr", "plan", "big", "--plan", "plan.json"]));
}

#[test]
fn the_request_of_a_cluster_that_waits_for_jobs() {
    let context = configured("");
    let words = "emr plan big --keep --nodes 1 --idle-minutes 10 --max-minutes 60 --release emr-spark-8.0.0 --wheel s3://w/distil.whl --wheel s3://w/pyarrow.whl -q";
    assert_snapshot!("kept", context.run(&words.split(' ').collect::<Vec<_>>()));
}

#[test]
fn a_cluster_that_may_cost_too_much_is_refused_with_how_that_is_computed() {
    let context = configured("nodes = 9\nmax_minutes = 240");
    let told = context.run(&["emr", "plan", "big", "--plan", "plan.json", "-q", "--print", "plan"]);
    let error = &told[told.find("--- stderr").unwrap()..];
    assert_snapshot!(error, @"
    --- stderr
    error: the cluster may cost 9.71 dollars, and at most 5.00 are allowed
      at most 9.71 dollars: 2.282922 an hour for 255 minutes (max_minutes 240, and 15 to start and to end)
      9 of 9 nodes m5.xlarge: 0.253658 an hour each (EC2 0.192, EMR 0.048, 79 GiB of disk 0.008658, public address 0.005)
      prices of us-east-1, on demand, as of 2026-12-01; not in it: S3, traffic between zones, taxes
      output: nothing was created
      help: give it less time: --max-minutes N
      help: or allow more: --max-cost 9.71
    ");
    // Other prices, in either form that TOML has for them.
    for prices in ["prices.m5.xlarge = 0.05", "prices = { 'm5.xlarge' = '0.05' }"] {
        let cheap = configured(&format!("nodes = 9\nmax_minutes = 240\n{prices}"));
        let told = cheap.run(&["emr", "plan", "big", "--plan", "plan.json"]);
        assert!(told.starts_with("exit: 0") && told.contains("at most 2.44 dollars"), "{told}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_told_with_what_to_do() {
    let context = configured("");
    let told = |words: &str| context.run(&words.split(' ').collect::<Vec<_>>());
    assert_snapshot!(told("emr plan small"), @"
    exit: 2
    --- stderr
    error: emr.small.bucket: the place for files and logs is missing
      help: name a bucket that you can write to: --bucket s3://my-bucket/distil
    ");
    assert_snapshot!(told("emr plan big --instance-type x1.huge --wheel a.whl"), @r#"
    exit: 2
    --- stderr
    error: the price of x1.huge is not known
      help: give it in the configuration, in dollars an hour, EC2 and EMR together: [emr.big.prices] "x1.huge" = 0.5
      help: or take one of m5.xlarge, m5.2xlarge, m5.4xlarge, m6i.xlarge, m6i.2xlarge, c5.xlarge, c5.2xlarge, c5.4xlarge, r5.xlarge, r5.2xlarge, r5.4xlarge, i3.xlarge
    "#);
    assert_snapshot!(told("emr plan big --nodes 0"), @"
    exit: 2
    --- stderr
    error: emr.big.nodes: 0 is not between 1 and 1000
    ");
    assert_snapshot!(told("emr plan big --max-cost lots"), @"
    exit: 2
    --- stderr
    error: --max-cost: `lots` is not an amount of dollars
      help: write a number with at most six decimals, such as 0.192
    ");
    context.write("local.json", context.out(&["plan", "in/", "-o", "out/", "--key", "ts"]));
    assert_snapshot!(told("emr plan big --plan local.json"), @"
    exit: 2
    --- stderr
    error: the nodes of a cluster don't see files of this machine
      in/
      out/
      output: nothing was asked of AWS
      help: copy the input: aws s3 cp --recursive incoming/ s3://BUCKET/incoming/
      help: and write the plan for it: distil plan s3://BUCKET/incoming/ -o s3://BUCKET/events/ --key ts > plan.json
    ");
    context.write("distil.toml", "[emr.big]\nnode = 4");
    assert_snapshot!(told("emr plan big"), @"
    exit: 2
    --- stderr
    error: distil.toml: there is no option emr.big.node
      help: the nearest is emr.big.nodes
    ");
}

/// The commands that `plan` prints, run by a shell, ask for the same cluster as `up` does.
#[test]
fn the_printed_command_is_the_same_request() {
    if std::env::var_os("DISTIL_TEST_AWS").is_none() {
        // There is no command `aws` among the tools of these tests.
        return;
    }
    for more in ["--plan plan.json", "--keep", "--job events --keep"] {
        let account = Account::new([Script::kept(), Script::kept()]);
        let commands = account.out(&format!("emr plan big {more} --print command"));
        let path = format!("{}:/usr/bin:/bin", account.context.path("tools").display());
        let distil = account.context.path("tools/distil");
        crate::account::wrap(&distil, env!("CARGO_BIN_EXE_distil").as_ref());
        let distil = account.command("", &account.fake.address);
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .env_clear()
            .envs(distil.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("PATH", path)
            // The first version of the command knows the older name of the variable alone.
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .args(["-euc", &commands])
            .current_dir(account.context.path("."));
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", account.context.told(&output));
        account.out(&format!("emr up big {more} --detach"));
        let asked = |at: usize| {
            let state = account.fake.state();
            let calls = state.calls.iter().filter(|(operation, _)| operation == "RunJobFlow");
            let request: &Value = &calls.collect::<Vec<_>>()[at].1;
            let name = request["Name"].as_str().unwrap();
            serde_json::from_str::<Value>(&request.to_string().replace(name, "NAME")).unwrap()
        };
        assert_eq!(asked(0), asked(1));
        let keys = account.bucket.keys();
        let uploaded = keys.iter().filter(|key| key.starts_with("distil/distil-big/")).count();
        assert_eq!(uploaded, if more == "--keep" { 3 } else { 4 });
        account.out("emr down big --poll 0");
        account.fake.assert_nothing_runs();
    }
}
