//! The error for a column that nothing has.

use distil_plan::{Code, ColumnPath, Error, Found};

use super::fields::{FieldId, Fields, MAX_LEAVES, ROOT};

impl Fields {
    /// An error for a column that nothing has, with the nearest that something has.
    pub(crate) fn no_such_column(&self, path: &ColumnPath) -> Error {
        let mut names = Vec::new();
        self.collect_paths(ROOT, None, &mut names);
        let literal = path.steps().join(".");
        let error =
            Error::input(format!("no record has the column {path}")).coded(Code::MissingColumn);
        if path.steps().len() > 1 && self.child(ROOT, &literal).is_some_and(|id| self.exists(id)) {
            return error.help(format!(
                "quote a name with a dot, which nests otherwise: the column `{literal}` is written {}",
                ColumnPath::name(&literal)
            ));
        }
        let wanted = path.to_string().to_lowercase();
        let wanted_last = literal.to_lowercase();
        // Who asks for `id` may mean `user.id`: the last step alone counts as well, for a little more.
        let distance = |found: &ColumnPath| {
            let last = found.steps().last().map_or(usize::MAX, |last| {
                distance_of(&last.to_lowercase(), &wanted_last).saturating_mul(2).saturating_add(1)
            });
            distance_of(&found.to_string().to_lowercase(), &wanted).saturating_mul(2).min(last)
        };
        names.sort_by_cached_key(|found| (distance(found), found.to_string()));
        let nearest: Vec<String> = names.iter().take(5).map(ToString::to_string).collect();
        let error = error
            .about(Found::MissingColumn { column: path.to_string(), nearest: nearest.clone() });
        if nearest.is_empty() {
            return error.help("check the sources: no record in them has any column");
        }
        error.help(format!("choose one of the nearest columns: {}", nearest.join(", ")))
    }

    fn collect_paths(&self, id: FieldId, path: Option<&ColumnPath>, names: &mut Vec<ColumnPath>) {
        for child in &self.get(id).children {
            if self.exists(*child) && names.len() < MAX_LEAVES {
                let name = &self.get(*child).name;
                let path = path.map_or_else(|| ColumnPath::name(name), |path| path.child(name));
                names.push(path.clone());
                self.collect_paths(*child, Some(&path), names);
            }
        }
    }
}

/// How far a name is from what was meant. Of long ones it is not known: that would take the product of
/// their lengths.
fn distance_of(name: &str, meant: &str) -> usize {
    const LONG: usize = 200;
    if name.len().max(meant.len()) > LONG { usize::MAX } else { strsim::osa_distance(name, meant) }
}
