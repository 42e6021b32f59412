use super::*;

#[test]
fn a_type_reads_back_what_it_prints() {
    for text in [
        "boolean",
        "json(text)",
        "int8",
        "int64",
        "decimal(38,0)",
        "float32",
        "float64",
        "timestamp(ms, UTC)",
        "timestamp(us, '%a %b %d %H:%M:%S %z %Y')",
        "timestamp(ms, '%d.%m.%Y ''at'' %H:%M', 'Europe/Berlin')",
        "list<timestamp(ns, '%F', 'UTC')>",
        "epoch(s)",
        "date",
        "binary",
        "string",
        "json",
        "list<list<string>>",
        "struct<a: int64, \"b c\": struct<d: json>>",
    ] {
        assert_eq!(text.parse::<Type>().unwrap().to_string(), text);
    }
    let deepest = format!("{}int64{}", "list<".repeat(31), ">".repeat(31));
    assert_eq!(deepest.parse::<Type>().unwrap().levels(), Type::MOST_LEVELS);
    assert_eq!("timestamp(us)".parse::<Type>().unwrap(), Type::Timestamp(TimeUnit::Micros));
}

#[test]
fn words_that_everybody_types_are_types() {
    for (words, expected) in [
        ("int integer long bigint Int64 BIGINT", "int64"),
        ("smallint", "int16"),
        ("tinyint", "int8"),
        ("float double Float64", "float64"),
        ("str text varchar utf8", "string"),
        ("bool Boolean", "boolean"),
        ("datetime timestamp timestamptz TIMESTAMP", "timestamp(us, UTC)"),
        ("array<int> list<bigint>", "list<int64>"),
        ("struct<a:timestamp,b:text>", "struct<a: timestamp(us, UTC), b: string>"),
    ] {
        for word in words.split(' ') {
            assert_eq!(word.parse::<Type>().unwrap().to_string(), expected, "{word}");
        }
    }
    for (word, better) in [
        ("strng", "did you mean `string`?"),
        ("int46", "did you mean `int64`?"),
        ("timstamp(us)", "did you mean `timestamp`?"),
        ("number", "write int64, float64 or decimal(p,s)"),
        ("struct<a: numeric>", "write int64, float64 or decimal(p,s)"),
    ] {
        let error = word.parse::<Type>().unwrap_err();
        assert!(error.what.contains(better), "{word}: {error}");
    }
    assert!(!"rainbow".parse::<Type>().unwrap_err().what.contains("mean"));
}

#[test]
fn wrong_types_are_usage_errors_that_list_the_right_ones() {
    for text in [
        "",
        "words",
        "timestamp(ms, '%F')",
        "timestamp(ms, '%F', 'UTC'",
        "timestamp(ms, '%F",
        "decimal(39,0)",
        "decimal(3,4)",
        "timestamp(s)",
        "list<>",
        "struct<>",
        "int64 x",
        &format!("{}int64{}", "list<".repeat(32), ">".repeat(32)),
        &"struct<a:".repeat(100_000),
    ] {
        let error = text.parse::<Type>().unwrap_err();
        assert!(error.hints[0].text.contains("timestamp(ms|us|ns)"), "{text}: {error}");
    }
}
