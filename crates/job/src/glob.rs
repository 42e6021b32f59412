//! A glob, and how far a path has come in it.
//!
//! The regular expression of a glob is run as an automaton, byte by byte. Where it stands after a
//! directory says all about what can match below, whichever way led there: so a search goes into a
//! directory once for each such place, however many links lead to it.

use distil_plan::{Error, Result};
use globset::{GlobBuilder, GlobMatcher};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// Bytes of places that are kept: globs that people write take some kilobytes.
const CAPACITY: usize = 64 << 20;

/// Where a path has come to in a glob. Equal places are equal for all that follows.
pub(crate) type Place = LazyStateID;

/// A glob.
#[derive(Debug)]
pub(crate) struct Glob {
    /// The same for paths that no search leads to.
    pub(crate) matcher: GlobMatcher,
    text: String,
    automaton: DFA,
    places: Cache,
}

impl Glob {
    /// The glob of `pattern`, which messages show as `text`.
    ///
    /// # Errors
    /// A usage error for a pattern that can't be read.
    pub(crate) fn new(text: &str, pattern: &str) -> Result<Self> {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|e| Error::usage(format!("cannot read the glob `{text}`: {}", e.kind())))?;
        // No place is ever given up, because places are compared.
        let kept = DFA::config().cache_capacity(CAPACITY).minimum_cache_clear_count(Some(0));
        let automaton = DFA::builder()
            .configure(kept)
            .syntax(syntax::Config::new().utf8(false).dot_matches_new_line(true))
            .build(glob.regex())
            .map_err(|_| complicated(text))?;
        let places = automaton.create_cache();
        Ok(Self { matcher: glob.compile_matcher(), text: text.to_owned(), automaton, places })
    }

    /// Where every path begins.
    pub(crate) fn start(&mut self) -> Result<Place> {
        let input = Input::new(b"").anchored(Anchored::Yes);
        self.automaton
            .start_state_forward(&mut self.places, &input)
            .map_err(|_| complicated(&self.text))
    }

    /// Where these bytes of a path lead from a place.
    ///
    /// # Errors
    /// A usage error for a glob with too many places, as all that follow.
    pub(crate) fn step(&mut self, from: Place, bytes: &[u8]) -> Result<Place> {
        bytes.iter().try_fold(from, |place, byte| {
            self.automaton
                .next_state(&mut self.places, place, *byte)
                .map_err(|_| complicated(&self.text))
        })
    }

    /// Whether a path that ends here matches.
    pub(crate) fn ends(&mut self, at: Place) -> Result<bool> {
        let end = self.automaton.next_eoi_state(&mut self.places, at);
        end.map(|end| end.is_match()).map_err(|_| complicated(&self.text))
    }
}

fn complicated(text: &str) -> Error {
    Error::usage(format!("the glob `{text}` is too complicated"))
        .help("name its directories one by one")
}
