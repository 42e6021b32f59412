//! What pages of help say besides the options: examples, which come first.

/// A page of help: what the command does, how it is called, examples, all options.
pub(crate) const TEMPLATE: &str =
    "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}";

pub(crate) const DISTIL: &str = "\
Examples:
  distil run incoming/ -o events.parquet --key ts --order-by 'id, data'
  distil schema incoming/ --why
  distil verify events.parquet";

pub(crate) const RUN: &str = "\
Examples:
  One row for every instant, the one with the smallest id and data:
    distil run incoming/ -o events.parquet --key ts --order-by 'id, data'

  The newest version of every customer, bad records set aside:
    distil run 'dump/*.json.gz' -o customers/ --key id --order-by updated --keep last \\
      --quarantine customers.bad.ndjson

  From standard input, exact copies dropped:
    cat events.ndjson | distil run - -o events.parquet --key '*'";

pub(crate) const REPLAY: &str = "\
Examples:
  distil replay events.bad.ndjson -o mended.parquet";

pub(crate) const PLAN: &str = "\
Examples:
  distil plan incoming/ -o events.parquet --key ts > plan.json
  distil run --plan plan.json";

pub(crate) const GENERATE: &str = "\
Examples:
  distil generate data --files 20 --records 45000 --duplicates 5000 --spread 50%
  distil verify events.parquet data.answer.json";

pub(crate) const SCHEMA: &str = "\
Examples:
  distil schema incoming/ --why
  distil schema incoming/ --json > schema.json
  distil run incoming/ -o events.parquet --key ts --schema schema.json";

pub(crate) const HEAD: &str = "\
Examples:
  distil head events.parquet -n 3 | jq .id";

pub(crate) const VERIFY: &str = "\
Examples:
  distil verify events.parquet
  distil verify events.parquet other.parquet
  distil verify events.parquet report.json";

pub(crate) const AUDIT: &str = "\
Examples:
  distil audit events/eventlog_v2_application_1795574059731_0001 --nodes 3
  distil audit application_1795574059731_0001 --from http://history:18080 \\
    --cluster http://resourcemanager:8088 --report audit.html
  distil audit http://driver:4040 --cluster http://master:8080 --watch";

pub(crate) const AUDIT_STATUSES: &str = "\
Exit status: 0 every node worked; 1 one did not, or there is no such application; 2 usage; 3 the
environment.";

pub(crate) const BACKENDS: &str = "\
Examples:
  distil backends
  distil backends check spark";

pub(crate) const EMR: &str = "\
Examples:
  distil emr plan big --plan plan.json
  distil emr up big --plan plan.json
  distil emr status
  distil emr down big";

pub(crate) const EMR_PLAN: &str = "\
Examples:
  distil emr plan big --plan plan.json
  distil emr plan big --nodes 5 --print command";

pub(crate) const EMR_UP: &str = "\
Examples:
  A cluster for one job, which ends after it:
    distil plan s3://my-bucket/incoming/ -o s3://my-bucket/events/ --key ts > plan.json
    distil emr up big --plan plan.json

  A cluster that waits for jobs:
    distil emr up big --keep --idle-minutes 10";

pub(crate) const EMR_SUBMIT: &str = "\
Examples:
  distil emr submit big --plan plan.json";

pub(crate) const EMR_STATUS: &str = "\
Examples:
  distil emr status
  distil emr status big --json";

pub(crate) const EMR_DOWN: &str = "\
Examples:
  distil emr down big
  distil emr down --cluster j-2AXXXXXXGAPLF";

pub(crate) const TRUST: &str = "\
Examples:
  distil trust distil.toml";

pub(crate) const EXIT_STATUSES: &str = "\
Exit status: 0 done; 1 the input is at fault; 2 usage; 3 the environment; 4 committed, but the
report or a final sync failed; 5 the output exists or is locked; 130, 143 interrupted.";
