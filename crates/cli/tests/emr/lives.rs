//! Clusters that do as they should: for one job, and kept for several.

use serde_json::{Value, json};

use crate::account::{Account, WHEEL};
use crate::context::wait_for;
use crate::fake::{CREATED, Script};

/// The request that created the first cluster.
fn request(account: &Account) -> Value {
    account.fake.state().clusters[0].request.clone()
}

#[test]
fn a_cluster_for_one_job_ends_after_it_and_has_a_receipt() {
    let account = Account::new([Script::good()]);
    let output = account.run("emr up big --plan plan.json --poll 0");
    let told = account.context.told(&output);
    assert!(output.status.success(), "{told}");
    account.fake.assert_nothing_runs();
    // It ended by itself: that it is asked to would hide that it does not.
    assert_eq!(account.fake.count("TerminateJobFlows"), 0);
    assert_eq!(account.fake.count("RunJobFlow"), 1);
    let asked = request(&account);
    let name = asked["Name"].as_str().unwrap().to_owned();
    // What `plan` prints, but for the name, which is its own.
    let planned = account.out("emr plan big --plan plan.json");
    let planned: Value = serde_json::from_str(&planned.replace("distil-big", &name)).unwrap();
    assert_eq!(asked, planned);
    let receipt = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        receipt,
        format!(
            "cluster       j-TEST1 {name} (emr-7.13.0)\n\
             time          2100-01-01T00:00:00Z to 2100-01-01T00:16:40Z\n\
             nodes         3 m5.xlarge, 3000 seconds together: 0.253658 dollars an hour each (EC2 0.192, EMR 0.048, 79 GiB of disk 0.008658, public address 0.005)\n\
             node-seconds  3000\n\
             dollars       0.22 (0.211382), by prices of us-east-1 as of 2026-12-01; the bill of AWS counts\n\
             ended by      ALL_STEPS_COMPLETED: Steps completed\n"
        )
    );
    for line in [
        "j-TEST1 is created",
        "j-TEST1 is RUNNING",
        "step s-1 is COMPLETED",
        "j-TEST1 is TERMINATED: ALL_STEPS",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    // What the cluster reads is where it is told to look.
    let base = format!("distil/{name}");
    assert_eq!(account.bucket.get(&format!("{base}/{WHEEL}")).unwrap(), b"a wheel");
    let bootstrap = account.bucket.get(&format!("{base}/bootstrap.sh")).unwrap();
    assert!(bootstrap.starts_with(b"#!/bin/bash\n"));
    let plan: Value = serde_json::from_slice(
        &account.bucket.get(&format!("{base}/jobs/first/plan.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(plan, serde_json::from_str::<Value>(&account.context.read("plan.json")).unwrap());
    assert!(account.bucket.get(&format!("{base}/events/.keep")).is_some());
    assert_eq!(account.bucket.keys().len(), 4);
}

#[test]
fn a_cluster_that_is_kept_runs_jobs_is_shown_and_ends_when_it_is_told() {
    let account = Account::new([Script::kept()]);
    let output = account.run("emr up big --keep --idle-minutes 7 --poll 0 --json");
    let told = account.context.told(&output);
    assert!(
        told.contains(
            "j-TEST1 still runs, 0.77 dollars an hour: distil emr down --cluster j-TEST1"
        ),
        "{told}"
    );
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, json!({"cluster": "j-TEST1", "runs": true, "receipt": null}));
    let asked = request(&account);
    assert_eq!(asked["AutoTerminationPolicy"], json!({"IdleTimeout": 420}));
    assert_eq!(asked["Instances"]["KeepJobFlowAliveWhenNoSteps"], true);

    let shown = account.out("emr status");
    assert!(
        shown.starts_with(
            "j-TEST1  emr.big  WAITING  - of 120 minutes  0 steps to do  0.02 dollars\n"
        ),
        "{shown}"
    );
    assert!(shown.contains("\n  LEFT RUNNING: it waits, and nothing is to be done: distil emr down --cluster j-TEST1\n"), "{shown}");
    assert_eq!(account.out("emr status other"), "no cluster of distil runs\n");

    let report = account.fake.state().clusters[0].request["LogUri"].as_str().unwrap().to_owned();
    let told = account.context.told(&account.run("emr submit big --job events --poll 0"));
    assert!(
        told.contains("step s-1 is COMPLETED") && told.contains("j-TEST1 still runs"),
        "{told}"
    );
    let step = {
        let state = account.fake.state();
        state.calls.iter().find(|(name, _)| name == "AddJobFlowSteps").unwrap().1["Steps"][0]
            .clone()
    };
    let base = report.strip_suffix("/logs/").unwrap();
    let job = step["Name"].as_str().unwrap().strip_prefix("distil ").unwrap();
    assert_eq!(step["ActionOnFailure"], "CONTINUE");
    assert_eq!(
        step["HadoopJarStep"]["Args"],
        json!([
            "spark-submit",
            "--deploy-mode",
            "cluster",
            "--name",
            format!("distil-{job}"),
            "--files",
            format!("{base}/jobs/{job}/plan.json#plan.json"),
            "/opt/distil/application.py",
            "plan.json",
            format!("{base}/jobs/{job}/report.json"),
        ])
    );

    let ended: Value = serde_json::from_str(&account.out("emr down big --poll 0 --json")).unwrap();
    assert_eq!((&ended[0]["node_seconds"], &ended[0]["dollars"]), (&json!(3000), &json!(0.211382)));
    assert_eq!(
        ended[0]["ended_by"],
        "this command, asked by distil emr down (USER_REQUEST: Terminated by user request)"
    );
    account.fake.assert_nothing_runs();
    assert_eq!(account.out("emr status"), "no cluster of distil runs\n");
    assert_eq!(account.out("emr down big"), "no cluster of emr.big runs\n");
    let told = account.fails(2, "emr submit big --job events");
    assert!(
        told.contains("no cluster of emr.big runs") && told.contains("distil emr up big"),
        "{told}"
    );
}

#[test]
fn a_cluster_that_is_created_and_not_followed_is_told_of_and_found_again() {
    let account = Account::new([Script::good()]);
    let told = account.context.told(&account.run("emr up big --job events --detach"));
    assert!(told.starts_with("exit: 0") && told.contains("j-TEST1 still runs"), "{told}");
    assert_eq!(account.fake.count("DescribeCluster"), 0);
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn ctrl_c_while_a_cluster_is_followed_ends_it() {
    let account = Account::new([Script::new(&[("STARTING", "PENDING"), ("RUNNING", "RUNNING")])]);
    let child = account.start("emr up big --plan plan.json --poll 0.01");
    wait_for("the step to run", || account.fake.count("ListSteps") > 2);
    signal(&child, "INT");
    let output = crate::context::end_of(child);
    let told = account.context.told(&output);
    assert_eq!(output.status.code(), Some(130), "{told}");
    account.fake.assert_nothing_runs();
    assert!(told.contains("output: the cluster j-TEST1 has ended, it cost 0.22 dollars"), "{told}");
    assert!(told.contains("this command, interrupted (USER_REQUEST"), "{told}");
}

#[test]
fn ctrl_c_before_the_next_look_is_heard_at_once_and_so_is_sigterm() {
    let account = Account::new([Script::new(&[("RUNNING", "RUNNING")])]);
    // An hour between two looks: who waits for the next one never ends.
    let child = account.start("emr up big --plan plan.json --poll 3600");
    wait_for("the first look", || account.fake.count("ListSteps") == 1);
    account.fake.let_go();
    signal(&child, "TERM");
    let output = crate::context::end_of(child);
    assert_eq!(output.status.code(), Some(143), "{}", account.context.told(&output));
    account.fake.assert_nothing_runs();
}

#[test]
fn ctrl_c_cancels_the_step_of_a_cluster_that_is_kept() {
    let script = Script::new(&[("STARTING", "PENDING"), ("WAITING", "RUNNING")]);
    let account = Account::new([script]);
    account.out("emr up big --keep --poll 0");
    let child = account.start("emr submit big --plan plan.json --poll 0.01");
    wait_for("the step to run", || account.fake.count("ListSteps") > 4);
    signal(&child, "INT");
    let output = crate::context::end_of(child);
    let told = account.context.told(&output);
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert_eq!(account.fake.count("CancelSteps"), 1);
    assert!(told.contains("step s-1 is CANCELLED"), "{told}");
    assert!(told.contains("output: the cluster j-TEST1 is kept and still runs"), "{told}");
    assert!(account.out("emr status").contains("LEFT RUNNING"));
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn what_others_run_is_neither_shown_nor_ended() {
    let account = Account::new([Script::kept(), Script::kept(), Script::kept()]);
    let foreign = account.fake.add(json!({"Name": "payroll", "LogUri": "s3://x/logs/", "Tags": [], "Instances": {"KeepJobFlowAliveWhenNoSteps": true}}));
    account.out("emr up big --keep --poll 0");
    account.out("emr up big --keep --poll 0");
    assert!(!account.out("emr status").contains(&foreign));
    let told = account.fails(2, "emr submit big --job events");
    assert!(
        told.contains("2 clusters of emr.big run") && told.contains("--cluster j-TEST2"),
        "{told}"
    );
    let told = account.fails(2, &format!("emr down --cluster {foreign}"));
    assert!(told.contains("was not created by distil"), "{told}");
    let told = account.fails(2, "emr down --cluster j-1;true");
    assert!(told.contains("is not the identity of a cluster"), "{told}");
    account.out("emr down big --poll 0");
    let running: Vec<String> = {
        let state = account.fake.state();
        state.clusters.iter().filter(|one| !one.is_over()).map(|one| one.id.clone()).collect()
    };
    assert_eq!(running, [foreign]);
    assert_eq!(CREATED, 4_102_444_800);
}

pub fn signal(child: &std::process::Child, name: &str) {
    let done = std::process::Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(done.unwrap().success());
}
