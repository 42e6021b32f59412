//! Stores of objects as storages: S3, Google Cloud Storage and Azure, by the URLs of their objects; and files of web
//! servers (`web`), which are only read.
//!
//! [`Cloud`] is one [`distil_storage::Storage`] for all of them. What it stands on is the crate `object_store`: requests,
//! signatures, retries. Its own are what a run needs besides: calls that wait and can be cancelled (`runtime`),
//! reading ahead (`read`), uploads that become objects on a condition (`uploads`), and errors that say what to
//! do (`error`). Credentials and endpoints come from the ordinary places of each cloud, and are never shown.

mod address;
mod bucket;
mod buffers;
mod condition;
mod connect;
mod error;
mod read;
mod runtime;
mod store;
mod unfinished;
mod upload;
mod uploads;
mod web;

pub use store::Cloud;
