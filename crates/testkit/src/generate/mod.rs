//! Generated cases: records that collide, in files of every shape, under plans of every kind.
//!
//! Sizes are small and values few, so that keys meet; every choice shrinks to the plainest.

mod files;
mod pages;
mod plans;
mod records;
mod spelling;
mod values;

use proptest::prelude::*;

use crate::suite::{Case, Stretch};

pub use files::{Layout, bzip2, layout, lz4, xz};
pub use records::{Column, Records, records};
pub use spelling::Spelling;
pub use values::{Flavour, Json};

/// A case, and how to stretch it.
pub fn scenarios() -> impl Strategy<Value = (Case, Vec<Stretch>)> {
    prop_oneof![2 => records_of_files(), 1 => records_in_values()]
}

/// Records within values.
pub fn records_in_values() -> impl Strategy<Value = (Case, Vec<Stretch>)> {
    records()
        .prop_flat_map(|records| {
            let plan = plans::with_places(plans::plan(&records.columns));
            (Just(records), pages::pages(), plan, stretches())
        })
        .prop_map(|(records, pages, plan, stretches)| {
            let files = pages.files(&records.rows);
            let plan = pages.plan(plan);
            (Case { name: "generated in values".into(), files, plan, expect: vec![] }, stretches)
        })
}

fn records_of_files() -> impl Strategy<Value = (Case, Vec<Stretch>)> {
    records()
        .prop_flat_map(|records| {
            let plan = plans::with_places(plans::plan(&records.columns));
            let layout = layout(records.rows.len());
            (Just(records), layout, plan, stretches())
        })
        .prop_map(|(records, layout, plan, stretches)| {
            let plan = plans::with_shape(plan, &layout);
            let files = layout.files(&records.rows);
            (Case { name: "generated".into(), files, plan, expect: vec![] }, stretches)
        })
}

/// The same records in two layouts without bad text, under one plan.
pub fn twins() -> impl Strategy<Value = (Case, Case)> {
    records()
        .prop_flat_map(|records| {
            let plan = plans::plan(&records.columns);
            let layouts = (layout(records.rows.len()), layout(records.rows.len()));
            (Just(records), layouts, plan)
        })
        .prop_map(|(records, (one, other), plan)| {
            let case = |layout: &Layout| {
                let layout = layout.sound();
                Case {
                    name: "twin".into(),
                    files: layout.files(&records.rows),
                    plan: plan.clone(),
                    expect: vec![],
                }
            };
            (case(&one), case(&other))
        })
}

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    (1usize..20, 1usize..=4, 0usize..4).prop_map(|(read_chunk, threads, rotate_names)| {
        let plain = Stretch::plain();
        vec![
            plain.clone(),
            Stretch { read_chunk, threads, memory: Some(0), ..plain.clone() },
            Stretch { rotate_names, ..plain },
        ]
    })
}
