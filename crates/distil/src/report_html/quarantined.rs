//! What was set aside, why, and what to do next.

use distil_plan::{Reason, Report, format_bytes, format_count};

use super::html::{Html, details};
use super::is_committed;
use super::table::{Table, number, text};
use super::text::counted;

/// The section, where something was set aside.
pub(super) fn section(report: &Report) -> Html {
    let bad = report.records.quarantined;
    if bad.records == 0 && bad.ranges == 0 {
        return Html::default();
    }
    let mut amount = counted(bad.records, "quarantined record");
    if bad.ranges > 0 {
        amount.push_str(&format!(" and {}", counted(bad.ranges, "range")));
    }
    let mut heading = Html::default();
    heading.text(&format!("{amount}, {}", format_bytes(bad.bytes)), 120);
    let mut body = reasons(report);
    body.append(first(report));
    body.append(next(report));
    details(heading, body)
}

fn reasons(report: &Report) -> Html {
    let mut table = Table::new([text("reason"), number("count"), text("what it is")], 20, 3_500);
    for bad in &report.reasons {
        let count = format_count(bad.count);
        table.row([(bad.reason.name(), 40), (&count, 30), (meaning(bad.reason), 100)]);
    }
    match report.reasons.is_empty() {
        true => Html::default(),
        false => table.finish(report.reasons.len() as u64, "reasons"),
    }
}

/// What a reason says, in words.
fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::TooLarge => "longer than the plan allows",
        Reason::InvalidJson => "not one JSON value",
        Reason::TooDeep => "nested deeper than 1,024 levels",
        Reason::NotAnObject => "not an object",
        Reason::DuplicateMember => "a member name occurs twice in one object",
        Reason::RepairedKey => "something was mended in a key or order column",
        Reason::NameClash => "a member has the name of one that the plan adds, but another value",
        Reason::ExtraMember => "a member lies outside the declared schema",
        Reason::BadValue => "a value lies outside its declared type",
        Reason::NullKey => "the key has a null part",
        Reason::BrokenRange => "bytes in which no records can be told apart",
    }
}

/// The files that the bad parts lie in, where a backend does not say more.
fn files(report: &Report) -> Html {
    let mut table = Table::new([text("file"), number("bad"), number("of records")], 10, 1_800);
    let bad = || report.inputs.iter().filter(|input| input.quarantined > 0);
    for input in bad() {
        let (count, records) = (format_count(input.quarantined), format_count(input.records));
        if !table.row([(&input.path, 100), (&count, 30), (&records, 30)]) {
            break;
        }
    }
    match bad().count() {
        0 => Html::default(),
        count => table.finish(count as u64, "files"),
    }
}

/// Where the first bad parts lie, and what is wrong with each.
fn first(report: &Report) -> Html {
    let headings = [text("file"), number("offset"), text("reason"), text("what is wrong")];
    let mut table = Table::new(headings, 10, 4_000);
    for part in &report.set_aside {
        let offset = format_count(part.offset);
        let reason = (part.reason.name(), 40);
        if !table.row([(&part.path, 80), (&offset, 30), reason, (&part.detail, 120)]) {
            break;
        }
    }
    let bad = report.records.quarantined;
    match report.set_aside.is_empty() {
        true => files(report),
        false => table.finish(bad.records.saturating_add(bad.ranges), "records and ranges"),
    }
}

/// What to do next. The file holds the place of each bad part.
fn next(report: &Report) -> Html {
    let mut html = Html::default();
    let Some(file) = report.output.quarantine.as_ref().filter(|_| is_committed(report)) else {
        return html;
    };
    html.around(
        "<div>They are in <code>",
        &file.path,
        200,
        "</code>, each with its file, its offset and what is wrong",
    );
    // Ranges alone can't be read again.
    if file.replays && report.records.quarantined.records > 0 {
        html.markup(
            ". Mend them there, or change nothing, and read the records again: <code style=\"font-weight:bold\">\
             distil replay ",
        );
        let path = shlex::try_quote(&file.path).unwrap_or_default();
        html.text(&path, 300);
        html.markup(" -o NEW.parquet</code>");
    }
    html.markup("</div>\n");
    html
}
