//! Everything that goes wrong, and that nothing is left running by it.

use serde_json::json;

use crate::account::Account;
use crate::fake::{Fault, Script};

const UP: &str = "emr up big --plan plan.json --poll 0";

#[test]
fn a_bootstrap_action_that_fails_is_told_with_its_log() {
    let mut script = Script::new(&[
        ("STARTING", "PENDING"),
        ("BOOTSTRAPPING", "PENDING"),
        ("TERMINATED_WITH_ERRORS", "CANCELLED"),
    ]);
    script.reason = (
        "BOOTSTRAP_FAILURE",
        "On the master instance (i-1), bootstrap action 1 returned a non-zero return code",
    );
    let account = Account::new([script]);
    let told = account.fails(3, UP);
    assert!(
        told.contains(
            "error: the cluster j-TEST1 is TERMINATED_WITH_ERRORS: BOOTSTRAP_FAILURE: On the master"
        ),
        "{told}"
    );
    assert!(told.contains("/logs/j-TEST1/node/ node-log/"), "{told}");
    assert!(told.contains("output: the cluster j-TEST1 has ended, it cost 0.22 dollars"), "{told}");
    // It had ended: nobody asked for that.
    assert_eq!(account.fake.count("TerminateJobFlows"), 0);
    account.fake.assert_nothing_runs();
}

#[test]
fn instances_that_are_not_to_be_had_are_told_with_another_choice() {
    let mut script =
        Script::new(&[("STARTING", "PENDING"), ("TERMINATED_WITH_ERRORS", "CANCELLED")]);
    script.reason =
        ("VALIDATION_ERROR", "EC2 has insufficient capacity for m5.xlarge in us-east-1a");
    let account = Account::new([script]);
    let told = account.fails(3, UP);
    assert!(
        told.contains("insufficient capacity") && told.contains("--instance-type m6i.xlarge"),
        "{told}"
    );
    account.fake.assert_nothing_runs();
}

#[test]
fn the_error_of_a_run_is_that_of_its_report_else_that_of_its_step() {
    let mut script = Script::new(&[
        ("RUNNING", "RUNNING"),
        ("RUNNING", "RUNNING"),
        ("TERMINATED_WITH_ERRORS", "FAILED"),
    ]);
    script.reason = ("STEP_FAILURE", "Shut down as step failed");
    script.failure = json!({"Reason": "Unknown Error.", "LogFile": "s3://b/stderr.gz"});
    let account = Account::new([script.clone(), script]);
    let told = account.fails(3, UP);
    assert!(told.contains("error: the step s-1 of the cluster j-TEST1 is FAILED\n  Unknown Error.\n  log: s3://b/stderr.gz\n"), "{told}");
    assert!(told.contains("/logs/j-TEST1/steps/s-1/ step-log/"), "{told}");

    // The report that the application leaves, as it is written by a run of this machine.
    account.context.write("in.json", "{\"ts\":1}\n");
    account.context.write("out.parquet", "somebody's");
    account.context.run(&[
        "run",
        "in.json",
        "-o",
        "out.parquet",
        "--key",
        "ts",
        "--report",
        "report.json",
    ]);
    let report = account.context.read("report.json");
    let child = account.start("emr up big --plan plan.json --poll 0.05");
    crate::context::wait_for("the second cluster", || account.fake.state().clusters.len() == 2);
    let name = account.fake.state().clusters[1].request["Name"].as_str().unwrap().to_owned();
    account.bucket.put(&format!("distil/{name}/jobs/first/report.json"), report.as_bytes());
    let output = crate::context::end_of(child);
    let told = account.context.told(&output);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("error: out.parquet: the output exists"), "{told}");
    assert!(told.contains("the step s-1 of j-TEST2 is FAILED"), "{told}");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_cluster_that_is_kept_is_ended_if_it_comes_up_in_vain_and_kept_if_a_later_job_fails() {
    let account = Account::new([
        Script::new(&[("STARTING", "PENDING"), ("WAITING", "FAILED")]),
        Script::kept(),
    ]);
    let told = account.fails(3, "emr up big --keep --job events --poll 0");
    assert!(told.contains("the step s-1 of the cluster j-TEST1 is FAILED"), "{told}");
    account.fake.assert_nothing_runs();
    // The script of a step that fails later.
    let account = Account::new([Script::new(&[("STARTING", "PENDING"), ("WAITING", "FAILED")])]);
    account.out("emr up big --keep --poll 0");
    let told = account.fails(3, "emr submit big --job events --poll 0");
    assert!(told.contains("is kept and still runs: distil emr down --cluster j-TEST1"), "{told}");
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn who_is_asked_too_often_is_asked_again() {
    let account = Account::new([Script::good()]);
    let busy = [Fault::Throttled, Fault::Throttled];
    for operation in ["RunJobFlow", "DescribeCluster", "ListSteps", "ListInstances"] {
        account.fake.inject(operation, &busy);
    }
    account.fake.inject("DescribeCluster", &[Fault::Internal, Fault::Cut, Fault::Odd("<html>")]);
    let told = account.context.told(&account.run(UP));
    assert!(told.starts_with("exit: 0") && told.contains("node-seconds  3000"), "{told}");
    // Two were refused; of what was taken, there is one.
    assert_eq!((account.fake.count("RunJobFlow"), account.fake.state().clusters.len()), (3, 1));
    account.fake.assert_nothing_runs();
}

#[test]
fn a_request_whose_answer_is_lost_is_not_sent_again_but_looked_for() {
    for fault in [Fault::Lost, Fault::Odd("{}")] {
        let account = Account::new([Script::good()]);
        let is_lost = matches!(fault, Fault::Lost);
        account.fake.inject("RunJobFlow", &[fault]);
        account.fake.inject("ListClusters", &[Fault::Throttled]);
        let told = account.context.told(&account.run(UP));
        assert_eq!(account.fake.count("RunJobFlow"), 1);
        assert_eq!(told.starts_with("exit: 0"), is_lost, "{told}");
        assert_eq!(account.fake.state().clusters.len(), usize::from(is_lost));
        account.fake.assert_nothing_runs();
    }
    // The same for a step.
    let account = Account::new([Script::kept()]);
    account.out("emr up big --keep --poll 0");
    account.fake.inject("AddJobFlowSteps", &[Fault::Throttled, Fault::Lost]);
    account.out("emr submit big --job events --poll 0");
    assert_eq!(account.fake.count("AddJobFlowSteps"), 2);
    account.fake.inject("AddJobFlowSteps", &[Fault::Cut]);
    let told = account.fails(3, "emr submit big --job events --poll 0");
    assert!(told.contains("output: no step was added"), "{told}");
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_request_that_did_not_arrive_leaves_nothing() {
    let account = Account::new([]);
    account.fake.inject("RunJobFlow", &[Fault::Cut]);
    let told = account.fails(3, UP);
    assert!(
        told.contains("is to be seen, so nothing was created")
            && told.contains("distil emr status"),
        "{told}"
    );
    account.fake.inject(
        "RunJobFlow",
        &[Fault::Refused("ValidationException", "Invalid InstanceProfile: EMR_EC2_DefaultRole.")],
    );
    let told = account.fails(3, UP);
    assert!(
        told.contains("output: nothing was created")
            && told.contains("aws emr create-default-roles"),
        "{told}"
    );
    assert!(account.fake.state().clusters.is_empty());
}

#[test]
fn a_cluster_that_nobody_can_see_is_told_of_and_ended_by_down() {
    let account = Account::new([Script::good()]);
    account.fake.inject("RunJobFlow", &[Fault::Lost]);
    account.fake.inject("ListClusters", &[const { Fault::Internal }; 20]);
    let told = account.fails(3, UP);
    assert!(told.contains("may still run, and cost money"), "{told}");
    assert!(told.contains("output: it is not known whether a cluster was created"), "{told}");
    assert!(told.contains("distil emr down"), "{told}");
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_cluster_that_can_not_be_followed_any_more_is_asked_to_end() {
    let account = Account::new([Script::new(&[("RUNNING", "RUNNING")])]);
    account.fake.inject("DescribeCluster", &[const { Fault::Cut }; 40]);
    let told = account.fails(3, UP);
    assert!(told.contains("may still run, and cost money: it was asked to end, but"), "{told}");
    assert_eq!(account.fake.count("TerminateJobFlows"), 1);
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_cluster_that_does_not_end_is_asked_again_and_told_of() {
    let mut script = Script::kept();
    script.ending = usize::MAX;
    let account = Account::new([script]);
    account.out("emr up big --keep --poll 0");
    let told = account.fails(3, "emr down big --poll 0");
    assert!(told.contains("the cluster j-TEST1 may still run, and cost money: it is still TERMINATING after 80 looks"), "{told}");
    assert!(told.contains("aws emr describe-cluster --cluster-id j-TEST1"), "{told}");
    assert_eq!(account.fake.count("TerminateJobFlows"), 4);
    account.fake.let_go();
    account.out("emr down --cluster j-TEST1 --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_cluster_that_is_protected_is_told_of() {
    let account = Account::new([Script::kept()]);
    account.out("emr up big --keep --poll 0");
    let why = "Could not shut down one or more job flows since they are termination protected.";
    account.fake.inject("TerminateJobFlows", &[Fault::Refused("ValidationException", why)]);
    let told = account.fails(3, "emr down big --poll 0");
    assert!(told.contains("--no-termination-protected"), "{told}");
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn a_cluster_that_is_too_old_or_waits_in_vain_is_ended() {
    let mut old = Script::new(&[("RUNNING", "RUNNING")]);
    old.created = 0;
    let account = Account::new([old, Script::new(&[("WAITING", "PENDING")])]);
    let told = account.fails(3, UP);
    assert!(
        told.contains("error: the cluster j-TEST1 is older than its limit of 120 minutes"),
        "{told}"
    );
    account.fake.assert_nothing_runs();
    let told = account.fails(3, UP);
    assert!(
        told.contains(
            "error: the cluster j-TEST2 waits for steps, and should end after its last one"
        ),
        "{told}"
    );
    account.fake.assert_nothing_runs();
}

#[test]
fn what_is_older_than_its_limit_is_shown_as_left_running() {
    let mut old = Script::new(&[("RUNNING", "RUNNING")]);
    old.created = 0;
    let account = Account::new([old]);
    account.out("emr up big --plan plan.json --detach");
    assert!(account.out("emr status").contains("LEFT RUNNING: it is older than its 120 minutes"));
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn nothing_is_asked_for_what_costs_too_much_or_is_not_trusted() {
    let account = Account::new([]);
    let told = account.fails(2, &format!("{UP} --nodes 100"));
    assert!(
        told.contains("the cluster may cost 57.08 dollars, and at most 5.00 are allowed"),
        "{told}"
    );
    assert!(told.contains("help: or allow more: --max-cost 57.08"), "{told}");
    let told = account.fails(2, "emr up big --poll 0");
    assert!(told.contains("a cluster without a job would end as soon as it has started"), "{told}");
    account.context.write("distil.toml", account.configuration() + "\n");
    let told = account.fails(2, UP);
    assert!(
        told.contains("is not trusted, so nothing of its section emr.big is asked of AWS"),
        "{told}"
    );
    assert!(told.contains("help: or trust it for this run: --config distil.toml"), "{told}");
    assert!(account.fake.state().calls.is_empty() && account.bucket.keys().is_empty());
}

#[test]
fn a_server_that_answers_anything_makes_no_panic() {
    let odd = [
        "",
        "null",
        "[]",
        "7",
        "{\"Cluster\":",
        "{\"Cluster\":{\"Id\":\"j-1\",\"Status\":{\"State\":\"\\u001b[2J\"}}}",
        "{\"Cluster\":{\"Id\":7,\"Status\":[]}}",
        "{\"Steps\":[null,7],\"Clusters\":[[]],\"Instances\":[{}]}",
        "{\"JobFlowId\":\"j-1; rm -rf\"}",
        "{\"Clusters\":[{\"Id\":\"j-9\"}]}",
    ];
    let account = Account::new(odd.map(|_| Script::good()));
    let runs = |words: &str, text: &str| {
        let output = account.run(words);
        let told = account.context.told(&output);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{words} of {text}: {told}");
        assert!(!told.contains('\u{1b}'), "{told}");
    };
    for text in odd {
        for operation in ["DescribeCluster", "ListSteps", "ListInstances"] {
            account.fake.inject(operation, &[Fault::Odd(text)]);
        }
        runs(UP, text);
        account.fake.assert_nothing_runs();
    }
    account
        .fake
        .add(json!({"Name": "n", "Tags": [{"Key": "distil", "Value": "big"}], "Instances": {}}));
    for text in &odd[6..] {
        account.fake.inject("RunJobFlow", &[Fault::Odd(text)]);
        runs(UP, text);
        for operation in ["ListClusters", "DescribeCluster"] {
            account.fake.inject(operation, &[Fault::Odd(text)]);
        }
        runs("emr status --poll 0", text);
    }
    account.out("emr down big --poll 0");
    account.fake.assert_nothing_runs();
}

#[test]
fn without_a_client_and_without_keys_it_says_what_to_install_and_set() {
    let account = Account::new([]);
    let bare = account.context.path("bare");
    std::fs::create_dir(&bare).unwrap();
    let output =
        account.command("emr status", &account.fake.address).env("PATH", &bare).output().unwrap();
    let told = account.context.told(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains("neither the command aws nor boto3 is there")
            && told.contains("pip install boto3"),
        "{told}"
    );
    let mut keyless = account.command("emr status --poll 0", &account.fake.address);
    keyless.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let told = account.context.told(&keyless.output().unwrap());
    assert!(told.starts_with("exit: 3") && told.contains("aws configure"), "{told}");
    let mut placeless = account.command("emr status --poll 0", &account.fake.address);
    placeless.env_remove("AWS_REGION");
    let told = account.context.told(&placeless.output().unwrap());
    assert!(told.starts_with("exit: 3") && told.contains("export AWS_REGION=us-east-1"), "{told}");
}
