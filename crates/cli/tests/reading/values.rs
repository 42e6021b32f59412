//! Values in another spelling, by declaration.

use crate::context::Context;

/// What a run says, and the rows that it leaves.
fn run(context: &Context, sources: &[&str], flags: &[&str]) -> (String, String) {
    let rest = ["-o", "out.parquet", "--mode", "overwrite"];
    let said = context.run(&[&["run"], sources, &rest, flags].concat());
    (said, context.out(&["head", "out.parquet"]))
}

/// The rows of a run over one file.
fn rows(lines: &str, flags: &[&str]) -> String {
    let context = Context::new();
    context.write("in.ndjson", lines);
    let (said, rows) = run(&context, &["in.ndjson"], flags);
    assert!(said.starts_with("exit: 0"), "{said}");
    rows
}

/// What a run over one file says that fails.
fn refused(lines: &str, flags: &[&str]) -> String {
    let context = Context::new();
    context.write("in.ndjson", lines);
    let rest = ["run", "in.ndjson", "-o", "out.parquet"];
    let said = context.run(&[&rest, flags].concat());
    assert!(!said.starts_with("exit: 0"), "{said}");
    assert!(!context.path("out.parquet").exists());
    said
}

#[test]
fn words_that_everybody_types_are_types() {
    let lines = "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":1}\n";
    for word in ["int", "bigint", "BIGINT", "long", "integer", "smallint", "float", "double"] {
        let flag = format!("v={word}");
        assert!(rows(lines, &["--key", "id", "--type", &flag]).contains("\"v\":1"), "{word}");
    }
    for word in ["varchar", "text", "str", "string"] {
        let flag = format!("v={word}");
        assert!(rows(lines, &["--key", "id", "--type", &flag]).contains("\"v\":\"1\""), "{word}");
    }
    let times = "{\"id\":1,\"v\":\"2024-01-01T00:00:00.5Z\"}\n";
    for word in ["timestamp", "datetime", "timestamptz"] {
        let flag = format!("v={word}");
        let found = rows(times, &["--key", "id", "--type", &flag]);
        assert!(found.contains("2024-01-01T00:00:00.500000Z"), "{word}: {found}");
    }
    for (word, better) in [
        ("number", "write int64, float64 or decimal(p,s)"),
        ("strnig", "did you mean `string`?"),
        ("list<int46>", "did you mean `int64`?"),
    ] {
        let said = refused(lines, &["--key", "id", "--type", &format!("v={word}")]);
        assert!(said.starts_with("exit: 2") && said.contains(better), "{said}");
    }
}

#[test]
fn one_flag_reads_ids_that_were_numbers_and_are_strings() {
    let context = Context::new();
    context.write("old.ndjson", "{\"id\":101,\"v\":1}\n{\"id\":102,\"v\":1}\n");
    context.write("new.ndjson", "{\"id\":\"102\",\"v\":2}\n{\"id\":\"103\",\"v\":2}\n");
    let flags = ["--key", "id", "--order-by", "v desc", "--type"];
    let sources = ["old.ndjson", "new.ndjson"];
    let (said, rows) = run(&context, &sources, &[&flags[..], &["id=string"]].concat());
    assert_eq!(
        rows,
        "{\"id\":\"101\",\"v\":1}\n{\"id\":\"102\",\"v\":2}\n{\"id\":\"103\",\"v\":2}\n"
    );
    assert!(
        said.contains("converted           2  id, of the key, first at old.ndjson byte 0"),
        "{said}"
    );
    let (said, rows) = run(&context, &sources, &[&flags[..], &["id=int64"]].concat());
    assert_eq!(rows, "{\"id\":101,\"v\":1}\n{\"id\":102,\"v\":2}\n{\"id\":103,\"v\":2}\n");
    assert!(
        said.contains("converted           2  id, of the key, first at new.ndjson byte 0"),
        "{said}"
    );
    let strict = [&["run"], &sources[..], &["-o", "o.parquet"], &flags, &["id=string"]].concat();
    let said = context.run(&[&strict[..], &["--strict-types"]].concat());
    assert!(said.contains("id: expected string, found 101"), "{said}");
    // Two numbers that would share a text are not read as one.
    let versions = "{\"id\":1.1}\n{\"id\":1.10}\n";
    let said = refused(versions, &["--key", "id", "--type", "id=string"]);
    assert!(said.contains("id: expected string, found 1.10"), "{said}");
    let said = refused("{\"id\":1e2}\n", &["--key", "id", "--type", "id=string"]);
    assert!(said.contains("found 1e2"), "{said}");
}

#[test]
fn digits_in_strings_order_as_numbers_where_that_is_declared() {
    let found = rows(
        "{\"id\":\"a\",\"version\":\"9\"}\n{\"id\":\"a\",\"version\":\"10\"}\n",
        &["--key", "id", "--order-by", "version desc", "--type", "version=int64"],
    );
    assert_eq!(found, "{\"id\":\"a\",\"version\":10}\n");
    let found = rows(
        "{\"Item\":{\"pk\":{\"S\":\"a\"},\"ver\":{\"N\":\"9\"}}}\n{\"Item\":{\"pk\":{\"S\":\"a\"},\"ver\":{\"N\":\"10\"}}}\n",
        &["--key", "Item.pk.S", "--order-by", "Item.ver.N desc", "--type", "Item.ver.N=int"],
    );
    assert_eq!(found, "{\"Item\":{\"pk\":{\"S\":\"a\"},\"ver\":{\"N\":10}}}\n");
    let bundle = |version: &str| {
        format!(
            "{{\"entry\":[{{\"resource\":{{\"id\":\"p1\",\"meta\":{{\"versionId\":\"{version}\"}}}}}}]}}"
        )
    };
    let context = Context::new();
    context.write("b1.json", bundle("9"));
    context.write("b2.json", bundle("10"));
    let flags = ["--shape", "/entry", "--key", "resource.id", "--order-by"];
    let order = ["resource.meta.versionId desc", "--type", "resource.meta.versionId=int64"];
    let (_, found) = run(&context, &["b1.json", "b2.json"], &[&flags[..], &order].concat());
    assert_eq!(found, "{\"resource\":{\"id\":\"p1\",\"meta\":{\"versionId\":10}}}\n");
    for (data_type, value, shown) in [
        ("decimal(9,2)", "\"12.50\"", "12.5"),
        ("boolean", "\"true\"", "true"),
        ("list<int64>", "[\"1\",2]", "[1,2]"),
        ("struct<a: float64>", "{\"a\":\"-1e-3\"}", "{\"a\":-0.001}"),
    ] {
        let (line, hint) = (format!("{{\"id\":1,\"v\":{value}}}\n"), format!("v={data_type}"));
        let found = rows(&line, &["--key", "id", "--type", &hint]);
        assert_eq!(found, format!("{{\"id\":1,\"v\":{shown}}}\n"));
        let said = refused(&line, &["--key", "id", "--type", &hint, "--strict-types"]);
        assert!(said.contains("expected"), "{said}");
    }
    for other in ["\" 10\"", "\"0x0A\"", "\"1,000\"", "\"10.\"", "\"\"", "true"] {
        let line = format!("{{\"id\":1,\"v\":{other}}}\n");
        let said = refused(&line, &["--key", "id", "--type", "v=int64"]);
        assert!(said.contains("v: expected int64"), "{said}");
    }
}

/// The one row that is left of some, by the latest `ts`.
fn newest(times: &[&str], data_type: &str) -> String {
    let lines: String = times.iter().map(|time| format!("{{\"id\":1,\"ts\":{time}}}\n")).collect();
    let hint = format!("ts={data_type}");
    rows(&lines, &["--key", "id", "--order-by", "ts desc", "--type", &hint])
}

#[test]
fn instants_of_other_systems_are_read() {
    for (times, data_type, expected) in [
        (
            &["\"2024-01-01 00:00:00.5 UTC\"", "\"2024-01-01 00:00:00 UTC\""][..],
            "timestamp(us)",
            "2024-01-01T00:00:00.500000Z",
        ),
        (
            &["\"2024-10-27T02:10:00.000+0100\"", "\"2024-10-27T02:30:00.000+0200\""],
            "timestamp(ms)",
            "2024-10-27T01:10:00.000Z",
        ),
        (
            &["\"2024-10-27 02:10:00+01\"", "\"2024-10-27 02:30:00 +02:00\""],
            "timestamp(ms)",
            "2024-10-27T01:10:00.000Z",
        ),
        (
            &["\"01-05-2024 08:31:27\"", "\"30-04-2024 17:04:01\""],
            "timestamp(ms, '%d-%m-%Y %H:%M:%S', 'UTC')",
            "2024-05-01T08:31:27.000Z",
        ),
        (
            &[
                "\"Fri Mar 01 10:00:00 +0000 2024\"",
                "\"Wed Aug 27 13:08:45 +0000 2008\"",
                "\"Thu Dec 05 09:00:00 +0000 2019\"",
            ],
            "timestamp(us, '%a %b %d %H:%M:%S %z %Y')",
            "2024-03-01T10:00:00.000000Z",
        ),
        (
            &["\"31/12/24, 1:05 pm\"", "\"31/12/24, 12:55 PM\""],
            "timestamp(ms, '%d/%m/%y, %I:%M %p', 'America/New_York')",
            "2024-12-31T18:05:00.000Z",
        ),
        (
            &["\"Tue, 05 Nov 2024 08:49:37 GMT\"", "\"Mon, 28 Oct 2024 08:49:37 GMT\""],
            "timestamp(ms, '%a, %d %b %Y %T %Z')",
            "2024-11-05T08:49:37.000Z",
        ),
        (&["1703363853.035", "1703363853"], "epoch(s)", "2023-12-23T20:37:33.035Z"),
        (&["\"1703363853035\"", "1703363853034"], "epoch(ms)", "2023-12-23T20:37:33.035Z"),
        (&["\"1703363854.5\"", "1703363854.25"], "epoch(s)", "2023-12-23T20:37:34.500Z"),
    ] {
        let found = newest(times, data_type);
        assert_eq!(found, format!("{{\"id\":1,\"ts\":\"{expected}\"}}\n"), "{data_type}");
    }
    let berlin = "ts=timestamp(ms, '%Y-%m-%d %H:%M', 'Europe/Berlin')";
    for (time, data_type) in [
        ("\"2024-10-27 02:30\"", berlin),
        ("\"2024-03-31 02:30\"", berlin),
        ("\"2024-10-27T02:10:00 CET\"", "ts=timestamp(ms)"),
        ("1703363853.0355", "ts=epoch(s)"),
        ("1703363853035.5", "ts=epoch(ms)"),
    ] {
        let said = refused(
            &format!("{{\"id\":1,\"ts\":{time}}}\n"),
            &["--key", "id", "--type", data_type],
        );
        assert!(said.starts_with("exit: 1") && said.contains("ts: expected"), "{said}");
    }
    for (data_type, what) in [
        ("timestamp(ms, '%d-%m-%Y')", "'%d-%m-%Y', 'UTC')"),
        ("timestamp(ms, '%d-%m-%Y', 'Europe/Berln')", "did you mean `Europe/Berlin`?"),
        ("timestamp(ms, '%d-%m', 'UTC')", "has not all of a date"),
        ("timestamp(ms, '%d-%m-%Y %Q', 'UTC')", "a format holds %Y"),
    ] {
        let said = refused("{\"id\":1}\n", &["--key", "id", "--type", &format!("ts={data_type}")]);
        assert!(said.starts_with("exit: 2") && said.contains(what), "{said}");
    }
}

#[test]
fn the_form_of_instants_goes_through_schemas_and_plans() {
    let context = Context::new();
    context.write("in.ndjson", "{\"id\":1,\"ts\":\"1.5.2024 at 8h\"}\n");
    let hint = "ts=timestamp(ms, '%d.%m.%Y at %Hh', 'Europe/Berlin')";
    let schema = context.out(&["schema", "in.ndjson", "--type", hint, "--json"]);
    context.write("schema.json", &schema);
    assert!(schema.contains("timestamp(ms, '%d.%m.%Y at %Hh', 'Europe/Berlin')"), "{schema}");
    let (_, rows) = run(&context, &["in.ndjson"], &["--key", "id", "--schema", "schema.json"]);
    assert_eq!(rows, "{\"id\":1,\"ts\":\"2024-05-01T06:00:00.000Z\"}\n");
    let flags = ["-o", "plan.parquet", "--key", "id", "--type", hint, "--null-text", "ts=-"];
    let plan = context.out(&[&["plan", "in.ndjson"], &flags[..]].concat());
    context.write("plan.json", plan);
    context.out(&["run", "--plan", "plan.json"]);
    assert_eq!(context.out(&["head", "plan.parquet"]), rows);
}

#[test]
fn words_for_null_are_null_and_counted() {
    let lines = "{\"id\":1,\"price\":\"NA\",\"country\":\"NA\"}\n{\"id\":2,\"price\":1.5,\"country\":\"DE\"}\n";
    let context = Context::new();
    context.write("in.ndjson", lines);
    let flags = ["--key", "id", "--null-text", "price=NA|N/A,id=-"];
    let (said, rows) = run(&context, &["in.ndjson"], &flags);
    assert_eq!(
        rows,
        "{\"id\":1,\"country\":\"NA\"}\n{\"id\":2,\"price\":1.5,\"country\":\"DE\"}\n"
    );
    assert!(said.contains("made null           1  price, first at in.ndjson byte 0"), "{said}");
    context.write("distil.toml", "[jobs.j]\nsource = \"in.ndjson\"\noutput = \"j.parquet\"\nkey = \"id\"\nnull_text = { price = [\"NA\"] }\n");
    context.out(&["run", "--job", "j"]);
    assert_eq!(context.out(&["head", "j.parquet"]), rows);
    // Without a column, texts stand for null where the declared type has no use for them.
    let typed = ["--key", "id", "--type", "price=decimal(9,2)", "--null-text", "NA"];
    assert_eq!(run(&context, &["in.ndjson"], &typed).1, rows);
    let said = refused(lines, &["--key", "country", "--null-text", "country=NA"]);
    assert!(said.contains("null_key") || said.contains("the key column country is null"), "{said}");
    let said = refused(lines, &["--key", "id", "--null-text", "prise=NA"]);
    assert!(said.contains("choose one of the nearest columns: price"), "{said}");
    let said = refused(lines, &["--key", "id", "--null-text", "price=a=b"]);
    assert!(said.starts_with("exit: 2"), "{said}");
    let lines = "{\"id\":1,\"qty\":\"\"}\n{\"id\":2,\"qty\":\"7\"}\n";
    let typed = ["--key", "id", "--type", "qty=int", "--null-text", "qty="];
    assert_eq!(self::rows(lines, &typed), "{\"id\":1}\n{\"id\":2,\"qty\":7}\n");
}

#[test]
fn the_report_counts_what_was_read_otherwise_by_column() {
    let context = Context::new();
    context.write("a.ndjson", "{\"k\":1,\"v\":1}\n{\"k\":\"2\",\"v\":\"x\",\"l\":[\"1\",\"2\"]}\n");
    context.write("b.ndjson", "{\"k\":\"3\",\"v\":5}\n");
    let flags =
        ["--key", "k", "--type", "k=int64", "--type", "l=list<int64>", "--type", "v=string"];
    let (_, _) = run(
        &context,
        &["a.ndjson", "b.ndjson"],
        &[&flags[..], &["--report", "report.json", "--null-text", "v=x"]].concat(),
    );
    let report: serde_json::Value = serde_json::from_str(&context.read("report.json")).unwrap();
    assert_eq!(report["records"]["converted"], 6);
    assert_eq!(report["records"]["nulled"], 1);
    let expected = serde_json::json!([
        {"column": "k", "key": true, "converted": {"count": 2, "file": "a.ndjson", "offset": 14}},
        {
            "column": "v",
            "converted": {"count": 2, "file": "a.ndjson", "offset": 0},
            "nulled": {"count": 1, "file": "a.ndjson", "offset": 14}
        },
        {"column": "l", "converted": {"count": 2, "file": "a.ndjson", "offset": 14}},
    ]);
    assert_eq!(report["readings"], expected);
}

#[test]
fn texts_without_a_column_are_null_where_no_other_string_is() {
    let lines = "{\"id\":1,\"n\":\"NA\",\"c\":\"NA\"}\n{\"id\":2,\"n\":7,\"c\":\"DE\"}\n";
    let context = Context::new();
    context.write("in.ndjson", lines);
    let flags = ["--key", "id", "--null-text", "NA"];
    let (said, rows) = run(&context, &["in.ndjson"], &flags);
    assert_eq!(rows, "{\"id\":1,\"c\":\"NA\"}\n{\"id\":2,\"n\":7,\"c\":\"DE\"}\n");
    assert!(said.contains("made null           1  n, first at in.ndjson byte 0"), "{said}");
    let schema = context.out(&["schema", "in.ndjson", "--null-text", "NA"]);
    assert_eq!(schema, "id  int64\nn   int64\nc   string\n");
    // Which columns these are is only known once all was read.
    let streamed = [&["run", "-", "-o", "s.parquet"], &flags[..]].concat();
    let said = context.run_with_input(&streamed, lines.as_bytes());
    assert!(said.starts_with("exit: 2") && said.contains("name the columns"), "{said}");
    let named = ["run", "-", "-o", "s.parquet", "--key", "id", "--null-text", "n=NA"];
    assert!(context.run_with_input(&named, lines.as_bytes()).starts_with("exit: 0"));
}

#[test]
fn fixes_are_flags_that_can_be_pasted() {
    let context = Context::new();
    let mut lines = String::new();
    for n in 0..20 {
        let price = if n % 5 == 4 { "\"n/a\"".to_owned() } else { format!("{n}.5") };
        let version = if n == 7 { "8".to_owned() } else { format!("\"{n}\"") };
        lines += &format!(
            "{{\"id\":{n},\"price\":{price},\"v\":{version},\"ok\":\"true\",\
             \"at\":\"2024-01-01 00:00:{n:02}+0100\",\"name\":\"a, {n}\",\"o\":{{\"q\":\"{n}\"}}}}\n"
        );
    }
    lines += "{\"id\":20,\"v\":\"a=b\",\"name\":\"NA\",\"o\":{\"q\":\"many words that are longer than a text is\"}}\n";
    context.write("in.ndjson", &lines);
    let fixed = context.out(&["schema", "in.ndjson", "--fix"]);
    assert_eq!(
        fixed,
        "# price: 16 of 20 values fit, the others become null\n\
         --type 'price=float64' --null-text 'price=n/a'\n\
         # v: 20 of 21 values fit, the others become null\n\
         --type 'v=int64' --null-text 'v=\"a=b\"'\n\
         # ok: 20 of 20 values fit, in strings or not\n\
         --type 'ok=boolean'\n\
         # at: 20 of 20 values fit, in strings or not\n\
         --type 'at=timestamp(us, UTC)'\n\
         # o.q: 20 of 21 values fit, the other 1 become bad values\n\
         --type 'o.q=int64'\n"
    );
    let mut arguments = vec!["schema".to_owned(), "in.ndjson".to_owned()];
    for line in fixed.lines().filter(|line| !line.starts_with('#') && !line.contains("o.q")) {
        arguments.extend(shlex::split(line).unwrap());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(
        context.out(&arguments),
        "id     int64\nprice  float64\nv      int64\nok     boolean\nat     timestamp(us, UTC)\n\
         name   string\no      struct<q: string>\n"
    );
}
