//! Kinds of input, each of a size.

use crate::counted::Scene;
use crate::{data, files, options, outputs, paths};

/// A kind of input.
pub struct Kind {
    pub name: &'static str,
    /// The size that is doubled three times: large enough that a square shows, small enough for a debugger.
    pub n: usize,
    /// The exit status of the command.
    pub status: i32,
    /// Whether a limit keeps it small, or ends the work.
    pub is_limited: bool,
    /// Puts input of a size into the scene, and returns the command to count.
    pub prepare: Prepare,
}

type Prepare = Box<dyn Fn(&Scene, usize) -> Vec<String> + Send + Sync>;

/// A kind whose command succeeds.
pub fn kind(
    name: &'static str,
    n: usize,
    prepare: impl Fn(&Scene, usize) -> Vec<String> + Send + Sync + 'static,
) -> Kind {
    Kind { name, n, status: 0, is_limited: false, prepare: Box::new(prepare) }
}

impl Kind {
    /// A limit keeps it so small that what the command does anyway may be most of the work, or ends the work.
    pub fn limited(self) -> Self {
        Self { is_limited: true, ..self }
    }

    /// The command fails with this exit status.
    pub fn fails(self, status: i32) -> Self {
        Self { status, ..self }
    }
}

/// All kinds.
pub fn kinds() -> Vec<Kind> {
    [data::kinds(), files::kinds(), options::kinds(), outputs::kinds(), paths::kinds()]
        .into_iter()
        .flatten()
        .collect()
}

/// The command of words, and of more words.
pub fn words<S: AsRef<str>>(command: &str, more: &[S]) -> Vec<String> {
    let more = more.iter().map(|word| word.as_ref().to_owned());
    command.split(' ').map(str::to_owned).chain(more).collect()
}

/// `distil run in.json -o out.parquet` on one thread, with more flags.
pub fn run<S: AsRef<str>>(more: &[S]) -> Vec<String> {
    words("run in.json -o out.parquet -q --threads 1", more)
}

/// Texts for `0..n`, with commas between.
pub fn list(n: usize, text: impl Fn(usize) -> String) -> String {
    (0..n).map(text).collect::<Vec<_>>().join(",")
}

/// Texts for `0..n`, each a line.
pub fn lines(n: usize, text: impl Fn(usize) -> String) -> String {
    (0..n).map(|i| text(i) + "\n").collect()
}

/// A record with `n` columns, `c0` and on.
pub fn wide(n: usize) -> String {
    format!("{{\"id\":1,{}}}", list(n, |i| format!("\"c{i}\":{i}")))
}
