//! Records as text.

use crate::calendar;
use crate::records::Record;

const DAY: i64 = 86_400_000;

/// The five digits of an id.
pub fn id_text(record: &Record) -> [u8; 5] {
    let mut text = [b'0'; 5];
    put(&mut text, u64::from(record.id) + 10_000);
    text
}

/// The three letters of data.
pub fn data_text(record: &Record) -> [u8; 3] {
    [record.data / 676, record.data / 26 % 26, record.data % 26].map(|letter| b'A' + letter as u8)
}

/// An instant as `YYYY-MM-DDThh:mm:ss.fffZ`.
fn instant_text(instant: i64) -> [u8; 24] {
    let (year, month, day) = calendar::date_of(instant.div_euclid(DAY));
    let millisecond = instant.rem_euclid(DAY) as u64;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year as u64);
    put(&mut text[5..7], month as u64);
    put(&mut text[8..10], day as u64);
    put(&mut text[11..13], millisecond / 3_600_000);
    put(&mut text[14..16], millisecond / 60_000 % 60);
    put(&mut text[17..19], millisecond / 1000 % 60);
    put(&mut text[20..23], millisecond % 1000);
    text
}

/// Appends a record as JSON, spaced as Python's `json.dump` does.
pub fn write_record(record: &Record, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\": \"");
    out.extend_from_slice(&id_text(record));
    out.extend_from_slice(b"\", \"data\": \"");
    out.extend_from_slice(&data_text(record));
    out.extend_from_slice(b"\", \"ts\": \"");
    out.extend_from_slice(&instant_text(record.instant));
    out.extend_from_slice(b"\"}");
}

/// Fills the room with the last digits of a number.
fn put(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_in_the_plan() {
        let mut out = Vec::new();
        write_record(&Record { id: 101, data: 28, instant: 1_556_040_343_111 }, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"}"#
        );
        assert_eq!(&instant_text(-1), b"1969-12-31T23:59:59.999Z");
        assert_eq!(&data_text(&Record { id: 0, data: 17_575, instant: 0 }), b"ZZZ");
    }
}
