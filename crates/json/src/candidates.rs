//! Where in values there may be records: objects that have some members, by their place.

use std::collections::{HashMap, HashSet};

use distil_plan::{PathStep, RecordsPath};

use crate::frame::syntax::{Event, Syntax};
use crate::parse::tape::unescape;

/// Most places that are counted, and their most steps.
const MOST_PLACES: usize = 10_000;
const DEEPEST: usize = 12;
/// Most bytes of a name in a path that somebody would type; a place keeps those of all its steps.
const LONGEST_NAME: usize = 200;

/// An open object or list.
struct Open {
    is_object: bool,
    /// The step that led here: a name, or an element.
    step: Option<String>,
    /// Whether a name on the way here is too long to be kept.
    is_too_far: bool,
    /// Which of the wanted members it has, by their numbers.
    has: HashSet<usize>,
}

/// Counts objects that have all of some members.
pub struct Candidates {
    /// The names of the members, numbered.
    wanted: HashMap<String, usize>,
    syntax: Syntax,
    open: Vec<Open>,
    name: Option<String>,
    is_lost: bool,
    /// Values of the file at hand, and what was found in it.
    values: u64,
    here: HashMap<Place, u64>,
    places: HashMap<Place, u64>,
    at_root: u64,
}

/// Steps from a value to an object: names, and `None` for elements of lists.
type Place = Vec<Option<String>>;

impl Candidates {
    /// Of objects that have members of all these names.
    pub fn having(wanted: Vec<String>) -> Self {
        let mut numbered = HashMap::new();
        for name in wanted {
            let number = numbered.len();
            numbered.entry(name).or_insert(number);
        }
        Self {
            wanted: numbered,
            syntax: Syntax::new(),
            open: Vec::new(),
            name: None,
            is_lost: false,
            values: 0,
            here: HashMap::new(),
            places: HashMap::new(),
            at_root: 0,
        }
    }

    /// Looks at the bytes of a file, from its beginning; it may end anywhere.
    pub fn read(&mut self, bytes: &[u8]) {
        self.begin();
        self.is_lost = false;
        self.values = 0;
        for &byte in bytes {
            if self.is_lost {
                // The next line may hold a value again.
                if byte == b'\n' {
                    self.is_lost = false;
                    self.begin();
                }
                continue;
            }
            self.byte(byte);
        }
        // The elements of an array that is all of a file are records without a path.
        let in_array = if self.values < 2 { self.here.remove(&vec![None]) } else { None };
        let at_root = self.here.remove(&Vec::new());
        self.at_root += in_array.unwrap_or(0) + at_root.unwrap_or(0);
        for (place, count) in self.here.drain() {
            *self.places.entry(place).or_default() += count;
        }
    }

    /// How many objects with these members are records where nothing says where records are.
    pub fn at_root(&self) -> u64 {
        self.at_root
    }

    fn begin(&mut self) {
        self.syntax = Syntax::new();
        self.open.clear();
        self.name = None;
    }

    fn byte(&mut self, byte: u8) {
        if self.syntax.begins_value(byte) {
            if self.open.is_empty() && !matches!(byte, b'{' | b'[') {
                self.is_lost = true;
                return;
            }
            self.values += u64::from(self.open.is_empty());
            let step = self.name.take();
            if matches!(byte, b'{' | b'[') {
                let is_long = step.as_ref().is_some_and(|name| name.len() > LONGEST_NAME);
                let is_too_far = is_long || self.open.last().is_some_and(|open| open.is_too_far);
                let step = step.filter(|_| !is_long);
                let has = HashSet::new();
                self.open.push(Open { is_object: byte == b'{', step, is_too_far, has });
            }
        }
        match self.syntax.feed(byte) {
            Ok(Event::Name) => self.name_ended(),
            Ok(event) => {
                while self.open.len() > self.syntax.depth() {
                    self.closed();
                }
                if event == Event::Closed {
                    self.begin();
                }
            }
            Err(_) => self.is_lost = true,
        }
    }

    fn name_ended(&mut self) {
        let mut name = Vec::new();
        unescape(self.syntax.name(), &mut name);
        let name = String::from_utf8_lossy(&name).into_owned();
        if let Some(open) = self.open.last_mut() {
            open.has.extend(self.wanted.get(&name));
        }
        self.name = Some(name);
    }

    fn closed(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let is_one = open.is_object && open.has.len() == self.wanted.len();
        if !is_one || open.is_too_far || self.open.len() > DEEPEST {
            return;
        }
        let steps = self.open.iter().map(|open| open.step.clone()).chain([open.step]);
        let place: Place = steps.skip(1).collect();
        let known = self.places.len() + self.here.len();
        if known < MOST_PLACES || self.here.contains_key(&place) {
            *self.here.entry(place).or_default() += 1;
        }
    }

    /// The paths at which such objects are, those with the most of them first. Members that lie beside each
    /// other are a map, whose names would make a column.
    pub fn paths(self) -> Vec<(RecordsPath, u64)> {
        let column = if self.wanted.contains_key("name") { "member" } else { "name" };
        let mut found: HashMap<RecordsPath, u64> = HashMap::new();
        let mut beside: HashMap<Place, (u64, u64)> = HashMap::new();
        for (place, count) in &self.places {
            if place.last().is_some_and(Option::is_some) {
                let around = place[..place.len() - 1].to_vec();
                let (members, objects) = beside.entry(around).or_default();
                *members += 1;
                *objects += count;
            }
        }
        for (mut place, count) in self.places {
            let is_in_list = place.last().is_some_and(Option::is_none);
            if is_in_list && place.len() > 1 {
                place.pop();
            }
            if is_in_list || beside.get(&place[..place.len() - 1]).is_none_or(|(n, _)| *n < 2) {
                *found.entry(path(&place)).or_default() += count;
            }
        }
        for (place, (members, objects)) in beside {
            if members > 1 {
                let mut path = path(&place);
                path.0.push(PathStep::Member(column.to_owned()));
                *found.entry(path).or_default() += objects;
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|a, b| {
            (b.1, a.0.0.len(), a.0.to_string()).cmp(&(a.1, b.0.0.len(), b.0.to_string()))
        });
        found
    }
}

fn path(place: &[Option<String>]) -> RecordsPath {
    let step = |step: &Option<String>| match step {
        Some(name) => PathStep::Name(name.clone()),
        None => PathStep::Each,
    };
    RecordsPath(place.iter().map(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, wanted: &[&str]) -> Vec<(String, u64)> {
        let mut candidates = Candidates::having(wanted.iter().map(|s| (*s).to_owned()).collect());
        candidates.read(text.as_bytes());
        candidates.paths().into_iter().map(|(path, n)| (path.to_string(), n)).collect()
    }

    fn expect(text: &str, wanted: &[&str], found: &[(&str, u64)]) {
        let expected: Vec<_> = found.iter().map(|(path, n)| ((*path).to_owned(), *n)).collect();
        assert_eq!(paths(text, wanted), expected, "{text}");
    }

    #[test]
    fn objects_are_found_in_lists_and_maps_and_members() {
        expect("{\"Records\":[{\"id\":1},{\"id\":2},{\"x\":3}]}", &["id"], &[("/Records", 2)]);
        expect(
            "{\"data\":{\"items\":[{\"id\":1}]}}\n{\"data\":{\"items\":[{\"id\":1}]}}",
            &["id"],
            &[("/data/items", 2)],
        );
        expect("[{\"id\":1}]\n[{\"id\":2}]", &["id"], &[("/*", 2)]);
        expect("{\"u\":{\"a\":{\"id\":1},\"b\":{\"id\":2}}}", &["id"], &[("/u/{name}", 2)]);
        expect("{\"_source\":{\"id\":1}}", &["id"], &[("/_source", 1)]);
        expect(
            "{\"a\":[{\"b\":[{\"id\":1},{\"id\":2}]}],\"c\":[{\"id\":7}]}",
            &["id"],
            &[("/a/*/b", 2), ("/c", 1)],
        );
        expect("{\"a\":[{\"id\":1,\"ts\":2},{\"id\":1}]}", &["id", "ts"], &[("/a", 1)]);
    }

    #[test]
    fn a_cut_file_and_broken_lines_show_what_they_can() {
        expect("{\"a\":[{\"id\":1},{\"id\":2},{\"i", &["id"], &[("/a", 2)]);
        expect("x\n{\"a\":[{\"id\":1}]}\n{]\n{\"a\":[{\"id\":1}]}", &["id"], &[("/a", 2)]);
        expect("{\"id\":1}", &["id"], &[]);
        expect("{\"n\":1,\"a\":[{\"x\":true,\"id\":1},{\"id\":1}]}", &["id"], &[("/a", 2)]);
        expect("", &["id"], &[]);
        let long = "n".repeat(LONGEST_NAME + 1);
        expect(
            &format!("{{\"{long}\":{{\"a\":{{\"id\":1}}}},\"b\":[{{\"id\":1}}]}}"),
            &["id"],
            &[("/b", 1)],
        );
    }
}
