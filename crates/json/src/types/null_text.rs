//! Strings that stand for null, in the tree of columns.

use distil_plan::{NullText, Result, Type};

use crate::parse::tape::skip_blanks;
use crate::types::fields::{Declared, FieldId, Fields};

impl Fields {
    /// Sets the strings that stand for null. A column inside an object makes that one a struct, as a hint
    /// does.
    ///
    /// # Errors
    /// A usage error if the plan declares the columns, and has not one that is named.
    pub(super) fn set_null_text(&mut self, null_text: &NullText) -> Result<()> {
        for (path, texts) in &null_text.columns {
            let mut id = Some(self.walk(path, true)?);
            // Elements are named by no path of their own, and those of an inferred list may end as JSON.
            while let Some(field) = id {
                let known = &self.get(field).null_text;
                self.get_mut(field).null_text =
                    known.iter().cloned().chain(bytes_of(texts)).collect();
                self.has_null_text = true;
                let is_list = self.get(field).declared == Declared::List;
                id = if is_list { self.get(field).element } else { None };
            }
        }
        if !null_text.everywhere.is_empty() {
            for field in self.fields.iter_mut().skip(1) {
                let takes_strings = match &field.declared {
                    Declared::Scalar(declared) => {
                        matches!(declared, Type::String | Type::Json | Type::JsonText)
                    }
                    Declared::List | Declared::Struct => false,
                    Declared::Open | Declared::OpenStruct => true,
                };
                if !takes_strings {
                    let known = field.null_text.iter().cloned();
                    field.null_text = known.chain(bytes_of(&null_text.everywhere)).collect();
                    self.has_null_text = true;
                }
            }
        }
        Ok(())
    }

    /// From now on, values of inferred columns are counted by what they are.
    pub(crate) fn survey(&mut self, null_text: &NullText) {
        self.surveyed = Some(bytes_of(&null_text.everywhere).collect());
    }

    /// Whether values of this field are counted by what they are: those in lists have no path.
    #[inline]
    pub(crate) fn surveys(&self, id: FieldId) -> bool {
        self.surveyed.is_some() && !self.get(id).in_list
    }

    /// Whether this text stands for null where the plan names no column.
    pub(crate) fn is_surveyed_text(&self, text: &[u8]) -> bool {
        self.surveyed.iter().any(|texts| texts.iter().any(|known| known == text))
    }

    /// Whether strings of the field may stand for null.
    #[inline]
    pub(crate) fn has_null_text(&self, id: FieldId) -> bool {
        let field = self.get(id);
        let reads_text = field.declared == Declared::Scalar(Type::JsonText);
        self.has_null_text && (reads_text || !field.null_text.is_empty())
    }

    /// Whether this string of the field stands for null.
    pub(crate) fn is_null_text(&self, id: FieldId, text: &[u8]) -> bool {
        let field = self.get(id);
        field.null_text.iter().any(|known| known == text)
            || field.declared == Declared::Scalar(Type::JsonText) && is_json_null(text)
    }
}

/// Whether a text is that of a JSON null.
fn is_json_null(text: &[u8]) -> bool {
    let rest = text[skip_blanks(text, 0)..].strip_prefix(b"null");
    rest.is_some_and(|rest| skip_blanks(rest, 0) == rest.len())
}

fn bytes_of(texts: &[String]) -> impl Iterator<Item = Vec<u8>> {
    texts.iter().map(|text| text.clone().into_bytes())
}
