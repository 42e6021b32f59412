use super::*;

fn read(text: &str) -> Option<(Kind, Option<String>)> {
    Spelled::read(text.as_bytes()).map(|spelled| {
        let shape = spelled.shape.map(Shape::to_bytes);
        (spelled.kind, shape.map(|shape| String::from_utf8_lossy(&shape).into_owned()))
    })
}

fn falls(text: &str, kind: Kind, shape: &str) {
    assert_eq!(read(text), Some((kind, Some(shape.to_owned()))), "{text}");
}

#[test]
fn forms_of_falling_units_have_a_shape() {
    falls("10", Kind::Number, "00");
    falls("007", Kind::Number, "000");
    falls("1.50", Kind::Number, "0.00");
    falls("1.9.0", Kind::Version, "0.0.0");
    falls("v10", Kind::Version, "v00");
    falls("20240501", Kind::Number, "00000000");
    falls("2024-05-01", Kind::Instant, "0000-00-00");
    falls("2024/05/01 08:31", Kind::Instant, "0000/00/00 00:00");
    falls("2024.05.01", Kind::Instant, "0000.00.00");
    falls("2024-05-01T08:31:27.123+02:00", Kind::Instant, "0000-00-00T00:00:00.000+02:00");
    falls("2024-05-01 08:31:27 UTC", Kind::Instant, "0000-00-00 00:00:00 UTC");
    falls("20240501T083127Z", Kind::Instant, "00000000T000000Z");
}

#[test]
fn other_forms_are_told_and_have_none() {
    for (text, kind) in [
        ("-1", Kind::Number),
        ("+1", Kind::Number),
        ("9 ", Kind::Number),
        ("1e5", Kind::Number),
        ("30-04-2024 17:04:01", Kind::Instant),
        ("30.04.2024", Kind::Instant),
        ("30.04.24", Kind::Instant),
        ("4/30/24", Kind::Instant),
        ("04/30/2024, 5:04 PM", Kind::Instant),
        ("2024-04-30 05:04:01 pm", Kind::Instant),
        ("Wed Aug 27 13:08:45 +0000 2008", Kind::Instant),
        ("Wed Aug  7 13:08:45 2008", Kind::Instant),
        ("Wed Aug 27 13:08:45 UTC 2008", Kind::Instant),
        ("Wed, 27 Aug 2008 13:08:45 GMT", Kind::Instant),
        ("27 Aug 2008 13:08 -0700", Kind::Instant),
        ("27-AUG-08", Kind::Instant),
        ("10/Oct/2000:13:55:36 -0700", Kind::Instant),
        ("August 27, 2008", Kind::Instant),
        ("May 1 2008", Kind::Instant),
        ("Aug 27, 2008, 1:08 PM", Kind::Instant),
    ] {
        assert_eq!(read(text), Some((kind, None)), "{text}");
    }
}

#[test]
fn words_are_nothing_else() {
    for text in [
        "",
        " ",
        "apple",
        "v",
        "version 9",
        "0x1F",
        "1,234",
        "1.",
        ".5",
        "1..2",
        "1.2.",
        "-",
        "e5",
        "may",
        "Monday",
        "2024-13-01",
        "2024-02-30",
        "2024-05-01T24:00:00",
        "2024-05-01T08:31:60Z",
        "2024-05-01T",
        "2024-05",
        "08:31",
        "Wed Aug 27",
        "13:08 PM",
        "2024-05-01 13:08 PM",
        "9/10",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024-05-01Z",
        "2024-05-01 08:31:27 Berlin",
        "99/99/2024",
        "1-2-3",
        "Ünder",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&"1".repeat(65)), None);
}
