//! What records hold: members, depth, columns, lists, strings, numbers; duplicates, conflicts and bad records.

use std::io::Write as _;

use crate::kinds::{Kind, kind, lines, list, run, wide};

const KEY: [&str; 2] = ["--key", "id"];
const ONE_COLUMN: [&str; 6] = ["--key", "id", "--schema", "id int64", "--extra-members", "ignore"];
const QUARANTINE: [&str; 4] = ["--key", "id", "--quarantine", "bad.ndjson"];

/// A kind whose input is one file of this content.
pub fn content<S: AsRef<[u8]>>(
    name: &'static str,
    n: usize,
    flags: &'static [&'static str],
    text: impl Fn(usize) -> S + Send + Sync + 'static,
) -> Kind {
    kind(name, n, move |scene, n| {
        scene.write("in.json", text(n));
        run(flags)
    })
}

/// A record with a second member.
fn member(text: impl AsRef<str>) -> String {
    format!("{{\"id\":1,\"v\":{}}}\n", text.as_ref())
}

pub fn kinds() -> Vec<Kind> {
    [members(), values(), records(), shapes()].into_iter().flatten().collect()
}

fn members() -> Vec<Kind> {
    let object = |n| format!("{{{}}}", list(n, |i| format!("\"m{i}\":{i}")));
    vec![
        content("members that are ignored", 4_000, &ONE_COLUMN, wide),
        content(
            "members that are kept as text",
            4_000,
            &["--key", "id", "--schema", "id int64", "--extra-members", "keep"],
            wide,
        ),
        content("members that are too many", 20_000, &KEY, wide).limited().fails(1),
        content("members of a nested record", 2_000, &KEY, move |n| member(object(n))),
        content("members of an ignored record", 4_000, &ONE_COLUMN, move |n| member(object(n))),
        content("members of many nested records", 150_000, &KEY, |n| {
            member(format!("[{}]", list(n, |i| format!("{{\"m{i}\":{i}}}"))))
        }),
        content("members in another order in each record", 40_000, &KEY, |n| {
            lines(n, |i| {
                format!(
                    "{{\"id\":{i},{}}}",
                    list(8, |m| format!("\"m{}\":1", (m * (2 * i + 1) + i) % 8))
                )
            })
        }),
        content("other members in each record", 20_000, &KEY, |n| {
            lines(n, |i| {
                format!(
                    "{{\"id\":{i}{}}}",
                    (0..10)
                        .filter(|m| i >> m & 1 == 1)
                        .map(|m| format!(",\"m{m}\":1"))
                        .collect::<String>()
                )
            })
        }),
        content("a name again and again", 4_000, &KEY, |n| {
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"a\":{i}")))
        })
        .fails(1),
        content("names that come twice", 4_000, &QUARANTINE, |n| {
            format!("{{\"id\":1}}\n{{\"id\":2,{0},{0}}}", list(n, |i| format!("\"m{i}\":{i}")))
        }),
        content("a name again and again in an ignored record", 4_000, &ONE_COLUMN, |n| {
            member(format!("{{{}}}", list(n, |i| format!("\"a\":{i}"))))
        })
        .fails(1),
        content("names that begin alike", 1_000, &ONE_COLUMN, |n| {
            let long = "n".repeat(200);
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"{long}{i}\":{i}")))
        }),
        content("names with escapes", 1_000, &ONE_COLUMN, |n| {
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"\\u0061\\u0062{i}\":{i}")))
        }),
        content("a long name", 20_000, &KEY, |n| format!("{{\"id\":1,\"{}\":1}}", "n".repeat(n))),
        content("columns of one record", 500, &KEY, wide),
        content("columns of four records, all different", 1_000, &KEY, |n| {
            lines(4, |r| format!("{{\"id\":{r},{}}}", list(n / 4, |i| format!("\"c{r}_{i}\":{i}"))))
        })
        .limited(),
        content("columns of strings", 500, &KEY, |n| {
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"c{i}\":\"s{i}\"")))
        }),
        content("columns whose names differ in case", 500, &KEY, |n| {
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"c{i}\":1,\"C{i}\":1")))
        }),
        content("columns of lists", 250, &KEY, |n| {
            format!("{{\"id\":1,{}}}", list(n, |i| format!("\"c{i}\":[1]")))
        }),
        content("nested leaves of one column", 100, &KEY, move |n| member(object(n))),
        content("nested leaves of many columns", 600, &KEY, |n| {
            format!(
                "{{\"id\":1,{}}}",
                list(n, |i| format!("\"c{i}\":{{\"a\":1,\"b\":{{\"c\":2}}}}"))
            )
        })
        .limited(),
        content("nested leaves of a list", 100, &KEY, move |n| member(format!("[{}]", object(n)))),
        content("columns that bad records add", 4_000, &QUARANTINE, |n| {
            format!(
                "{{\"id\":1}}\n{}",
                lines(n, |i| format!("{{\"id\":1,\"c{i}\":1,\"bad\":tru}}"))
            )
        })
        .limited(),
        content("the whole record as key", 500, &["--key", "*"], wide),
    ]
}

fn values() -> Vec<Kind> {
    let open = |n, text: &str| text.repeat(n);
    vec![
        content("depth of lists", 100, &KEY, move |n| member(open(n, "[") + &open(n, "]")))
            .limited(),
        content("depth of lists beyond the limit", 1_500_000, &KEY, move |n| {
            member(open(n, "[") + &open(n, "]"))
        })
        .fails(1),
        content("depth of records", 100, &KEY, move |n| {
            member(open(n, "{\"a\":") + "1" + &open(n, "}"))
        })
        .limited(),
        content("depth of records beyond the limit", 20_000, &KEY, move |n| {
            member(open(n, "{\"a\":") + "1" + &open(n, "}"))
        })
        .limited()
        .fails(1),
        content("depth of ignored records", 100, &ONE_COLUMN, move |n| {
            member(open(n, "{\"a\":") + "1" + &open(n, "}"))
        })
        .limited(),
        content("depth without an end", 20_000, &QUARANTINE, move |n| {
            "{\"id\":1}\n".to_owned() + &member(open(n, "[{\"a\":"))
        })
        .limited(),
        content("a list of numbers", 10_000, &KEY, |n| {
            member(format!("[{}]", list(n, |i| i.to_string())))
        }),
        content("a list of strings", 10_000, &KEY, |n| {
            member(format!("[{}]", list(n, |i| format!("\"s{i}\""))))
        }),
        content("a list of lists", 5_000, &KEY, |n| {
            member(format!("[{}]", list(n, |i| format!("[{i}]"))))
        }),
        content("a list of values of all kinds", 20_000, &KEY, |n| {
            member(format!("[{}]", list(n, |i| format!("{i},\"{i}\",[{i}],{{\"a\":{i}}}"))))
        }),
        content("a list of empty records", 100_000, &KEY, |n| {
            member(format!("[{}]", list(n, |_| "{}".into())))
        }),
        content("a long string", 200_000, &KEY, |n| member(format!("\"{}\"", "s".repeat(n)))),
        content("escapes in a string", 50_000, &KEY, |n| {
            member(format!("\"{}\"", "\\n".repeat(n)))
        }),
        content("escapes of characters", 20_000, &KEY, |n| {
            member(format!("\"{}\"", "\\ud83d\\ude00".repeat(n)))
        }),
        content("backslashes before a quote that never comes", 50_000, &QUARANTINE, |n| {
            format!("{{\"id\":1}}\n{{\"v\":\"{}", "\\\\".repeat(n))
        }),
        content("characters of several bytes", 50_000, &KEY, |n| {
            member(format!("\"{}\"", "ä€😀".repeat(n)))
        }),
        content("digits of a number", 50_000, &KEY, |n| member("7".repeat(n))),
        content("digits of a fraction", 50_000, &KEY, |n| member(format!("0.{}", "7".repeat(n)))),
        content("zeros before the digits of a fraction", 50_000, &KEY, |n| {
            member(format!("0.{}7", "0".repeat(n)))
        }),
        content("digits of an exponent", 50_000, &KEY, |n| member(format!("1e{}1", "0".repeat(n)))),
        content("numbers of many digits as keys", 20_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":{}{i}}}", "7".repeat(25)))
        }),
        content("blanks between tokens", 100_000, &KEY, |n| {
            format!("{{{0}\"id\"{0}:{0}1{0}}}\n", " ".repeat(n))
        }),
        content("texts that are almost instants", 50_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":{i},\"t\":\"2020-01-01T00:00:00.{}Z\"}}", i % 1_000))
        }),
        content("a type that changes with each record", 30_000, &KEY, |n| {
            lines(n, |i| {
                format!(
                    "{{\"id\":{i},\"v\":{}}}",
                    ["1", "\"a\"", "[1]", "{\"a\":1}", "1.5", "null"][i % 6]
                )
            })
        }),
    ]
}

fn records() -> Vec<Kind> {
    let bad = |i: usize| if i == 0 { "{\"id\":1}".to_owned() } else { format!("{{\"id\":{i},}}") };
    vec![
        content("records", 100_000, &KEY, |n| lines(n, |i| format!("{{\"id\":{i}}}"))),
        content("records from last to first", 100_000, &KEY, move |n| {
            lines(n, |i| format!("{{\"id\":{}}}", n - i))
        }),
        content("records in the order of a saw", 100_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":{}}}", i % 100 * 1_000_000 + i))
        }),
        content("records with strings as keys", 120_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":\"{}\"}}", i * 7_919 % 100_003))
        }),
        content("keys that begin alike", 120_000, &KEY, |n| {
            let long = "k".repeat(40);
            lines(n, |i| format!("{{\"id\":\"{long}{}\"}}", i * 7_919 % 100_003))
        }),
        content("long keys", 20_000, &KEY, |n| {
            lines(20, |i| format!("{{\"id\":\"{}{i}\"}}", "k".repeat(n)))
        }),
        content("strings that are all different", 25_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":{i},\"s\":\"s{i}\"}}"))
        })
        // More strings than a dictionary takes are work of another kind.
        .limited(),
        content("identical records", 100_000, &KEY, |n| lines(n, |_| "{\"id\":1,\"v\":1}".into())),
        content("conflicts of one key", 60_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":1,\"v\":{i}}}"))
        }),
        content(
            "conflicts of one key, in order",
            60_000,
            &["--key", "id", "--order-by", "v desc", "--keep", "last"],
            |n| lines(n, |i| format!("{{\"id\":1,\"v\":{i}}}")),
        ),
        content("conflicts of many keys", 50_000, &KEY, |n| {
            lines(n, |i| format!("{{\"id\":{0},\"v\":1}}\n{{\"id\":{0},\"v\":2}}", i))
        }),
        content("conflicts that are shown", 50_000, &["--key", "id", "--report", "r.json"], |n| {
            lines(n, |i| format!("{{\"id\":{0},\"v\":1}}\n{{\"id\":{0},\"v\":2}}", i))
        }),
        content("conflicts that fail", 50_000, &["--key", "id", "--on-conflict", "error"], |n| {
            lines(n, |i| format!("{{\"id\":{0},\"v\":1}}\n{{\"id\":{0},\"v\":2}}", i.max(1)))
        })
        .fails(1),
        content(
            "losers that are written",
            40_000,
            &["--key", "id", "--dropped", "lost.ndjson"],
            |n| lines(n, |i| format!("{{\"id\":{},\"v\":{i}}}", i % 7)),
        ),
        content("losers of one key", 20_000, &["--key", "id", "--dropped", "lost.ndjson"], |n| {
            lines(n, |i| format!("{{\"id\":1,\"v\":{i}}}"))
        }),
        content("bad records that fail", 5_000, &KEY, move |n| lines(n, bad)).limited().fails(1),
        content("bad records that are set aside", 100_000, &QUARANTINE, move |n| lines(n, bad)),
        content("records without a key", 100_000, &QUARANTINE, |n| {
            lines(n, |i| if i == 0 { "{\"id\":1}".into() } else { "{\"x\":1}".into() })
        }),
        content(
            "values of another type than declared",
            50_000,
            &["--key", "id", "--type", "v=int8", "--quarantine", "bad.ndjson"],
            |n| lines(n, |i| format!("{{\"id\":{i},\"v\":{}}}", if i == 0 { 0 } else { 300 })),
        ),
        content("a bad record that is long", 2_000_000, &QUARANTINE, |n| {
            format!("{{\"id\":1}}\n{{\"id\":2,\"v\":\"{}\u{1}\"}}\n", "s".repeat(n))
        }),
        content("bytes that are not UTF-8", 2_000_000, &QUARANTINE, |n| {
            [&b"{\"id\":1}\n{\"id\":2,\"v\":\""[..], &b"\xff".repeat(n), b"\"}\n"].concat()
        }),
    ]
}

fn shapes() -> Vec<Kind> {
    let record = |i: usize| format!("{{\"id\":{i}}}");
    vec![
        content("siblings before the records", 8_000, &KEY, |n| {
            format!("{{{},\"records\":[{{\"id\":1}}]}}", list(n, |i| format!("\"s{i}\":{i}")))
        }),
        content("siblings after the records", 8_000, &KEY, |n| {
            format!("{{\"records\":[{{\"id\":1}}],{}}}", list(n, |i| format!("\"s{i}\":{i}")))
        }),
        content("siblings of one name", 8_000, &KEY, |n| {
            format!("{{\"records\":[{{\"id\":1}}],{}}}", list(n, |i| format!("\"s\":{i}")))
        }),
        content(
            "siblings with siblings of the records",
            40_000,
            &["--key", "id", "--shape", "/a/b"],
            |n| {
                let siblings = list(n, |i| format!("\"s{i}\":[{{\"b\":[{{}}]}}]"));
                format!("{{{siblings},\"a\":{{{siblings},\"b\":[{{\"id\":1}}]}}}}")
            },
        ),
        content("siblings that are long", 100_000, &KEY, |n| {
            format!("{{\"s\":\"{}\",\"records\":[{{\"id\":1}}]}}", "s".repeat(n))
        }),
        content("a document without records", 32_000, &KEY, |n| {
            format!("{{\n{}}}", list(n, |i| format!("\"s{i}\":{i}")))
        })
        .fails(1),
        content("a document that breaks", 8_000, &QUARANTINE, |n| {
            format!("{{\"records\":[{{\"id\":1}}],{},x", list(n, |i| format!("\"s{i}\":{i}")))
        }),
        content("an array of records", 100_000, &KEY, move |n| format!("[{}]", list(n, record))),
        content("an array that breaks", 50_000, &QUARANTINE, |n| {
            format!("[{{\"id\":1}} x {}", list(n, |i| i.to_string()))
        })
        .limited(),
        content("an array of values without a record", 3_000, &QUARANTINE, |n| {
            format!("[{{\"id\":1}},{}]", list(n, |i| i.to_string()))
        }),
        content(
            "values one after another",
            100_000,
            &["--key", "id", "--shape", "concatenated"],
            move |n| (0..n).map(record).collect::<String>(),
        ),
        content("records of several lines", 100_000, &KEY, |n| {
            (0..n).map(|i| format!("{{\n\"id\":{i}\n}}")).collect::<String>()
        }),
        content("lines that are blank", 100_000, &KEY, |n| {
            "{\"id\":1}\n".to_owned() + &"\n".repeat(n)
        }),
        content(
            "brackets that never close",
            120_000,
            &["--key", "id", "--shape", "concatenated", "--quarantine", "bad.ndjson"],
            |n| "{\"id\":1}".to_owned() + &"[".repeat(n),
        ),
        content("members of gzip", 2_000, &KEY, |n| {
            let one = |i: usize| gzip(format!("{{\"id\":{i}}}\n").as_bytes());
            (0..n).flat_map(one).collect::<Vec<u8>>()
        }),
        content("frames of zstd", 10_000, &KEY, |n| {
            let one =
                |i: usize| zstd::encode_all(format!("{{\"id\":{i}}}\n").as_bytes(), 1).unwrap();
            (0..n).flat_map(one).collect::<Vec<u8>>()
        }),
        content("empty members of gzip", 500, &KEY, |n| {
            [gzip(b"{\"id\":1}\n"), gzip(b"").repeat(n)].concat()
        }),
        content("a little that becomes much", 500_000, &KEY, |n| {
            gzip(member(format!("\"{}\"", "s".repeat(n))).as_bytes())
        }),
    ]
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
