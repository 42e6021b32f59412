//! Records at a path within values (1.8), on whole files.

use distil_plan::{Added, PathStep, Plan, RecordsPath, Shape};

use super::frames::{FileError, Framed, Walk};
use super::json::{Broken, Parser, Value};

/// Why a value can't be read to its end.
enum Stop {
    /// The bad range begins here; whether it is a frame without an end.
    Break(usize, bool),
    Error(FileError),
}

type Found = Result<(), Stop>;

struct Pages<'a> {
    /// The text to walk ends where a line does.
    walk: Walk<'a>,
    plan: &'a Plan,
    path: Vec<PathStep>,
    /// Names of the maps that the walk is in.
    names: Vec<(String, Value)>,
    /// For every added member its value, as far as it is known, and whether a record came before it.
    beside: Vec<(Option<Value>, bool, bool)>,
    added: Vec<Vec<(String, Value)>>,
    found: bool,
    is_first: bool,
    arrays: u64,
    holes: u64,
    indexed: u64,
}

/// Members of which object of the chain to an added member a walk is in: for each of them how many names were matched.
type Chains = Vec<(usize, usize)>;

/// Finds the records of a file at a path.
pub(super) fn records(
    mut framed: Framed,
    start: usize,
    path: &RecordsPath,
    plan: &Plan,
) -> Result<Framed, FileError> {
    let content = std::mem::take(&mut framed.content);
    let in_array = (plan.shape == Shape::Array).then_some(PathStep::Each);
    let mut pages = Pages {
        walk: Walk { text: &content, at: start, cut: framed.cut, frames: vec![], ignored: vec![] },
        plan,
        path: in_array.into_iter().chain(path.0.iter().cloned()).collect(),
        names: vec![],
        beside: vec![],
        added: vec![],
        found: false,
        is_first: true,
        arrays: 0,
        holes: 0,
        indexed: 0,
    };
    let is_auto = plan.shape == Shape::Auto;
    let mut lines = (plan.shape == Shape::Lines).then_some(true);
    if !is_auto {
        lines = Some(lines.is_some());
    }
    let mut values = 0;
    let mut ends_broken = false;
    loop {
        pages.walk.text = &content;
        pages.walk.cut = framed.cut;
        if pages.walk.peek().is_none() {
            break;
        }
        let open = pages.walk.at;
        let line_end = |at: usize| {
            content[at..].iter().position(|b| *b == b'\n').map_or(content.len(), |n| at + n)
        };
        if lines == Some(true) {
            let end = line_end(open);
            pages.walk.text = &content[..end];
            pages.walk.cut = framed.cut && end == content.len();
        }
        values += 1;
        let stop = pages.page();
        let (until, broken) = match stop {
            Ok(()) => (pages.walk.at, None),
            Err(Stop::Break(at, is_frame)) => (at, Some(is_frame)),
            Err(Stop::Error(error)) => return Err(error),
        };
        let on_lines = *lines.get_or_insert_with(|| !content[open..until].contains(&b'\n'));
        pages.is_first &= broken.is_some();
        if broken.is_none() {
            framed.without += u64::from(!pages.found);
        }
        let mut from = broken.map(|_| until);
        if on_lines && broken.is_none() {
            let blanks = |b: &&u8| matches!(**b, b' ' | b'\t' | b'\r');
            let rest = &content[until..];
            let more = until + rest.iter().take_while(blanks).count();
            from = (more < content.len() && content[more] != b'\n').then_some(more);
        }
        let Some(from) = from else { continue };
        // Of a record that is too long to keep nothing is read again.
        let is_lost = broken == Some(true)
            && pages.walk.text.len() - until > usize::try_from(plan.max_record).unwrap();
        let end = match on_lines && !(is_lost && pages.walk.text.len() == content.len()) {
            true => line_end(from),
            false => content.len(),
        };
        pages.walk.at = end;
        if end == content.len() {
            framed.broken_at = Some(from);
            ends_broken = true;
            if !on_lines || framed.cut {
                break;
            }
        } else {
            framed.broken.push((from, end));
        }
    }
    if framed.cut && !ends_broken {
        framed.broken_at = Some(content.len());
    }
    let mut names = Vec::new();
    for step in &path.0 {
        if let PathStep::Name(name) = step {
            names.push(name.clone());
        }
    }
    let is_plain = names.len() == path.0.len() && !names.is_empty() && plan.add.is_empty();
    let is_document = (values, pages.arrays, pages.holes, pages.indexed) == (1, 1, 0, 0);
    framed.shape = match lines {
        _ if is_auto && is_plain && is_document => Shape::Document(names),
        Some(false) => Shape::Concatenated,
        _ => Shape::Lines,
    };
    let Pages { walk, added, holes, .. } = pages;
    framed.holes = holes;
    framed.frames = walk.frames;
    framed.ignored_members = walk.ignored;
    if framed.shape == Shape::Lines {
        framed.ignored_members.clear();
    }
    framed.added = added;
    framed.content = content;
    Ok(framed)
}

impl Pages<'_> {
    fn page(&mut self) -> Found {
        self.found = false;
        self.names.clear();
        self.beside = vec![(None, false, false); self.plan.add.len()];
        match self.walk.peek() {
            Some(b'{' | b'[') => self.inner(0, 1, vec![]),
            _ => self.record(false),
        }
    }

    fn stop<T>(&self, at: usize) -> Result<T, Stop> {
        Err(Stop::Break(at, false))
    }

    fn broken<T>(&self, broken: Broken) -> Result<T, Stop> {
        self.stop(self.walk.break_at(broken))
    }

    /// A value before the step of this number.
    fn inner(&mut self, step: usize, level: usize, chains: Chains) -> Found {
        let Some(byte) = self.walk.peek() else { return self.stop(self.walk.text.len()) };
        let Some(kind) = self.path.get(step).cloned() else {
            if byte != b'[' {
                return self.record(level > 1 && self.is_of_many(step));
            }
            self.found = true;
            self.arrays += 1;
            return self.elements(level, None, step);
        };
        match (&kind, byte) {
            (_, b'{') => self.members(Some((step, &kind)), level, chains),
            (PathStep::Each, b'[') => self.elements(level, Some(&kind), step),
            (PathStep::Name(name), b'[') if is_index(name) => {
                self.elements(level, Some(&kind), step)
            }
            _ => self.beside(level, chains),
        }
    }

    /// Whether the step before this one leads to many values.
    fn is_of_many(&self, step: usize) -> bool {
        matches!(
            step.checked_sub(1).map(|last| &self.path[last]),
            Some(PathStep::Each | PathStep::Member(_))
        )
    }

    /// A record, or a hole among records.
    fn record(&mut self, in_many: bool) -> Found {
        let start = self.walk.at;
        if b",]}".contains(&self.walk.text[start]) {
            return self.stop(start);
        }
        if !self.walk.frame() {
            return Err(Stop::Break(start, true));
        }
        let (at, length) = *self.walk.frames.last().unwrap();
        if &self.walk.text[at..at + length] == b"null" {
            self.walk.frames.pop();
            self.holes += u64::from(in_many);
            return Ok(());
        }
        self.found = true;
        let beside = self.plan.add.iter().zip(&mut self.beside).map(|(added, beside)| {
            beside.1 = true;
            (added.name.clone(), beside.0.clone().unwrap_or(Value::Null))
        });
        self.added.push(self.names.iter().cloned().chain(beside).collect());
        Ok(())
    }

    /// The elements of a list: of records, if it takes no step.
    fn elements(&mut self, level: usize, kind: Option<&PathStep>, step: usize) -> Found {
        self.enter(step)?;
        self.walk.at += 1;
        if self.walk.peek() == Some(b']') {
            self.walk.at += 1;
            return Ok(());
        }
        let mut index = 0u64;
        loop {
            if self.walk.peek().is_none() {
                return self.stop(self.walk.text.len());
            }
            let is_last = step + 1 >= self.path.len();
            let frames = self.walk.frames.len() + usize::try_from(self.holes).unwrap();
            match kind {
                None => self.record(true)?,
                Some(PathStep::Each) if is_last => self.record(true)?,
                Some(PathStep::Name(name)) if name.parse() != Ok(index) => {
                    self.beside(level + 1, vec![])?;
                }
                Some(PathStep::Name(_)) => {
                    self.indexed += 1;
                    self.inner(step + 1, level + 1, vec![])?;
                }
                _ => self.inner(step + 1, level + 1, vec![])?,
            }
            let was_frame = frames != self.walk.frames.len() + usize::try_from(self.holes).unwrap();
            index += 1;
            if self.more(b']', was_frame)? {
                return Ok(());
            }
        }
    }

    /// A comma (false) or the closing bracket (true).
    fn more(&mut self, close: u8, after_frame: bool) -> Result<bool, Stop> {
        let mut parser = Parser::new(self.walk.text, self.walk.at);
        let more = parser.more(close);
        self.walk.at = parser.at;
        match more {
            Ok(closed) => Ok(closed),
            Err(broken) if after_frame => self.stop(broken.at),
            Err(broken) => self.broken(broken),
        }
    }

    /// The members of an object on the path, or in the chain of an added member.
    fn members(
        &mut self,
        on_path: Option<(usize, &PathStep)>,
        level: usize,
        chains: Chains,
    ) -> Found {
        if let Some((step, _)) = on_path {
            self.enter(step)?;
        }
        self.walk.at += 1;
        if self.walk.peek() == Some(b'}') {
            self.walk.at += 1;
            return Ok(());
        }
        let mut seen = false;
        loop {
            let mut parser = Parser::new(self.walk.text, self.walk.at);
            let name = match parser.name() {
                Ok(name) => name,
                Err(broken) => return self.broken(broken),
            };
            self.walk.at = parser.at;
            let below = self.chains(on_path.map(|(step, _)| step), &chains, &name)?;
            let frames = self.walk.frames.len() + usize::try_from(self.holes).unwrap();
            match on_path {
                Some((step, PathStep::Name(wanted))) if name == *wanted => {
                    if std::mem::replace(&mut seen, true) {
                        return Err(Stop::Error("a second member under the path".into()));
                    }
                    self.inner(step + 1, level + 1, below)?;
                }
                Some((_, PathStep::Name(_))) => {
                    self.beside(level + 1, below)?;
                    if self.is_first && !self.walk.ignored.contains(&name) {
                        self.walk.ignored.push(name);
                    }
                }
                Some((step, PathStep::Each)) => self.inner(step + 1, level + 1, below)?,
                Some((step, PathStep::Member(column))) => {
                    self.names.push((column.clone(), Value::String(name)));
                    self.inner(step + 1, level + 1, below)?;
                    self.names.pop();
                }
                None => self.beside(level + 1, below)?,
            }
            let was_frame = frames != self.walk.frames.len() + usize::try_from(self.holes).unwrap();
            if self.more(b'}', was_frame)? {
                return Ok(());
            }
        }
    }

    /// A value that holds no records.
    fn beside(&mut self, level: usize, chains: Chains) -> Found {
        if !chains.is_empty() && self.walk.peek() == Some(b'{') {
            return self.members(None, level, chains);
        }
        let mut parser = Parser::new(self.walk.text, self.walk.at);
        if let Err(broken) = parser.value(level) {
            return self.broken(broken);
        }
        self.walk.at = parser.at;
        Ok(())
    }

    /// Which added members may be in the value of this name; takes it if it is one.
    fn chains(
        &mut self,
        on_path: Option<usize>,
        chains: &Chains,
        name: &str,
    ) -> Result<Chains, Stop> {
        let mut below = Vec::new();
        for at in 0..self.plan.add.len() {
            let (names, shared) = self.chain(&self.plan.add[at]);
            let is_here = on_path == Some(shared);
            let deeper = chains.iter().find(|(which, _)| *which == at).map(|(_, matched)| *matched);
            let Some(matched) = is_here.then_some(0).or(deeper) else { continue };
            if self.beside[at].2 || names[matched] != name {
                continue;
            }
            if matched + 1 < names.len() {
                below.push((at, matched + 1));
                continue;
            }
            if self.beside[at].0.is_some() {
                return Err(Stop::Error("an added member occurs twice".into()));
            }
            if self.beside[at].1 {
                return Err(Stop::Error("an added member comes after records".into()));
            }
            self.walk.peek();
            let mut parser = Parser::new(self.walk.text, self.walk.at);
            if let Ok(value) = parser.value(1) {
                self.beside[at].0 = Some(value);
            }
        }
        Ok(below)
    }

    fn chain(&self, added: &Added) -> (Vec<String>, usize) {
        let path = self.plan.records.as_ref().unwrap();
        let shared = added.shared(path);
        let names = added.pointer.0[shared..].iter().map(|step| match step {
            PathStep::Name(name) => name.clone(),
            _ => unreachable!(),
        });
        let in_array = self.path.len() - path.0.len();
        (names.collect(), shared + in_array)
    }

    fn probe(&self, at: usize) -> Walk<'_> {
        Walk { text: self.walk.text, at, cut: false, frames: vec![], ignored: vec![] }
    }

    /// An object or a list before a step, at whose bracket the walk is: one that is not too long is looked at whole.
    fn enter(&mut self, step: usize) -> Found {
        for at in 0..self.plan.add.len() {
            let (names, shared) = self.chain(&self.plan.add[at]);
            if shared != step {
                continue;
            }
            self.beside[at] = (None, false, false);
            let start = self.walk.at;
            let mut probe = self.probe(start);
            if !probe.frame() {
                probe.at = probe.text.len();
            }
            if (probe.at - start) as u64 > self.plan.max_record {
                continue;
            }
            let mut object = self.probe(start);
            object.text = &object.text[..probe.at];
            self.beside[at] = (look_up(&mut object, &names)?, false, true);
        }
        Ok(())
    }
}

/// A member below the object at which the walk is, by its names, judged by strings and brackets alone.
fn look_up(object: &mut Walk<'_>, names: &[String]) -> Result<Option<Value>, Stop> {
    if object.text[object.at] != b'{' {
        return Ok(None);
    }
    object.at += 1;
    let mut found = None;
    loop {
        while object.peek() == Some(b',') {
            object.at += 1;
        }
        if object.peek() != Some(b'"') {
            break;
        }
        let open = object.at;
        if !object.frame() {
            break;
        }
        let name = Parser::new(&object.text[..object.at], open).value(1);
        if object.peek() != Some(b':') {
            break;
        }
        object.at += 1;
        let Some(_) = object.peek() else { break };
        let start = object.at;
        if !object.frame() {
            break;
        }
        if name.is_ok_and(|name| name == Value::String(names[0].clone()))
            && found.replace((start, object.at)).is_some()
        {
            return Err(Stop::Error("an added member occurs twice".into()));
        }
    }
    let Some((start, end)) = found else { return Ok(None) };
    let text = &object.text[..end];
    if names.len() == 1 {
        return Ok(Parser::new(text, start).value(1).ok());
    }
    let mut inner = Walk { text, at: start, cut: false, frames: vec![], ignored: vec![] };
    look_up(&mut inner, &names[1..])
}

fn is_index(name: &str) -> bool {
    name == "0" || !name.starts_with('0') && name.parse::<u64>().is_ok()
}
