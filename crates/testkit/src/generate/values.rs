//! Values as they may be spelled, by the flavour of a column.

use proptest::prelude::*;
use proptest::sample::select;

/// A JSON value whose numbers keep their spelling.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it is spelled.
    Number(String),
    /// A string, decoded.
    String(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

/// What the values of a column are like.
#[derive(Clone, Debug, PartialEq)]
pub enum Flavour {
    /// 0 to 3.
    Small,
    /// Booleans.
    Bool,
    /// Short texts.
    Text,
    /// Texts that are hard to escape or to order.
    HardText,
    /// Integers at the edges of 53, 63, 64 bits and of 38 digits.
    Edge,
    /// Integers up to 64 bits.
    Long,
    /// Numbers that a double holds.
    Float,
    /// Any number.
    Number,
    /// Instants of one form, with this many digits.
    Instant(usize),
    /// Instants of several forms, dates, and what looks like them.
    Instants,
    /// Instants in the forms of other systems, and what looks like them.
    Dates,
    /// Numbers and truths in strings, words for null, and what looks like them.
    Quoted,
    /// Strings that spell numbers or versions, and what looks like them.
    Digits,
    /// Strings that spell dates and times of day in many forms, and what looks like them.
    Days,
    /// Base64, and what looks like it.
    Base64,
    /// Nothing but nulls.
    Null,
    /// Lists of a flavour.
    List(Box<Flavour>),
    /// Objects of members.
    Struct(Vec<(String, Flavour)>),
    /// Several kinds in one column.
    Mixed(Vec<Flavour>),
}

impl Flavour {
    /// Whether a column of this flavour can be a key, as a rule.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Struct(_) | Self::Mixed(_) | Self::Instants)
    }

    /// Values of the flavour; null is left to the column.
    pub fn values(&self) -> BoxedStrategy<Json> {
        let numbers = |texts: &'static [&'static str]| {
            select(texts).prop_map(|t| Json::Number(t.into())).boxed()
        };
        let strings = |texts: &'static [&'static str]| {
            select(texts).prop_map(|t| Json::String(t.into())).boxed()
        };
        match self {
            Self::Small => (0u8..4).prop_map(|n| Json::Number(n.to_string())).boxed(),
            Self::Bool => any::<bool>().prop_map(Json::Bool).boxed(),
            Self::Text => strings(&["a", "b", "10", "9", "", "true", "Zoë", "null"]),
            Self::HardText => prop_oneof![
                strings(&[
                    "\0",
                    "a\0",
                    "a",
                    "\u{ffff}",
                    "\u{10000}",
                    "\u{7f}",
                    "é",
                    "e\u{301}",
                    "\"",
                    "\\",
                    "\n",
                    "\u{2028}",
                    "/",
                    "😀",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                    "{\"k\":[",
                    "]",
                    "\u{feff}",
                    "\u{1f}",
                ]),
                any::<String>().prop_map(Json::String),
            ]
            .boxed(),
            Self::Edge => numbers(&[
                "0",
                "-0",
                "9007199254740991",
                "9007199254740992",
                "9007199254740993",
                "9223372036854775807",
                "9223372036854775808",
                "-9223372036854775808",
                "-9223372036854775809",
                "18446744073709551615",
                "18446744073709551616",
                "99999999999999999999999999999999999999",
                "-99999999999999999999999999999999999999",
                "1",
                "-1",
            ]),
            Self::Long => {
                any::<i64>().prop_map(|n| Json::Number((n >> (n & 63)).to_string())).boxed()
            }
            Self::Float => prop_oneof![
                numbers(&[
                    "0.0",
                    "-0.0",
                    "0",
                    "1.0",
                    "1",
                    "10e-1",
                    "0.1",
                    "1e22",
                    "5e-324",
                    "2.5",
                    "1.7976931348623157e308",
                    "-1E+2",
                    "-100",
                    "1e-7",
                    "0.000001",
                ]),
                any::<f64>()
                    .prop_filter("finite", |f| f.is_finite())
                    .prop_map(|f| Json::Number(format!("{f:e}"))),
            ]
            .boxed(),
            Self::Number => prop_oneof![
                numbers(&[
                    "1e400",
                    "-1e400",
                    "1e-400",
                    "0.1000000000000000055",
                    "0e99999999999",
                    "100000000000000000000000000000000000000",
                    "123456789012345678901234567890.5",
                    "1e999999999",
                    "1e-1000000001",
                    "1152921504606846976",
                    "9007199254740993.0",
                ]),
                Self::Edge.values(),
                Self::Float.values(),
            ]
            .boxed(),
            Self::Instant(digits) => {
                let digits = *digits;
                (0u8..3, 0u8..3)
                    .prop_map(move |(second, milli)| {
                        let fraction = match digits {
                            0 => String::new(),
                            n => format!(".{milli:0n$}"),
                        };
                        Json::String(format!("2019-04-23T17:25:0{second}{fraction}Z"))
                    })
                    .boxed()
            }
            Self::Instants => strings(&[
                "2019-04-23T17:25:43Z",
                "2019-04-23T17:25:43.111Z",
                "2019-04-23T17:25:43.000Z",
                "2019-04-23T19:25:43+02:00",
                "2019-04-23 17:25:43z",
                "2019-04-23 17:25:43.111 UTC",
                "2019-04-23T19:25:43+0200",
                "2019-04-23 19:25:43 +02",
                "2019-04-23t17:25:43.1110000Z",
                "2019-04-23T17:25:43.111111111Z",
                "2019-02-30T00:00:00Z",
                "2019-04-23T17:25:60Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59.999Z",
                "2019-04-23",
                "2020-02-29",
                "0001-01-01T00:00:00+00:01",
                "1969-12-31T23:59:59.999Z",
                "x",
            ]),
            Self::Dates => strings(&[
                "23.04.2019 17:25",
                "1.4.2019 0:5",
                "27.10.2024 02:30",
                "31.03.2024 02:30",
                "30.02.2019 00:00",
                "04/23/19 05:25:43 PM",
                "Tue Apr 23 17:25:43 +0200 2019",
                "Mon Apr 23 17:25:43 +0200 2019",
                "2019-04-23T17:25:43Z",
                "NA",
            ]),
            Self::Quoted => strings(&[
                "1",
                "10",
                "9",
                "-0",
                "1.5",
                "1.10",
                "1e2",
                "0.001",
                " 1",
                "0x1",
                "true",
                "false",
                "NA",
                "-",
                "",
                "9007199254740993",
                "1703363853.035",
            ]),
            Self::Digits => prop_oneof![
                4 => select(vec!["1", "2", "9"]).prop_map(|t| Json::String(t.into())),
                1 => strings(&[
                    "10", "007", "-1", "+1", "1.5", "2.25", "1e5", "9 ", " 9", "1.9.0", "1.10.0", "v9",
                    "v10", "0x1F", "1,234", "1.", "9007199254740993", "18446744073709551616",
                ]),
            ]
            .boxed(),
            Self::Days => prop_oneof![
                4 => select(vec!["2024-05-01 08:31:27", "2024-04-30 17:04:01"])
                    .prop_map(|t| Json::String(t.into())),
                1 => strings(&[
                    "2024-05-01 8:31",
                    "2024-05-01",
                    "20240501T083127Z",
                    "01-05-2024 08:31:27",
                    "30.04.2024",
                    "30.04.24",
                    "1.10.24",
                    "4/30/2024, 5:04 PM",
                    "04/30/24 10:30  PM",
                    "2024-05-01T08:31:27.5+0200",
                    "2024-05-01T08:31:27 UTC",
                    "2024-05-01 08:31:27 EST",
                    "Wed Aug 27 13:08:45 +0000 2008",
                    "Wed Aug  7 13:08:45 2008",
                    "Wed, 27 Aug 2008 13:08:45 GMT",
                    "27-AUG-08",
                    "10/Oct/2000:13:55:36 -0700",
                    "August 27, 2008",
                    "2024-02-30",
                    "2024-05-01T24:00:00",
                ]),
            ]
            .boxed(),
            Self::Base64 => strings(&["", "AA==", "AB==", "AAEC", "+/8=", "AA", "_w==", "not"]),
            Self::Null => Just(Json::Null).boxed(),
            Self::List(element) => {
                let element = prop_oneof![5 => element.values(), 1 => Just(Json::Null)];
                proptest::collection::vec(element, 0..3).prop_map(Json::List).boxed()
            }
            Self::Struct(members) => members
                .iter()
                .map(|(name, flavour)| member(name, flavour))
                .collect::<Vec<_>>()
                .prop_map(|members| Json::Object(members.into_iter().flatten().collect()))
                .boxed(),
            Self::Mixed(flavours) => {
                proptest::strategy::Union::new(flavours.iter().map(Self::values)).boxed()
            }
        }
    }
}

/// A member that may be null or missing.
pub fn member(name: &str, flavour: &Flavour) -> BoxedStrategy<Option<(String, Json)>> {
    let name = name.to_owned();
    prop_oneof![
        8 => flavour.values().prop_map(Some),
        1 => Just(Some(Json::Null)),
        1 => Just(None),
    ]
    .prop_map(move |value| value.map(|value| (name.clone(), value)))
    .boxed()
}

/// Flavours of columns, nested to some depth.
pub fn flavours() -> BoxedStrategy<Flavour> {
    let leaf = prop_oneof![
        6 => Just(Flavour::Small),
        1 => Just(Flavour::Bool),
        3 => Just(Flavour::Text),
        2 => Just(Flavour::HardText),
        1 => Just(Flavour::Edge),
        1 => Just(Flavour::Long),
        2 => Just(Flavour::Float),
        1 => Just(Flavour::Number),
        2 => select(vec![0usize, 3, 6, 2]).prop_map(Flavour::Instant),
        1 => Just(Flavour::Instants),
        1 => Just(Flavour::Dates),
        2 => Just(Flavour::Quoted),
        1 => Just(Flavour::Digits),
        1 => Just(Flavour::Days),
        1 => Just(Flavour::Base64),
        1 => Just(Flavour::Null),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let members = proptest::collection::vec((names(), inner.clone()), 0..3);
        prop_oneof![
            1 => inner.clone().prop_map(|element| Flavour::List(Box::new(element))),
            1 => members.prop_map(|members| Flavour::Struct(unique(members))),
            1 => proptest::collection::vec(inner, 2..4).prop_map(Flavour::Mixed),
        ]
    })
    .boxed()
}

/// Names of columns and members: mostly plain, some hard.
pub fn names() -> BoxedStrategy<String> {
    prop_oneof![
        9 => select(vec!["k", "a", "b", "c", "d", "id", "ts"]),
        1 => select(vec!["", "a.b", "K", "é", "a b", "\0", "_extra", "records", "\u{10000}", "\u{ffff}", "*"]),
    ]
    .prop_map(str::to_owned)
    .boxed()
}

/// Members without those whose name stands before.
pub fn unique<T>(members: Vec<(String, T)>) -> Vec<(String, T)> {
    let mut out: Vec<(String, T)> = Vec::new();
    for (name, value) in members {
        if out.iter().all(|(n, _)| *n != name) {
            out.push((name, value));
        }
    }
    out
}
