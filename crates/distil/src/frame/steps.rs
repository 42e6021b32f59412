//! What is done to rows, in order, and the plans that do it.

use std::collections::HashSet;

use distil_plan::{
    ColumnPath, Error, Keep, Key, Location, NullKeys, OnConflict, OrderBy, Plan, Result,
};

/// Which rows are the same, and which of them stays.
///
/// `keep` means an end of `order_by`, and not of the order in which rows arrive as in pandas: what
/// arrives first depends on file names and threads, and the result must not.
///
/// ```
/// use distil::{Dedup, Keep};
///
/// let newest = Dedup::on(["id"]).order_by(["updated"]).keep(Keep::Last);
/// # let _ = newest;
/// ```
#[derive(Clone, Debug)]
pub struct Dedup {
    dedup: Result<distil_plan::Dedup>,
    dropped: Option<Location>,
}

impl Dedup {
    /// Rows with equal values in these columns are the same. A dot leads into a struct: `a.b`.
    pub fn on<S: AsRef<str>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { dedup: paths(columns).map(distil_plan::Dedup::on_columns), dropped: None }
    }

    /// Rows that are equal in every column are the same.
    pub fn on_record() -> Self {
        distil_plan::Dedup::on_record().into()
    }

    /// The order among rows of one key, each column with `asc` or `desc` after it or without; the
    /// remaining columns follow in order of their names.
    #[must_use]
    pub fn order_by<S: AsRef<str>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        self.with(|dedup| {
            for column in columns {
                dedup.order_by.extend(OrderBy::parse_list(column.as_ref())?);
            }
            Ok(())
        })
    }

    /// Which end of the order stays.
    #[must_use]
    pub fn keep(self, keep: Keep) -> Self {
        self.with(|dedup| {
            dedup.keep = keep;
            Ok(())
        })
    }

    /// What a null in the key means.
    #[must_use]
    pub fn null_keys(self, null_keys: NullKeys) -> Self {
        self.with(|dedup| {
            dedup.null_keys = null_keys;
            Ok(())
        })
    }

    /// What different rows of one key mean.
    #[must_use]
    pub fn on_conflict(self, on_conflict: OnConflict) -> Self {
        self.with(|dedup| {
            dedup.on_conflict = on_conflict;
            Ok(())
        })
    }

    /// Writes the conflicting rows that do not stay to this Parquet file. A run that writes an output or
    /// caches rows writes it, a question about the frame does not.
    #[must_use]
    pub fn dropped(self, path: impl Into<Location>) -> Self {
        Self { dropped: Some(path.into()), ..self }
    }

    fn with(self, change: impl FnOnce(&mut distil_plan::Dedup) -> Result<()>) -> Self {
        let change = |mut dedup| {
            change(&mut dedup)?;
            Ok(dedup)
        };
        Self { dedup: self.dedup.and_then(change), ..self }
    }
}

impl From<distil_plan::Dedup> for Dedup {
    fn from(dedup: distil_plan::Dedup) -> Self {
        Self { dedup: Ok(dedup), dropped: None }
    }
}

/// Column paths, each spelled as on the command line.
pub(crate) fn paths<S: AsRef<str>>(
    columns: impl IntoIterator<Item = S>,
) -> Result<Vec<ColumnPath>> {
    columns.into_iter().map(|column| column.as_ref().parse()).collect()
}

/// One thing that is done to rows.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    DropDuplicates(Dedup),
    Select(Result<Vec<ColumnPath>>),
    /// Old and new names of top-level columns.
    Rename(Vec<(String, String)>),
}

impl Step {
    /// Takes out of the step what it leaves besides the rows.
    pub(crate) fn leave_nothing(&mut self) {
        if let Self::DropDuplicates(dedup) = self {
            dedup.dropped = None;
        }
    }
}

/// What one plan does, in this order: it reads with new names, drops duplicates, chooses columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PlanStep {
    /// The names of one step change all at once, so that two can be exchanged.
    pub(crate) renames: Vec<Vec<(String, String)>>,
    pub(crate) dedup: Option<distil_plan::Dedup>,
    /// Where the conflicting rows go that did not stay.
    pub(crate) dropped: Option<Location>,
    pub(crate) columns: Option<Vec<ColumnPath>>,
}

impl PlanStep {
    /// A plan that does this.
    pub(crate) fn of(&self, plan: Plan) -> Plan {
        let dropped = self.dropped.clone().or(plan.dropped);
        Plan { dedup: self.dedup.clone(), dropped, columns: self.columns.clone(), ..plan }
    }

    /// The name under which a column is read.
    pub(crate) fn renamed(&self, name: &str) -> String {
        self.renames.iter().fold(name.to_owned(), |now, step| {
            let found = step.iter().find(|(old, _)| *old == now);
            found.map_or(now, |(_, new)| new.clone())
        })
    }

    /// The key that the rows of this step are sorted by, as the next one calls it: nothing if the
    /// whole row is, or if the key is not written.
    fn order_for(&self, next: &Self) -> Option<distil_plan::Dedup> {
        let Key::Columns(key) = &self.dedup.as_ref()?.key else { return None };
        let is_written = |path: &ColumnPath| {
            let columns = self.columns.as_ref();
            columns.is_none_or(|columns| columns.iter().any(|column| column.is_prefix_of(path)))
        };
        if !key.iter().all(is_written) {
            return None;
        }
        let renamed = |path: &ColumnPath| {
            let (first, rest) = path.steps().split_first()?;
            let first = ColumnPath::name(next.renamed(first));
            Some(rest.iter().fold(first, |path, step| path.child(step)))
        };
        Some(distil_plan::Dedup {
            // Every key is there once, so nothing is dropped: only the order is meant.
            null_keys: NullKeys::Value,
            ..distil_plan::Dedup::on_columns(key.iter().map(renamed).collect::<Option<_>>()?)
        })
    }
}

/// The plans that mean the steps. `can_rename` says whether the source can be read under new names.
///
/// A plan drops duplicates before it chooses columns; what comes in another order, or gives a name,
/// begins the next plan, which reads what the one before wrote.
///
/// `before` is what was done to rows that come in its order.
///
/// # Errors
/// A usage error for the first step that can't be meant.
pub(crate) fn plan_steps(
    steps: &[Step],
    can_rename: bool,
    before: Option<&PlanStep>,
) -> Result<Vec<PlanStep>> {
    let mut done: Vec<PlanStep> = Vec::new();
    let mut now = PlanStep::default();
    for step in steps {
        match step {
            Step::DropDuplicates(Dedup { dedup, dropped }) => {
                if now.dedup.is_some() || now.columns.is_some() {
                    done.push(std::mem::take(&mut now));
                }
                now.dedup = Some(dedup.clone()?);
                now.dropped.clone_from(dropped);
            }
            Step::Select(columns) => {
                let columns = columns.clone()?;
                let before: Option<HashSet<&[String]>> = (now.columns.as_ref())
                    .map(|columns| columns.iter().map(ColumnPath::steps).collect());
                let is_there = |column: &ColumnPath| {
                    let mut above = (1..=column.steps().len()).map(|end| &column.steps()[..end]);
                    before.as_ref().is_none_or(|all| above.any(|path| all.contains(path)))
                };
                if let Some(column) = columns.iter().find(|column| !is_there(column)) {
                    return Err(Error::usage(format!(
                        "the column {column} is selected, but an earlier selection left it out"
                    )));
                }
                now.columns = Some(columns);
            }
            Step::Rename(renames) => {
                let is_first = done.is_empty();
                if now.dedup.is_some() || now.columns.is_some() || (is_first && !can_rename) {
                    done.push(std::mem::take(&mut now));
                }
                now.renames.push(renames.clone());
            }
        }
    }
    done.push(now);
    for at in 0..done.len() {
        let before = if at == 0 { before } else { done.get(at - 1) };
        if let (None, Some(before)) = (&done[at].dedup, before) {
            done[at].dedup = before.order_for(&done[at]);
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(columns: &[&str]) -> Step {
        Step::Select(paths(columns))
    }

    fn rename(old: &str, new: &str) -> Step {
        Step::Rename(vec![(old.to_owned(), new.to_owned())])
    }

    fn dedup(key: &str) -> Step {
        Step::DropDuplicates(Dedup::on([key]))
    }

    /// Key and columns of every plan.
    fn shape(steps: &[Step]) -> Vec<String> {
        let text = |columns: &[ColumnPath]| {
            columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        plan_steps(steps, false, None)
            .unwrap()
            .iter()
            .map(|plan_step| {
                let key = match plan_step.dedup.as_ref().map(|dedup| &dedup.key) {
                    Some(Key::Columns(columns)) => text(columns),
                    Some(Key::Record) => "*".to_owned(),
                    None => "-".to_owned(),
                };
                format!("{key} {}", plan_step.columns.as_deref().map_or("-".to_owned(), text))
            })
            .collect()
    }

    #[test]
    fn what_a_plan_says_in_one_is_one_plan() {
        assert_eq!(shape(&[]), ["- -"]);
        assert_eq!(shape(&[dedup("k"), select(&["a", "k"])]), ["k a,k"]);
        assert_eq!(shape(&[dedup("k"), select(&["s", "k"]), select(&["s.a"])]), ["k s.a"]);
    }

    #[test]
    fn a_step_that_comes_later_sees_what_the_earlier_left() {
        assert_eq!(shape(&[select(&["a", "k"]), dedup("k")]), ["- a,k", "k -"]);
        assert_eq!(shape(&[dedup("k"), dedup("j")]), ["k -", "j -"]);
        assert!(plan_steps(&[select(&["a"]), select(&["b"])], false, None).is_err());
    }

    #[test]
    fn new_names_keep_the_order_of_the_rows() {
        assert_eq!(shape(&[dedup("k"), rename("k", "id")]), ["k -", "id -"]);
        assert_eq!(shape(&[dedup("k"), select(&["a"]), rename("a", "b")]), ["k a", "- -"]);
        assert_eq!(shape(&[rename("a", "k"), dedup("k")]), ["- -", "k -"]);
        let renamed = plan_steps(&[rename("a", "b"), rename("b", "c")], true, None).unwrap();
        assert_eq!((renamed.len(), renamed[0].renamed("a")), (1, "c".to_owned()));
        let swap = Step::Rename(vec![("a".into(), "b".into()), ("b".into(), "a".into())]);
        let swapped = plan_steps(&[swap], true, None).unwrap();
        assert_eq!((swapped[0].renamed("a"), swapped[0].renamed("b")), ("b".into(), "a".into()));
    }
}
