//! HTML under construction.

use super::text::shown;

/// A piece of HTML. Its markup is known when this is compiled; all else is escaped on its way in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Appends markup.
    pub(crate) fn markup(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Appends text of at most `most` characters; a longer one is cut in its middle. It may stand in an attribute
    /// with double quotes as well.
    pub(crate) fn text(&mut self, text: &str, most: usize) {
        for c in shown(text, most).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
    }

    /// Appends text between two pieces of markup.
    pub(crate) fn around(
        &mut self,
        open: &'static str,
        text: &str,
        most: usize,
        close: &'static str,
    ) {
        self.markup(open);
        self.text(text, most);
        self.markup(close);
    }

    /// Appends another piece.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.push_str(&other.0);
    }

    /// Bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The text of it.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Pieces one after another, as long as there is room.
pub(crate) struct Pieces {
    html: Html,
    room: usize,
    taken: u64,
    is_full: bool,
}

impl Pieces {
    /// None yet, with room for this many bytes.
    pub(crate) fn within(room: usize) -> Self {
        Self { html: Html::default(), room, taken: 0, is_full: false }
    }

    /// Takes a piece that there is room for. After the first that there is none for, none is taken: what is
    /// left out is the rest.
    pub(crate) fn push(&mut self, piece: Html) -> bool {
        self.is_full |= self.html.len() + piece.len() > self.room;
        if !self.is_full {
            self.html.append(piece);
            self.taken += 1;
        }
        !self.is_full
    }

    /// How many were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// All that were taken.
    pub(crate) fn into_html(self) -> Html {
        self.html
    }
}

/// A section that the reader opens, under a heading.
pub(crate) fn details(heading: Html, body: Html) -> Html {
    let mut html = Html::default();
    html.markup("<details style=\"margin:4px 0\"><summary style=\"cursor:pointer\">");
    html.append(heading);
    html.markup("</summary>\n<div style=\"margin:4px 0 10px 16px\">");
    html.append(body);
    html.markup("</div></details>\n");
    html
}
