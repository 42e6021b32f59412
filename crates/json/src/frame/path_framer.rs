//! From bytes to slices of the records under a path, in values on lines or one after another.

use distil_plan::{Error, Hint, PathStep, Plan, Reason, RecordsPath, Shape};

use crate::frame::framer::{Step, too_large_detail};
use crate::frame::list::{FrameList, Frames};
use crate::frame::path_walk::{Follows, Outcome, PathWalk};
use crate::parse::tape::skip_blanks;

/// How the values of the file follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Not known before the first value ends: whether there was a line feed in it.
    Unknown(bool),
    Lines,
    Concatenated,
}

#[derive(Debug)]
enum State {
    /// Blanks, and then a value.
    Between,
    Value,
    /// On the line of a value that ended.
    LineEnd,
    /// In a range without records that ends with its line.
    DrainLine {
        start: u64,
        detail: &'static str,
    },
    /// In a range without records that ends with the file.
    Drain {
        start: u64,
        detail: &'static str,
    },
    Done,
}

/// The framer of one file whose records are at a path in its values.
#[derive(Debug)]
pub(crate) struct PathFramer {
    walk: PathWalk,
    mode: Mode,
    state: State,
    max_record: u64,
    /// The names of the path, if it has nothing else, and the plan does not say how values follow each other.
    document: Option<Vec<String>>,
    /// Values that ended or broke.
    values: u64,
    /// Whether a line feed was skipped within a record whose end is not known.
    skipped_line_feed: bool,
    /// A record that was too long to keep, to be told once the frames before it are.
    too_large: Option<(u64, u64)>,
}

impl PathFramer {
    pub(crate) fn new(path: &RecordsPath, shape: &Shape, plan: &Plan) -> Self {
        let mode = match shape {
            Shape::Lines => Mode::Lines,
            Shape::Concatenated | Shape::Array => Mode::Concatenated,
            Shape::Auto | Shape::Document(_) => Mode::Unknown(false),
        };
        // The values of an array are its elements.
        let in_array = match shape {
            Shape::Array => Some(RecordsPath([vec![PathStep::Each], path.0.clone()].concat())),
            _ => None,
        };
        Self {
            walk: PathWalk::new(in_array.as_ref().unwrap_or(path), &plan.add, plan.max_record),
            mode,
            state: State::Between,
            max_record: plan.max_record,
            document: path
                .names()
                .filter(|_| matches!(mode, Mode::Unknown(_)) && plan.add.is_empty()),
            values: 0,
            skipped_line_feed: false,
            too_large: None,
        }
    }

    /// The shape, once it is known.
    pub(crate) fn shape(&self) -> Option<Shape> {
        let walk = &self.walk;
        // One array in one value is what the shape of that name says.
        if let (State::Done, Some(names)) = (&self.state, &self.document)
            && (self.values, walk.arrays, walk.holes, walk.indexed) == (1, 1, 0, 0)
        {
            return Some(Shape::Document(names.clone()));
        }
        match self.mode {
            Mode::Unknown(false) => None,
            Mode::Lines => Some(Shape::Lines),
            Mode::Unknown(true) | Mode::Concatenated => Some(Shape::Concatenated),
        }
    }

    pub(crate) fn walk(&self) -> &PathWalk {
        &self.walk
    }

    /// See [`super::framer::Framer::step`]; `offset` is that of the window.
    pub(crate) fn step(
        &mut self,
        window: &[u8],
        offset: u64,
        is_end: bool,
        cut: &mut Option<String>,
    ) -> Step {
        if let Some((start, end)) = self.too_large.take() {
            return Step::Bad {
                used: 0,
                offset: start,
                length: end - start,
                reason: Reason::TooLarge,
                detail: too_large_detail(self.max_record),
            };
        }
        let mut list = FrameList::default();
        self.walk.begin_list();
        let mut at = 0;
        loop {
            match self.state {
                State::Between => {
                    at = skip_blanks(window, at);
                    if at < window.len() {
                        self.walk.begin();
                        self.state = State::Value;
                        continue;
                    }
                    if is_end {
                        self.state = match cut {
                            Some(_) => State::Drain { start: offset + at as u64, detail: "" },
                            None => State::Done,
                        };
                        if at == 0 && list.is_empty() {
                            continue;
                        }
                    }
                    return slice_or_more(list, at);
                }
                State::Value => {
                    let line_end = match self.mode {
                        Mode::Lines => memchr::memchr(b'\n', &window[at..]).map(|n| at + n),
                        _ => None,
                    };
                    let text = &window[..line_end.unwrap_or(window.len())];
                    let ends = line_end.is_some() || is_end;
                    let from = at;
                    let follows = match (ends, line_end.is_some() || cut.is_none()) {
                        (false, _) => Follows::More,
                        (true, false) => Follows::Cut,
                        (true, true) => Follows::End,
                    };
                    let (used, outcome) = self.walk.advance(text, at, (offset, follows), &mut list);
                    at = used;
                    let has_line_feed = memchr::memchr(b'\n', &window[from..at]).is_some();
                    self.skipped_line_feed |= has_line_feed;
                    if self.walk.skipped_from().is_none()
                        && let Mode::Unknown(line_feed) = &mut self.mode
                    {
                        *line_feed |= std::mem::take(&mut self.skipped_line_feed);
                    }
                    match outcome {
                        Outcome::More if ends => {
                            self.breaks(offset + at as u64, "the file ends inside a value");
                        }
                        Outcome::More => return slice_or_more(list, at),
                        Outcome::Closed => self.value_ended(),
                        Outcome::Broken(detail) => {
                            self.breaks(offset + at as u64, detail);
                        }
                        Outcome::TooLarge(start, is_closed) => {
                            if is_closed {
                                self.value_ended();
                            }
                            self.too_large = Some((start, offset + at as u64));
                            return Step::Skip { used: at }.with(list, at);
                        }
                        Outcome::Wrong(what) => {
                            return Step::Fail(
                                Error::input(what)
                                    .at("", Some(offset + at as u64))
                                    .help(Hint::choose("say where the records are", "records")),
                            );
                        }
                    }
                }
                State::LineEnd => {
                    while let Some(b' ' | b'\t' | b'\r') = window.get(at) {
                        at += 1;
                    }
                    match window.get(at) {
                        Some(b'\n') => self.state = State::Between,
                        None if is_end => self.state = State::Between,
                        None => return slice_or_more(list, at),
                        Some(_) => {
                            let start = offset + at as u64;
                            let detail = "more than one value on a line";
                            self.state = State::DrainLine { start, detail };
                        }
                    }
                }
                State::DrainLine { start, detail } => {
                    if !list.is_empty() {
                        return slice_or_more(list, at);
                    }
                    let end = memchr::memchr(b'\n', &window[at..]).map(|n| at + n);
                    let Some(end) = end.or(is_end.then_some(window.len())) else {
                        return Step::more(window.len());
                    };
                    if end == window.len() && cut.is_some() {
                        self.state = State::Drain { start, detail };
                        continue;
                    }
                    self.state = State::Between;
                    return broken_range(start, offset, end, detail.to_owned());
                }
                State::Drain { start, detail } => {
                    if !list.is_empty() {
                        return slice_or_more(list, at);
                    }
                    if !is_end {
                        return Step::more(window.len());
                    }
                    self.state = State::Done;
                    let detail = cut.take().unwrap_or_else(|| detail.to_owned());
                    return broken_range(start, offset, window.len(), detail);
                }
                State::Done => return Step::Done,
            }
        }
    }

    /// A value ended: the first one says what the others are like.
    fn value_ended(&mut self) {
        self.values += 1;
        if let Mode::Unknown(line_feed) = self.mode {
            self.mode = if line_feed { Mode::Concatenated } else { Mode::Lines };
        }
        self.state = match self.mode {
            Mode::Lines => State::LineEnd,
            _ => State::Between,
        };
    }

    /// The value breaks before this offset: the range begins with the record or the token that is unfinished, or
    /// does not fit.
    fn breaks(&mut self, at: u64, detail: &'static str) {
        self.values += 1;
        let start = self.walk.skipped_from().unwrap_or(at - self.walk.token_length());
        if let Mode::Unknown(line_feed) = self.mode {
            self.mode = if line_feed { Mode::Concatenated } else { Mode::Lines };
        }
        self.state = match self.mode {
            Mode::Lines => State::DrainLine { start, detail },
            _ => State::Drain { start, detail },
        };
    }
}

fn broken_range(start: u64, offset: u64, end: usize, detail: String) -> Step {
    let length = offset + end as u64 - start;
    Step::Bad { used: end, offset: start, length, reason: Reason::BrokenRange, detail }
}

/// The frames that were found, or what is done with where there are none.
fn slice_or_more(list: FrameList, at: usize) -> Step {
    Step::more(at).with(list, at)
}

impl Step {
    fn more(used: usize) -> Self {
        if used > 0 { Self::Skip { used } } else { Self::More }
    }

    /// A slice of these frames, if there are any.
    fn with(self, list: FrameList, end: usize) -> Self {
        if list.is_empty() {
            return self;
        }
        Self::Slice { end, used: end, frames: Frames::Listed(list) }
    }
}
