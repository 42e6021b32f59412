//! The vocabulary of distil: plans, schemas, keys and orders, sinks, reports, errors and the
//! [`Backend`] trait.
//!
//! This crate is a leaf. It holds plain data and the rules that need nothing but that data (how a
//! column path is spelled, which types exist, what a report looks like). It performs no input or
//! output, starts no threads, and knows no engine.

mod backend;
mod bad;
mod code;
mod dedup;
mod error;
mod hidden;
mod hint;
mod hive;
mod instant_format;
mod location;
mod need;
mod null_text;
mod origin;
mod path;
mod plan;
mod records;
mod repair;
mod report;
mod resolved;
mod schema;
mod sink;
mod size;
mod types;

pub use backend::{Backend, Cancel, Events, NoEvents, Phase, Request, Staging, Watch};
pub use bad::{BadPart, Reason};
pub use code::Code;
pub use dedup::{Dedup, Direction, Keep, Key, NullKeys, OnConflict, OrderBy};
pub use error::{Error, Fault, Found, FoundBad, Place, Refusal, Result, Told, printable};
pub use hidden::{argument_without_secrets, hides, is_web, with_secrets, without_secrets};
pub use hint::Hint;
pub use hive::{HiveColumn, hive_columns};
pub use instant_format::{FormatItem, FormatPart, InstantFormat};
pub use location::{Location, local_path, parent, scheme};
pub use need::{Need, Support};
pub use null_text::NullText;
pub use origin::{FILE_COLUMN, Origin, POSITION_COLUMN, is_place};
pub use path::ColumnPath;
pub use plan::{ExtraMembers, InputFormat, MaxQuarantined, Plan, QuarantineSpec, Shape};
pub use records::{Added, PathStep, RecordsPath};
pub use repair::{Repair, Repairs};
pub use report::{
    ColumnReading, Conflict, Duplicates, EngineReport, InputReport, NodeReport, OutputReport,
    QuarantineFile, QuarantinedCounts, ReasonCount, RecordCounts, RepairCount, Report, ReportError,
    ResourceReport, Respelled, RowImage, SchemaColumn, SetAsidePart, StageReport, Status, TypeNote,
};
pub use resolved::{Input, InputCompression, ResolvedPlan};
pub use schema::{ColumnIndex, Field, Schema, SchemaSpec};
pub use sink::{Compression, Layout, Mode, Sink};
pub use size::{format_bytes, format_count, parse_size};
pub use types::{EpochUnit, TimeUnit, Type};

/// Version of the plan and report formats. A reader refuses a higher one.
pub const FORMAT_VERSION: u32 = 1;

/// Version of the semantics that an output was written under; stored in every footer.
pub const SEMANTICS_VERSION: u32 = 2;

/// Version of distil itself.
pub const DISTIL_VERSION: &str = env!("CARGO_PKG_VERSION");
