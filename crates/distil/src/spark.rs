//! Plans as SQL, run by a session of Spark that somebody else holds.
//!
//! Who holds it implements [`Host`]; [`Session::on_spark`](crate::Session::on_spark) does the rest, and
//! [`DataFrame::relation`](crate::DataFrame::relation) gives the rows as a query to go on with.

pub use distil_spark::{
    Engine, Host, Limits, Query, Relation, SETTINGS, Session, TextView, WRITER_OPTIONS, translate,
};
