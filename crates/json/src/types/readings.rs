//! What was read of columns otherwise than it stands, for the report.

use distil_plan::{ColumnPath, ColumnReading, InputReport, Respelled as Reported};

use crate::types::fields::{FieldId, Fields, ROOT};
use crate::types::sort_column::SortColumn;
use crate::types::spelled::{Counted, Respelled};

impl Fields {
    /// The columns of which values were read otherwise than they stand: those of the key first, then in the
    /// order of the schema.
    pub(crate) fn readings(
        &self,
        sort_columns: &[SortColumn],
        inputs: &[InputReport],
    ) -> Vec<ColumnReading> {
        let mut found = Vec::new();
        self.collect_respelled(ROOT, None, &mut found);
        let report = |counted: Counted| {
            let first = counted.first?;
            let file = inputs.get(first.input as usize)?.path.clone();
            Some(Reported { count: counted.count, file, offset: first.offset })
        };
        let mut readings: Vec<ColumnReading> = found
            .into_iter()
            .map(|(column, Respelled { converted, nulled })| ColumnReading {
                key: sort_columns.iter().any(|part| part.key && part.path == column),
                converted: report(converted),
                nulled: report(nulled),
                column,
            })
            .collect();
        readings.sort_by_key(|reading| !reading.key);
        readings
    }

    fn collect_respelled(
        &self,
        id: FieldId,
        path: Option<&ColumnPath>,
        found: &mut Vec<(ColumnPath, Respelled)>,
    ) {
        let mut children: Vec<FieldId> = Vec::new();
        // Elements have no path of their own.
        let mut around = Some(id);
        while let Some(id) = around {
            children.extend(self.columns_in(id));
            around = self.get(id).element;
        }
        for child in children {
            let name = &self.get(child).name;
            let path = path.map_or_else(|| ColumnPath::name(name), |path| path.child(name));
            let mut respelled = Respelled::default();
            let mut within = Some(child);
            while let Some(id) = within {
                respelled.join(&self.get(id).facts.respelled);
                within = self.get(id).element;
            }
            if respelled != Respelled::default() {
                found.push((path.clone(), respelled));
            }
            self.collect_respelled(child, Some(&path), found);
        }
    }
}
