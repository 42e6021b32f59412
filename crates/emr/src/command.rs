//! The request that creates a cluster as a command of `aws`, whose options are not those of the API.

use serde_json::{Value, json};

/// The words after `aws` that send this request `RunJobFlow`.
pub fn create_cluster(request: &Value) -> Vec<String> {
    let mut words = vec!["emr".to_owned(), "create-cluster".to_owned()];
    let mut option = |name: &str, value: &Value| {
        let text = match value {
            Value::Null => return,
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        words.extend([format!("--{name}"), text]);
    };
    let instances = &request["Instances"];
    option("name", &request["Name"]);
    option("release-label", &request["ReleaseLabel"]);
    option("log-uri", &request["LogUri"]);
    option("service-role", &request["ServiceRole"]);
    option("ec2-attributes", &attributes(request));
    option("instance-groups", &list(&instances["InstanceGroups"], group));
    option("ebs-root-volume-size", &request["EbsRootVolumeSize"]);
    option("bootstrap-actions", &list(&request["BootstrapActions"], bootstrap_action));
    option("configurations", &request["Configurations"]);
    option("auto-termination-policy", &request["AutoTerminationPolicy"]);
    if request["Steps"].is_array() {
        option("steps", &list(&request["Steps"], step));
    }
    words.push("--applications".to_owned());
    words.extend(texts(&request["Applications"], |one| {
        Some(format!("Name={}", one["Name"].as_str()?))
    }));
    words.push("--tags".to_owned());
    words.extend(texts(&request["Tags"], |tag| {
        Some(format!("{}={}", tag["Key"].as_str()?, tag["Value"].as_str()?))
    }));
    let is_kept = instances["KeepJobFlowAliveWhenNoSteps"] == true;
    words.push(if is_kept { "--no-auto-terminate" } else { "--auto-terminate" }.to_owned());
    words.extend(["--no-termination-protected".to_owned(), "--visible-to-all-users".to_owned()]);
    words
}

/// A step, as the command has it.
pub fn step(step: &Value) -> Value {
    let jar = &step["HadoopJarStep"];
    json!({
        "Type": "CUSTOM_JAR",
        "Name": step["Name"],
        "ActionOnFailure": step["ActionOnFailure"],
        "Jar": jar["Jar"],
        "Args": jar["Args"],
    })
}

/// A command line for a shell, an option a line.
pub fn pasted(program: &str, words: &[String]) -> String {
    let mut text = program.to_owned();
    for word in words {
        // What holds a zero byte is no word of a command, and none is made here.
        let quoted = shlex::try_quote(word).unwrap_or_default();
        let before = if word.starts_with("--") { " \\\n  " } else { " " };
        text.push_str(before);
        text.push_str(&quoted);
    }
    text + "\n"
}

fn attributes(request: &Value) -> Value {
    let instances = &request["Instances"];
    let all = [
        ("InstanceProfile", &request["JobFlowRole"]),
        ("SubnetId", &instances["Ec2SubnetId"]),
        ("KeyName", &instances["Ec2KeyName"]),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn group(group: &Value) -> Value {
    json!({
        "Name": group["Name"],
        "InstanceGroupType": group["InstanceRole"],
        "InstanceType": group["InstanceType"],
        "InstanceCount": group["InstanceCount"],
        "EbsConfiguration": group["EbsConfiguration"],
    })
}

fn bootstrap_action(action: &Value) -> Value {
    let script = &action["ScriptBootstrapAction"];
    json!({"Name": action["Name"], "Path": script["Path"], "Args": script["Args"]})
}

fn list(values: &Value, make: fn(&Value) -> Value) -> Value {
    values.as_array().into_iter().flatten().map(make).collect()
}

fn texts(values: &Value, make: fn(&Value) -> Option<String>) -> Vec<String> {
    values.as_array().into_iter().flatten().filter_map(make).collect()
}
