//! A plan as a job of a cluster.

use std::path::Path;

use distil_plan::{Error, Plan, Result, scheme};

/// The plan as its step reads it.
///
/// # Errors
/// A usage error for places that the nodes don't see: files of this machine, and standard input.
pub fn plan_text(plan: &Plan) -> Result<String> {
    let mut places: Vec<String> = plan.sources.clone();
    places.push(plan.sink.path.to_string());
    places.extend(plan.quarantine.path.iter().map(ToString::to_string));
    places.extend(plan.dropped.iter().map(ToString::to_string));
    let is_seen = |place: &String| scheme(Path::new(place)).is_some_and(|scheme| scheme != "file");
    let hidden: Vec<&String> = places.iter().filter(|place| !is_seen(place)).collect();
    if !hidden.is_empty() {
        let error = Error::usage("the nodes of a cluster don't see files of this machine");
        let error = hidden.iter().take(10).fold(error, |error, place| error.detail(place.as_str()));
        return Err(error
            .output("nothing was asked of AWS")
            .help("copy the input: aws s3 cp --recursive incoming/ s3://BUCKET/incoming/")
            .help("and write the plan for it: distil plan s3://BUCKET/incoming/ -o s3://BUCKET/events/ --key ts > plan.json"));
    }
    serde_json::to_string_pretty(plan)
        .map_err(|error| Error::bug(format!("the plan has no JSON form: {error}")))
}

#[cfg(test)]
mod tests {
    use distil_plan::Sink;

    use super::*;

    #[test]
    fn a_plan_of_files_of_this_machine_is_refused_by_their_names() {
        let mut plan = Plan::new(vec!["s3://b/in/".into()], Sink::new("s3://b/out/"));
        assert!(plan_text(&plan).unwrap().contains("s3://b/in/"));
        plan.sources.push("incoming/".into());
        plan.quarantine.path = Some("file:///bad.ndjson".into());
        let error = plan_text(&plan).unwrap_err();
        assert_eq!(error.details, ["incoming/", "/bad.ndjson"]);
    }
}
