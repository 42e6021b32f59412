use super::*;

/// A number as the tests know it: a sign and 160 places on both sides of the point.
struct Naive {
    negative: bool,
    places: String,
}

const PLACES: usize = 160;

fn naive(text: &str) -> Naive {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = PLACES as i64 - exponent.parse::<i64>().unwrap();
    let digits = format!("{whole}{fraction}");
    let mut places = vec![b'0'; 2 * PLACES];
    for (index, digit) in digits.bytes().enumerate() {
        let place = point - whole.len() as i64 + index as i64;
        if digit != b'0' {
            places[usize::try_from(place).unwrap()] = digit;
        }
    }
    let places = String::from_utf8(places).unwrap();
    Naive { negative: negative && places.bytes().any(|digit| digit != b'0'), places }
}

fn naive_cmp(a: &Naive, b: &Naive) -> Ordering {
    match (a.negative, b.negative) {
        (false, false) => a.places.cmp(&b.places),
        (true, true) => b.places.cmp(&a.places),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// A small deterministic source of variety.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn digits(&mut self, least: u64, most: u64) -> String {
        let count = least + self.roll(most - least + 1);
        let alphabet = if self.roll(2) == 0 { "0123456789" } else { "0019" };
        let pick = |dice: &mut Self| {
            char::from(alphabet.as_bytes()[dice.roll(alphabet.len() as u64) as usize])
        };
        (0..count).map(|_| pick(self)).collect()
    }

    fn number(&mut self) -> String {
        let mut text = String::from(if self.roll(2) == 0 { "-" } else { "" });
        let whole = self.digits(1, 25);
        let whole = whole.trim_start_matches('0');
        text.push_str(if whole.is_empty() { "0" } else { whole });
        if self.roll(2) == 0 {
            text.push('.');
            text.push_str(&self.digits(1, 25));
        }
        if self.roll(2) == 0 {
            text.push_str(["e", "E", "e-", "E+"][self.roll(4) as usize]);
            let exponent = self.roll(90).to_string();
            text.push_str(&exponent);
        }
        text
    }
}

fn parse(text: &str) -> Decimal<'_> {
    Decimal::parse(text.as_bytes()).unwrap()
}

fn canonical(value: &Decimal<'_>) -> String {
    let mut out = Vec::new();
    value.write_canonical(&mut out);
    String::from_utf8(out).unwrap()
}

fn cases() -> u64 {
    std::env::var("DISTIL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

#[test]
fn numbers_compare_by_their_exact_value() {
    let mut dice = Dice(1);
    for _ in 0..cases() {
        let a = dice.number();
        // Half of the pairs are close, so that the comparison has to look at the last digit.
        let b = match dice.roll(4) {
            0 => a.replacen('9', "8", 1),
            1 if a.contains('.') && !a.to_ascii_lowercase().contains('e') => format!("{a}00"),
            _ => dice.number(),
        };
        let expected = naive_cmp(&naive(&a), &naive(&b));
        assert_eq!(parse(&a).cmp(&parse(&b)), expected, "{a} against {b}");
        assert_eq!(parse(&a) == parse(&b), expected.is_eq(), "{a} against {b}");
    }
}

#[test]
fn the_canonical_text_denotes_the_same_number_and_is_a_fixed_point() {
    let mut dice = Dice(2);
    for _ in 0..cases() {
        let text = dice.number();
        let number = parse(&text);
        let short = canonical(&number);
        assert_eq!(naive(&short).places, naive(&text).places, "{text} as {short}");
        assert_eq!(naive(&short).negative, naive(&text).negative, "{text} as {short}");
        assert_eq!(canonical(&parse(&short)), short);
        let (head, tail) = number.digits();
        let digits = [head, tail].concat();
        assert!(number.is_zero() || digits[0] != b'0' && digits[digits.len() - 1] != b'0');
    }
}

#[test]
fn the_canonical_text_switches_forms_where_semantics_2_4_says() {
    for (text, expected) in [
        ("-0.0e5", "0"),
        ("0", "0"),
        ("1", "1"),
        ("-120.50", "-120.5"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e21"),
        ("12e20", "1200000000000000000000"),
        ("12E+21", "1.2e22"),
        ("0.1", "0.1"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("0.00000123", "0.00000123"),
        ("0.000000123", "1.23e-7"),
        ("123.456e1", "1234.56"),
        ("100.001", "100.001"),
        ("1e999999999", "1e999999999"),
    ] {
        assert_eq!(canonical(&parse(text)), expected, "{text}");
    }
}

#[test]
fn exponents_beyond_a_billion_are_refused_unless_the_number_is_zero() {
    let refused = |text: &str| Decimal::parse(text.as_bytes()) == Err(ExponentOutOfRange);
    assert!(refused("1e1000000000"), "0.1 × 10^1000000001");
    assert!(!refused("0.1e1000000000"));
    assert!(!refused("1e-1000000001"));
    assert!(refused("1e-1000000002"));
    assert!(refused("9e99999999999999999999999999"));
    assert!(refused("-9e-99999999999999999999999999"));
    assert!(!refused("0.000e99999999999999999999999999"));
    assert!(!refused("0.0001e1000000003"));
    assert!(refused("0.0001e1000000004"));
}

#[test]
fn floats_are_the_nearest_and_exact_only_if_their_shortest_text_is_the_number() {
    let mut dice = Dice(3);
    for _ in 0..cases() {
        let text = dice.number();
        let double: f64 = text.parse().unwrap();
        let number = parse(&text);
        assert!(number.to_f64() == double, "{text}: {} is not {double}", number.to_f64());
        assert!(number.to_f32() == text.parse::<f32>().unwrap(), "{text}");
        let mut buffer = ryu::Buffer::new();
        let shortest = buffer.format_finite(double);
        let expected = naive(shortest).places == naive(&text).places;
        assert_eq!(number.is_exact_f64(), expected, "{text} against {shortest}");
    }
    for (text, expected) in [
        ("0.1", true),
        ("1e400", false),
        ("1e-400", false),
        ("5e-324", true),
        ("4e-324", false),
        ("1.7976931348623157e308", true),
        ("9007199254740993", false),
        ("0.30000000000000004", true),
        ("0.300000000000000040", true),
        ("0.30000000000000005", false),
        // Both are shortest, and equally near to this double; the even digit is its text.
        ("991000110009000.2", true),
        ("991000110009000.3", false),
        ("0e400", true),
    ] {
        assert_eq!(parse(text).is_exact_f64(), expected, "{text}");
    }
}

#[test]
fn integers_and_scaled_integers_convert_both_ways_and_never_round() {
    let mut scratch = Scratch::new();
    for value in [0, 1, -1, 10, 1_000, -12_300, i64::MAX, i64::MIN] {
        let number = Decimal::from_i64(value, &mut scratch);
        assert_eq!(number.to_i64(), Some(value));
        assert_eq!(number, parse(&value.to_string()));
        assert_eq!(number.to_f64(), value as f64);
    }
    for value in [0, 5, -50, i128::MAX, i128::MIN] {
        for scale in [-3, 0, 2, 38] {
            let number = Decimal::from_i128(value, scale, &mut scratch);
            assert_eq!(number.to_scaled_i128(scale), Some(value), "{value} scale {scale}");
        }
    }
    assert_eq!(Decimal::from_u64(u64::MAX, &mut scratch), parse("18446744073709551615"));
    assert_eq!(Decimal::from_i128(12345, 3, &mut scratch), parse("12.345"));
    assert_eq!(parse("9223372036854775808").to_i64(), None);
    assert_eq!(parse("1e2").to_i64(), Some(100));
    assert_eq!(parse("1.0").to_i64(), Some(1));
    assert_eq!(parse("1.5").to_i64(), None);
    assert_eq!(parse("1.5").to_scaled_i128(1), Some(15));
    assert_eq!(parse("1e40").to_i128(), None);
    assert_eq!(parse("170141183460469231731687303715884105728").to_i128(), None);
    assert_eq!(parse("-170141183460469231731687303715884105728").to_i128(), Some(i128::MIN));
}

#[test]
fn floats_count_as_their_shortest_text() {
    let mut scratch = Scratch::new();
    for (value, text) in
        [(0.1, "0.1"), (-0.0, "0"), (1e300, "1e300"), (5e-324, "5e-324"), (100.0, "100")]
    {
        assert_eq!(Decimal::from_f64(value, &mut scratch), Some(parse(text)));
    }
    assert_eq!(Decimal::from_f32(0.1, &mut scratch), Some(parse("0.1")));
    assert_eq!(Decimal::from_f64(f64::NAN, &mut scratch), None);
    assert_eq!(Decimal::from_f32(f32::INFINITY, &mut scratch), None);
}
