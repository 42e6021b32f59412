use std::io::Write;

use super::*;

fn of(text: &str, shape: &str) -> Framed {
    frames(text.as_bytes(), &shape.parse().unwrap()).unwrap()
}

fn texts(framed: &Framed) -> Vec<&str> {
    let text = |(at, length): &(usize, usize)| {
        std::str::from_utf8(&framed.content[*at..at + length]).unwrap()
    };
    framed.frames.iter().map(text).collect()
}

fn expect(text: &str, shape: &str, frames: &[&str], broken_at: Option<usize>) {
    let framed = of(text, shape);
    assert_eq!((texts(&framed), framed.broken_at), (frames.to_vec(), broken_at), "{text}");
}

#[test]
fn auto_decides_by_the_first_object() {
    for (text, shape) in [
        ("", "lines"),
        (" \n", "lines"),
        (" [1]", "array"),
        ("7", "lines"),
        ("\u{feff}{\"records\" : [", "document:/records"),
        ("{\"a\":{\"records\":[]}, \"r\\u0065cords\":\n[1]}", "document:/records"),
        ("{\"records\":{}}", "lines"),
        ("{\"a\":1}\n{\"b\":2}", "lines"),
        ("\n\n{\"a\":1}\n{\"b\":2}", "lines"),
        ("{\"a\":1}{\"b\":2}", "concatenated"),
        ("{\"a\":1} {\"b\":2}", "lines"),
        ("{\n}", "concatenated"),
        ("{\"a\":1,}\n{\"records\":[]}", "lines"),
        ("{\"a\":1,\n}", "concatenated"),
        ("{\"a\":", "lines"),
        ("{\"a\":\n", "concatenated"),
    ] {
        assert_eq!(
            auto(text.trim_start_matches('\u{feff}').as_bytes(), 0).to_string(),
            shape,
            "{text}"
        );
    }
}

#[test]
fn lines_are_frames_without_the_blanks_around_them() {
    expect(" {\"a\":1} \r\n\r\n \t\n1 2\n{", "lines", &["{\"a\":1}", "1 2", "{"], None);
    assert_eq!(of("\u{feff} 1\n", "lines").frames, [(4, 1)]);
}

#[test]
fn arrays_break_where_a_byte_does_not_fit() {
    expect("[]", "array", &[], None);
    expect(" [ {\"a]\\\"\":[1}} , tru ]\n", "array", &["{\"a]\\\"\":[1}}", "tru"], None);
    expect("[1,]", "array", &["1"], Some(3));
    expect("[,1]", "array", &[], Some(1));
    expect("[1 2]", "array", &["1"], Some(3));
    expect("[{}{}]", "array", &["{}"], Some(3));
    expect("[tru\"a\"]", "array", &["tru"], Some(4));
    expect("[1,{\"a\":1", "array", &["1"], Some(3));
    expect("[1,\"ab\\\"", "array", &["1"], Some(3));
    expect("[1, ", "array", &["1"], Some(4));
    expect("[1", "array", &["1"], Some(2));
    expect("[", "array", &[], Some(1));
    expect("[1] x", "array", &["1"], Some(4));
    expect("[}]", "array", &[], Some(1));
    expect("[:,1]", "array", &[":", "1"], None);
    assert!(frames(b"{}", &Shape::Array).is_err());
    assert!(frames(b" ", &Shape::Array).is_err());
}

#[test]
fn concatenated_values_need_no_blanks() {
    expect(
        "{}[1]\"a\"tru\"b\" 1\n2",
        "concatenated",
        &["{}", "[1]", "\"a\"", "tru", "\"b\"", "1", "2"],
        None,
    );
    expect("{},{}", "concatenated", &["{}"], Some(2));
    expect("{}{\"a\":", "concatenated", &["{}"], Some(2));
    expect("", "concatenated", &[], None);
}

#[test]
fn documents_name_what_they_ignore_and_break_beside_the_array() {
    let framed = of("{\"x\":[{\"records\":[9]}],\"records\":[1,2],\"y\":2,\"x\":3}\n", "/records");
    assert_eq!((texts(&framed), framed.broken_at), (vec!["1", "2"], None));
    assert_eq!(framed.ignored_members, ["x", "y"]);
    expect("{\"a\":{\"b\":[1]}}", "/a/b", &["1"], None);
    expect("{\"a\":[1],\"b\":tru}", "/a", &["1"], Some(13));
    expect("{\"a\":[1]", "/a", &["1"], Some(8));
    expect("{\"a\":[1],}", "/a", &["1"], Some(9));
    expect("{\"b\":01,\"a\":[1]}", "/a", &[], Some(5));
    expect("{\"b\":1", "/a", &[], Some(5));
    expect("{\"b\":1 ", "/a", &[], Some(7));
    expect("{\"a\":[1],\"b\":[null", "/a", &["1"], Some(14));
    expect("{\"a\"", "/a", &[], Some(4));
    for (text, path) in [
        ("{}", "/a"),
        ("[]", "/a"),
        ("", "/a"),
        ("{\"b\":1}", "/a"),
        ("{\"a\":1}", "/a"),
        ("{\"a\":null}", "/a"),
        ("{\"a\":[],\"\\u0061\":[]}", "/a"),
        ("{\"a\":[]} {\"a\":[]}", "/a"),
        ("{\"a\":[]}", "/a/b"),
        ("{\"a\":{\"b\":[]},\"a\":{}}", "/a/b"),
    ] {
        assert!(frames(text.as_bytes(), &path.parse().unwrap()).is_err(), "{text}");
    }
}

#[test]
fn a_member_beside_the_array_nests_1024_levels_counted_from_the_document() {
    let document = |n: usize| format!("{{\"x\":{}{},\"a\":[1]}}", "[".repeat(n), "]".repeat(n));
    expect(&document(1023), "/a", &["1"], None);
    expect(&document(1024), "/a", &[], Some(5 + 1023));
}

#[test]
fn a_cut_stream_leaves_its_unfinished_frame_as_a_bad_range() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(b"{\"a\":1}\n {\"a\":2").unwrap();
    let mut bytes = gzip.finish().unwrap();
    let framed = frames(&bytes, &Shape::Lines).unwrap();
    assert_eq!((texts(&framed), framed.broken_at), (vec!["{\"a\":1}", "{\"a\":2"], None));
    bytes.truncate(bytes.len() - 8);
    let framed = frames(&bytes, &Shape::Lines).unwrap();
    assert_eq!((texts(&framed), framed.broken_at), (vec!["{\"a\":1}"], Some(9)));
    let framed = frames(&bytes, &Shape::Concatenated).unwrap();
    assert_eq!(framed.broken_at, Some(9));
    let mut twice = zstd::encode_all(&b"[1,"[..], 1).unwrap();
    twice.extend(zstd::encode_all(&b"2]"[..], 1).unwrap());
    assert_eq!(texts(&frames(&twice, &Shape::Auto).unwrap()), ["1", "2"]);
    twice.extend(b"junk");
    let framed = frames(&twice, &Shape::Auto).unwrap();
    assert_eq!((texts(&framed), framed.broken_at), (vec!["1", "2"], Some(5)));
}

#[test]
fn utf_16_and_32_are_refused() {
    for bytes in
        [&b"\xff\xfe{\0"[..], b"\xfe\xff\0{", b"{\0}\0", b"\0{", b"\0\0\0{", b"\0\0\xfe\xff"]
    {
        assert!(frames(bytes, &Shape::Auto).is_err(), "{bytes:?}");
    }
    assert!(frames(b"\0\0", &Shape::Auto).is_ok());
}
