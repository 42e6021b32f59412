//! The same commands on moto, which nobody here wrote. It moves no state, so a step is added and not followed.

use std::process::Command;

use serde_json::Value;

use crate::account::Account;
use crate::context::end_of;

#[test]
fn a_cluster_lives_on_moto() {
    let account = Account::new([]);
    let run = |arguments: &str| {
        let mut command: Command = account.command(arguments, &account.bucket.address);
        // The tests of a server share its clusters: this section is named by no other.
        let output = end_of(command.spawn().unwrap());
        assert!(output.status.success(), "{}", account.context.told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let section = account.bucket.name.clone();
    account
        .context
        .configure(account.configuration().replace("emr.big", &format!("emr.{section}")));
    let up: Value =
        serde_json::from_str(&run(&format!("emr up {section} --keep --poll 0 --json"))).unwrap();
    let id = up["cluster"].as_str().unwrap();
    assert!(id.starts_with("j-") && up["runs"] == true, "{up}");
    let shown: Value = serde_json::from_str(&run(&format!("emr status {section} --json"))).unwrap();
    assert_eq!(
        (&shown[0]["cluster"], &shown[0]["state"]),
        (&up["cluster"], &Value::from("WAITING"))
    );
    assert_eq!(shown[0]["receipt"]["nodes"][0]["count"], 3);
    assert_eq!(shown[0]["receipt"]["release"], "emr-7.13.0");
    run(&format!("emr submit {section} --job events --detach"));
    let shown: Value = serde_json::from_str(&run(&format!("emr status {section} --json"))).unwrap();
    assert_eq!(shown[0]["steps"], 1);
    let receipt = run(&format!("emr down {section} --poll 0"));
    assert!(receipt.contains(&format!("cluster       {id} distil-{section}-")), "{receipt}");
    // No less is paid than a minute of each.
    assert!(
        receipt.contains("\nnode-seconds  ") && receipt.contains("asked by distil emr down"),
        "{receipt}"
    );
    assert_eq!(run(&format!("emr status {section}")), "no cluster of distil runs\n");
}
