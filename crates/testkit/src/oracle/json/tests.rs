use super::*;

fn broken(text: &[u8]) -> (Reason, usize) {
    let broken = parse(text).unwrap_err();
    (broken.reason, broken.at)
}

fn number(text: &str) -> Decimal {
    match parse(text.as_bytes()).unwrap().value {
        Value::Number(n) => n,
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_are_exact_and_normalised() {
    for (text, negative, digits, exponent) in [
        ("0", false, "", 0),
        ("-0", false, "", 0),
        ("-0.000e99999999999999999999", false, "", 0),
        ("100", false, "1", 3),
        ("-12.50", true, "125", 2),
        ("0.00120e2", false, "12", 0),
        ("1E+2", false, "1", 3),
        ("1e999999999", false, "1", 1_000_000_000),
        ("1e-1000000001", false, "1", -1_000_000_000),
    ] {
        let n = number(text);
        assert_eq!((n.negative, n.digits.as_str(), n.exponent), (negative, digits, exponent));
    }
    assert_eq!(number("9007199254740993").integer, Some(16));
    assert_eq!(number("1e2").integer, None);
    assert_eq!(number("1.0").integer, None);
    assert_eq!(broken(b"1e1000000000"), (Reason::InvalidJson, 0));
    assert_eq!(broken(b"[1e-1000000002]"), (Reason::InvalidJson, 1));
}

#[test]
fn numbers_order_by_value() {
    let order = ["-1e400", "-10", "-9.99", "-0.1", "0", "5e-324", "0.1", "1", "1.5", "9", "10"];
    for (at, a) in order.iter().enumerate() {
        for (other, b) in order.iter().enumerate() {
            assert_eq!(number(a).cmp_exact(&number(b)), at.cmp(&other), "{a} {b}");
        }
    }
    assert_eq!(number("1.0"), number("1"));
    assert_eq!(number("10e-1"), number("1"));
}

#[test]
fn doubles_denote_their_shortest_text() {
    for same in ["0.1", "5e-324", "1e22", "9007199254740992", "1.7976931348623157e308", "-0.0"] {
        assert_eq!(number(same).nearest_f64(), Some(number(same)), "{same}");
    }
    for other in ["9007199254740993", "1152921504606846976", "0.1000000000000000055", "1e-400"] {
        assert_ne!(number(other).nearest_f64(), Some(number(other)), "{other}");
    }
    let between = number("2013509559120858.25");
    assert_eq!(between.nearest_f64(), Some(number("2013509559120858.2")));
    let between = number("-2013509559120858.75");
    assert_eq!(between.nearest_f64(), Some(number("-2013509559120858.8")));
    assert_eq!(number("2097152.25").nearest_f32(), Some(number("2097152.2")));
    assert_eq!(number("0.5").nearest_f64(), Some(number("0.5")));
    assert_eq!(number("1e400").nearest_f64(), None);
    assert_eq!(number("3.4028236e38").nearest_f32(), None);
    assert_eq!(number("16777217").nearest_f32(), Some(number("16777216")));
}

#[test]
fn what_is_not_json_breaks_at_its_token() {
    for (text, at) in [
        (&b""[..], 0),
        (b" ", 1),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":1,}", 7),
        (b"{'a':1}", 1),
        (b"{a:1}", 1),
        (b"[NaN]", 1),
        (b"[01]", 1),
        (b"[1.]", 1),
        (b"[.5]", 1),
        (b"[+1]", 1),
        (b"[-]", 1),
        (b"[1e]", 1),
        (b"[tru]", 1),
        (b"\"\\x\"", 0),
        (b"\"\\ud800\"", 0),
        (b"\"\\udc00\"", 0),
        (b"\"\\ud800\\u0041\"", 0),
        (b"\"\\u12g4\"", 0),
        (b"\"\\u+123\"", 0),
        (b"\"a\nb\"", 0),
        (b"\"\xff\"", 0),
        (b"\"\xc0\x80\"", 0),
        (b"\"\xed\xa0\x80\"", 0),
        (b"\"abc", 0),
        (b"{} {}", 3),
        (b"[1] //", 4),
        (b"\xef\xbb\xbf1", 0),
        (b"1\x0c", 0),
        (b"1 \x0b", 2),
        (b"\xd9\xa1", 0),
    ] {
        assert_eq!(broken(text), (Reason::InvalidJson, at), "{}", text.escape_ascii());
    }
}

#[test]
fn escapes_decode() {
    let text = br#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00\u0000\u00E9""#;
    let expected = "\"\\/\u{8}\u{c}\n\r\tA\u{1f600}\0\u{e9}";
    assert_eq!(parse(text).unwrap().value, Value::String(expected.into()));
}

#[test]
fn level_1024_is_the_last() {
    let nested = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    assert!(parse(nested("[", "]", 1024).as_bytes()).is_ok());
    assert_eq!(broken(nested("[", "]", 1025).as_bytes()), (Reason::TooDeep, 1024));
    assert!(parse((nested("{\"a\":", "}", 1024).replace(":}", ":1}")).as_bytes()).is_ok());
    assert_eq!(broken("[".repeat(1_000_000).as_bytes()), (Reason::TooDeep, 1024));
    assert_eq!(broken(b"[}"), (Reason::InvalidJson, 1));
    assert_eq!(broken(("[x".to_owned() + &"[".repeat(2000)).as_bytes()).0, Reason::InvalidJson);
}

#[test]
fn duplicates_are_seen_at_any_depth_after_decoding() {
    assert!(!parse(br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).unwrap().duplicate);
    assert!(parse(br#"{"a":1,"\u0061":2}"#).unwrap().duplicate);
    assert!(parse(br#"{"b":[{"a":1,"a":1}]}"#).unwrap().duplicate);
}
