//! Layers, precedence, and the errors of a configuration.

use std::path::Path;

use distil_plan::{Fault, Keep};
use distil_storage::Memory;

use super::*;
use crate::backends::Entry;

/// Reads these files in an environment of these variables.
fn read(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Configuration> {
    read_named(files, variables, None)
}

fn read_named(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
    named: Option<&str>,
) -> Result<Configuration> {
    let storage = Memory::new();
    for directory in ["conf", "home", "home/distil"] {
        storage.put_dir(directory);
    }
    for (path, text) in files {
        storage.put(path, text);
    }
    let variables: Vec<(String, String)> = variables
        .iter()
        .chain(&[("XDG_CONFIG_HOME", "home")])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Configuration::read_with(&storage, named.map(Path::new), &variables)
}

/// The error as it is printed, with its advice.
fn wrong(files: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
    let error = read(files, variables).unwrap_err();
    assert_eq!(error.fault, Fault::Usage);
    std::iter::once(error.to_string())
        .chain(error.hints.iter().map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn the_first_source_that_knows_an_option_counts() {
    let user =
        ("home/distil/distil.toml", "[backends.c]\nengine='native'\nthreads=1\nmemory='1GiB'");
    let here = ("distil.toml", "[backends.c]\nthreads=2\ntemp_dir='t'");
    let named = ("conf/other.toml", "[backends.c]\nthreads=3");
    let threads = |found: Result<Configuration>| found.unwrap().backends["c"].threads;
    assert_eq!(threads(read(&[user], &[])), Some(1));
    assert_eq!(threads(read(&[user, here], &[])), Some(2));
    let all = read_named(&[user, here, named], &[], Some("conf/other.toml")).unwrap();
    let found = &all.backends["c"];
    assert_eq!((found.threads, found.memory), (Some(3), Some(Size(1 << 30))));
    // A named file stands for the one that lies here.
    assert_eq!(found.temp_dir, None);
    let forced = [("DISTIL_BACKENDS__C__THREADS", "4")];
    assert_eq!(
        threads(read_named(&[user, here, named], &forced, Some("conf/other.toml"))),
        Some(4)
    );
}

#[test]
fn the_backend_is_what_the_strongest_says() {
    let file = ("distil.toml", "backend = 'file'");
    let (asked, job) = (Some("flag"), Some("job"));
    let forced = read(&[file], &[("DISTIL_BACKEND", "variable")]).unwrap();
    assert_eq!(forced.chosen(asked, job), "flag");
    assert_eq!(forced.chosen(None, job), "variable");
    let named = read(&[file], &[]).unwrap();
    assert_eq!(named.chosen(None, job), "job");
    assert_eq!(named.chosen(None, None), "file");
    assert_eq!(read(&[], &[]).unwrap().chosen(None, None), "default");
}

#[test]
fn an_option_that_does_not_exist_is_named_with_the_nearest() {
    assert_eq!(
        wrong(&[("distil.toml", "[backends.c]\nmemroy='1GiB'")], &[]),
        "distil.toml: there is no option backends.c.memroy | the nearest is backends.c.memory"
    );
    assert_eq!(
        wrong(&[("distil.toml", "[job.a]\nkey='x'")], &[]),
        "distil.toml: there is no option job | the nearest is jobs"
    );
    assert_eq!(
        wrong(&[("home/distil/distil.toml", "[jobs.a]\norder='x'")], &[]),
        "home/distil/distil.toml: there is no option jobs.a.order | the nearest is jobs.a.order_by"
    );
    assert_eq!(
        wrong(&[], &[("DISTIL_BACKENDS__C__ULR", "sc://x")]),
        "environment: there is no option DISTIL_BACKENDS__C__ULR | the nearest is \
         DISTIL_BACKENDS__C__URL"
    );
    assert_eq!(
        wrong(&[], &[("DISTIL_BACKENDS_C_URL", "sc://x")]),
        "environment: DISTIL_BACKENDS_C_URL: no environment variable of this name sets an option | \
         write DISTIL_BACKEND=NAME or DISTIL_BACKENDS__NAME__OPTION=VALUE"
    );
    assert_eq!(
        wrong(&[("distil.toml", "[backends]\nc = 'sc://x'")], &[]),
        "distil.toml: backends.c is not a table | write [backends.NAME] and the options below it"
    );
}

#[test]
fn a_backend_has_a_name_that_the_environment_can_spell() {
    for name in ["Prod", "a__b", "\"a b\""] {
        let text = wrong(&[("distil.toml", &format!("[backends.{name}]\nengine='native'"))], &[]);
        assert!(text.contains("can't be the name of a backend"), "{text}");
    }
    let variables = [("DISTIL_BACKENDS__MY_2ND-ONE__ENGINE", "pandas")];
    let found = read(&[], &variables).unwrap();
    assert_eq!(found.backends["my_2nd-one"].engine.as_deref(), Some("pandas"));
}

#[test]
fn a_value_that_cannot_be_meant_says_where_it_stands() {
    assert_eq!(
        wrong(&[("distil.toml", "[jobs.a]\nkeep='newest'")], &[]),
        "distil.toml: jobs.a.keep: `newest` is not `first` or `last`"
    );
    assert_eq!(
        wrong(&[("distil.toml", "[backends.c]\nthreads=true")], &[]),
        "distil.toml: backends.c.threads: a whole number is expected, not bool true"
    );
    let text = wrong(&[], &[("DISTIL_BACKENDS__C__MEMORY", "lots")]);
    assert!(text.starts_with("environment: DISTIL_BACKENDS__C__MEMORY: "), "{text}");
    // The line is not shown: it may hold a secret.
    let text = wrong(&[("distil.toml", "\n[backends.c]\ntoken = hunter2")], &[]);
    assert!(text.starts_with("distil.toml: line 3: ") && !text.contains("hunter2"), "{text}");
}

#[test]
fn flags_and_files_refuse_a_value_with_the_same_words() {
    let told = |error: &Error, place: &str| {
        let what = error.what.strip_prefix(place).unwrap().to_owned();
        [vec![what], error.hints.iter().map(ToString::to_string).collect()].concat()
    };
    let mut refused = 0;
    for option in JobOptions::OPTIONS {
        let text = "no, such: value ::";
        let file = format!("[jobs.a]\n{} = '{text}'", option.name);
        let by_file = read(&[("distil.toml", &file)], &[]);
        let by_flag = JobOptions::of_flags(vec![(option.name, vec![text.to_owned()])]);
        match (by_file, by_flag) {
            (Ok(by_file), Ok(by_flag)) => assert_eq!(by_file.jobs["a"], by_flag),
            (Err(by_file), Err(by_flag)) => {
                let by_file = told(&by_file, &format!("jobs.a.{}: ", option.name));
                assert_eq!(by_file, told(&by_flag, &format!("{}: ", option.spelled())));
                refused += 1;
            }
            (by_file, by_flag) => panic!("{}: {by_file:?}, {by_flag:?}", option.name),
        }
        for choice in option.choices {
            let chosen = JobOptions::of_flags(vec![(option.name, vec![(*choice).to_owned()])]);
            assert_eq!(chosen.unwrap().names(), [option.name]);
        }
    }
    // All but paths, the names of backends, texts for null, and the schema, whose file may not be there yet.
    assert_eq!(refused, JobOptions::OPTIONS.len() - 9);
    let flag = |name, texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        JobOptions::of_flags(vec![(name, texts)])
    };
    assert_eq!(flag("digest", &[]).unwrap().digest, Some(true));
    let types = flag("types", &["a.b=date", "c=decimal(9, 2)"]).unwrap().types.unwrap().0;
    assert_eq!(types.len(), 2);
    assert_eq!(flag("types", &["a"]).unwrap_err().to_string(), "--type: `a` is not NAME=TYPE");
    assert_eq!(
        flag("order_by", &["a up"]).unwrap_err().to_string(),
        "--order-by: cannot read `up` in the order `a up`"
    );
}

#[test]
fn secrets_come_from_the_environment_and_are_never_shown() {
    let text = wrong(&[("distil.toml", "[backends.c]\ntoken='hunter2'")], &[]);
    assert_eq!(
        text,
        "distil.toml: backends.c.token: a secret must not stand here | set \
         DISTIL_BACKENDS__C__TOKEN, or name a file that holds it: token_file = \"PATH\""
    );
    let text = wrong(&[("distil.toml", "[backends.c]\nurl='sc://h:1/;token=hunter2'")], &[]);
    assert!(text.contains("backends.c.url") && !text.contains("hunter2"), "{text}");
    let variables = [
        ("DISTIL_BACKENDS__C__TOKEN", "hunter2"),
        ("DISTIL_BACKENDS__C__URL", "sc://u:hunter2@h:1/;x=1;token=hunter2"),
    ];
    let found = read(&[], &variables).unwrap();
    assert_eq!(found.backends["c"].token.as_ref().unwrap().reveal(), "hunter2");
    assert!(!format!("{:?}", found.backends["c"].token).contains("hunter2"));
    let entry = Entry::find(&found, "c").unwrap();
    assert_eq!(entry.place(), "sc://u:***@h:1/;x=1;token=***");
    assert_eq!(entry.token(&Memory::new()).unwrap().unwrap().reveal(), "hunter2");
    let text = "[backends.c]\nurl='sc://h:1'\ntoken_file='secret'";
    let of_file = Entry::find(&read(&[("distil.toml", text)], &[]).unwrap(), "c").unwrap();
    let storage = Memory::new();
    assert!(of_file.token(&storage).is_err());
    storage.put("secret", "hunter3\n");
    assert_eq!(of_file.token(&storage).unwrap().unwrap().reveal(), "hunter3");
    let by_url = Entry::find(&found, "sc://h:1/;token=hunter2").unwrap();
    assert_eq!(by_url.name, "sc://h:1/;token=***");
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let text = "[backends.p]\nengine='pandas'\npython='.venv/bin/python'\n\
                [backends.q]\nengine='pandas'\npython='python3.12'\n\
                [jobs.a]\nsource=['in/', '/abs/*.json', '-']\noutput='out.parquet'\nkey='k'";
    let other = read_named(&[("conf/d.toml", text)], &[], Some("conf/d.toml")).unwrap();
    let job = &other.jobs["a"];
    let sources = ["conf/in/", "/abs/*.json", "-"].map(str::to_owned).to_vec();
    assert_eq!(job.source, Some(PathTexts(sources)));
    assert_eq!(job.output, Some(PathText("conf/out.parquet".into())));
    let python = |name: &str| other.backends[name].python.clone().unwrap().0;
    assert_eq!(python("p"), ["conf/.venv/bin/python"]);
    assert_eq!(python("q"), ["python3.12"]);
    let here = read(&[("distil.toml", text)], &[]).unwrap();
    assert_eq!(here.jobs["a"].output, Some(PathText("out.parquet".into())));
    // The environment is where the command runs, whatever the files say.
    let forced = [("DISTIL_BACKENDS__P__PYTHON", "v/python")];
    let forced = read_named(&[("conf/d.toml", text)], &forced, Some("conf/d.toml")).unwrap();
    assert_eq!(forced.backends["p"].python.clone().unwrap().0, ["v/python"]);
}

#[test]
fn a_job_is_a_plan() {
    let text = "[jobs.events]\nsource=['incoming/']\noutput='events.parquet'\nkey=['ts']\n\
                order_by=['id', 'data desc']\nkeep='last'\nquarantine='bad.ndjson'\n\
                max_quarantined='1%'\ntypes={ 'a.b'='date' }\nmax_record='1MiB'\ndigest=true\n\
                columns=['ts', 'id']\ncompression='zstd:9'\nshape='/records'";
    let found = read(&[("distil.toml", text)], &[]).unwrap();
    let plan = found.job("events").unwrap().plan(&Memory::new()).unwrap();
    let expected = r#"{"version":1,"sources":["incoming/"],"shape":"auto","records":"/records",
        "schema":{"hints":[["a.b","date"]]},"extra_members":"error",
        "dedup":{"key":{"columns":["ts"]},"order_by":[{"column":"id","direction":"asc"},
        {"column":"data","direction":"desc"}],"keep":"last","null_keys":"error",
        "on_conflict":"keep"},"columns":["ts","id"],
        "quarantine":{"path":"bad.ndjson","max":{"percent":1.0}},"max_record":1048576,
        "digest":true,"assume_valid":false,"sink":{"path":"events.parquet","layout":"file",
        "mode":"error","compression":"zstd:9","row_group_rows":1048576}}"#;
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(serde_json::to_value(&plan).unwrap(), expected);
    // A flag is stronger than the job.
    let flags = JobOptions { keep: Some(Keep::First), ..JobOptions::default() };
    let plan = flags.or(found.jobs["events"].clone()).plan(&Memory::new()).unwrap();
    assert_eq!(plan.dedup.unwrap().keep, Keep::First);
    let error = found.job("event").unwrap_err();
    assert_eq!(
        (error.what, error.hints),
        ("there is no job `event`".into(), vec!["the configuration has: events".into()])
    );
}

#[test]
fn a_backend_is_found_by_its_name_its_engine_or_its_url() {
    let text = "[backends.reference]\nengine='pandas'\n[backends.cluster]\nurl='sc://h:1'\n\
                [backends.odd]\nthreads=1\n[backends.both]\nengine='native'\nurl='sc://h:1'\n\
                [backends.wrong]\nengine='native'\npython='python3'\n\
                [backends.typo]\nengine='panda'";
    let found = read(&[("distil.toml", text)], &[]).unwrap();
    let engine = |name: &str| Entry::find(&found, name).map(|entry| entry.engine);
    for (name, expected) in [
        ("reference", "pandas"),
        ("cluster", "spark"),
        ("default", "native"),
        ("native", "native"),
        ("pandas", "pandas"),
        ("sc://h:1", "spark"),
    ] {
        assert_eq!(engine(name).unwrap(), expected);
    }
    let says = |name: &str| {
        let error = engine(name).unwrap_err();
        assert_eq!(error.fault, Fault::Usage);
        std::iter::once(error.what.clone())
            .chain(error.hints.iter().map(ToString::to_string))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    assert_eq!(
        says("odd"),
        "the backend odd has no engine | add engine = \"NAME\": native, pandas, external, spark, \
         spark-submit"
    );
    assert_eq!(says("both"), "the backend both has the engine native, but its URL means spark");
    assert_eq!(
        says("wrong"),
        "the backend wrong has the option `python`, which the engine native does not know | it \
         knows: engine, threads, memory, temp_dir"
    );
    assert_eq!(
        says("typo"),
        "the backend typo has the engine `panda`, which does not exist | the nearest is pandas"
    );
    assert_eq!(
        says("http://h"),
        "no engine is reached by the URL http://h | URLs are: sc://HOST:PORT"
    );
    assert!(says("referense").starts_with(
        "there is no backend `referense` | the nearest is reference; there are: both, cluster, "
    ));
}

#[test]
fn properties_of_spark_are_a_table_or_texts_and_never_secrets() {
    let section =
        "[backends.cluster]\nengine='spark-submit'\nmaster='yarn'\n[backends.cluster.conf]\n";
    let conf = |text: &str, variables: &[(&str, &str)]| {
        let found = read(&[("distil.toml", &format!("{section}{text}"))], variables).unwrap();
        let properties = found.backends["cluster"].conf.clone().unwrap().0;
        properties.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    // Without quotes the dots of TOML make tables.
    let expected = ["spark.executor.cores=2", "spark.executor.memory=2g", "spark.ui.enabled=false"];
    let quoted = "'spark.executor.memory'='2g'\n'spark.executor.cores'=2\n'spark.ui.enabled'=false";
    assert_eq!(conf(quoted, &[]), expected);
    assert_eq!(conf(&quoted.replace('\'', "").replace("2g", "'2g'"), &[]), expected);
    let variable = ("DISTIL_BACKENDS__CLUSTER__CONF", "spark.app.name=a=b");
    assert_eq!(conf("", &[variable]), ["spark.app.name=a=b"]);
    for secret in ["'spark.hadoop.fs.s3a.secret.key'='hunter2'", "'spark.x'='sc://me:hunter2@h'"] {
        let told = wrong(&[("distil.toml", &format!("{section}{secret}"))], &[]);
        assert!(
            told.contains("a secret must not stand here | set it in spark-defaults.conf"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
    let found = read(&[("distil.toml", section)], &[]).unwrap();
    let entry = Entry::find(&found, "cluster").unwrap();
    assert_eq!((entry.engine, entry.place().as_str()), ("spark-submit", "yarn"));
    assert!(entry.is_untrusted);
}

#[test]
fn no_part_of_a_secret_is_left_in_a_text() {
    for (text, shown) in [
        ("sc://me:hunter2@host:15002/;x=1", "sc://me:***@host:15002/;x=1"),
        // A password may hold the marks of a URL.
        ("sc://me:hun@ter2@host:1", "sc://me:***@host:1"),
        ("sc://me:hun:ter2@host:1", "sc://me:***@host:1"),
        ("sc://me:hun/ter2@host:1", "sc://me:***@host:1"),
        ("sc://me:123@host:1", "sc://me:***@host:1"),
        // Mistyped, a URL is still one.
        ("sc:/me:hunter2@host", "sc:/me:***@host"),
        ("sc//me:hunter2@host", "sc//me:***@host"),
        ("me:hunter2@host", "me:***@host"),
        ("host:1;token=hunter2&b=1", "host:1;token=***&b=1"),
        // What is none.
        ("sc://host:15002/;user_id=me@example", "sc://host:15002/;user_id=me@example"),
        ("sc://host:15002/;session_id=00112233", "sc://host:15002/;session_id=00112233"),
        ("data/key=5/part", "data/key=5/part"),
        ("plain", "plain"),
    ] {
        assert_eq!(redact(text), shown);
    }
}

#[test]
fn a_program_gives_options_as_a_file_would_and_is_told_their_names() {
    let values = |json: serde_json::Value| json.as_object().unwrap().clone();
    let told = |json| {
        JobOptions::of_values(&values(json)).map_err(|error| {
            let hints: Vec<String> = error.hints.iter().map(ToString::to_string).collect();
            format!("{error} | {}", hints.join(" | "))
        })
    };
    let options = told(serde_json::json!({
        "key": ["ts", "a.b"], "types": {"ts": "int64"}, "max_record": "1MiB", "digest": true, "mode": null,
    }));
    let options = options.unwrap();
    assert_eq!(options.names(), ["key", "types", "max_record", "digest"]);
    assert_eq!(options.max_record, Some(Size(1 << 20)));
    assert_eq!(
        told(serde_json::json!({"keep": "none"})).unwrap_err(),
        "keep: `none` is not `first` or `last` | "
    );
    assert_eq!(
        told(serde_json::json!({"order": "ts"})).unwrap_err(),
        "there is no option order | the nearest is order_by"
    );
    let named = serde_json::json!({
        "backend": "b", "backends": {"b": {"engine": "native", "threads": 3}},
        "jobs": {"j": {"source": "in", "output": "o.parquet", "key": "id"}},
    });
    let read = Configuration::read_values(&Memory::new(), &values(named)).unwrap();
    assert_eq!(read.backends["b"].threads, Some(3));
    assert!(read.job("j").is_ok() && read.chosen(None, None) == "b");
    let wrong = serde_json::json!({"jobs": {"j": {"kye": "id"}}});
    let error = Configuration::read_values(&Memory::new(), &values(wrong)).unwrap_err();
    assert_eq!(error.to_string(), "there is no option jobs.j.kye");
}
