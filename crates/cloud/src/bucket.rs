//! One bucket: a connection to its store, and what it can do.

use std::fmt;
use std::sync::Arc;

use distil_plan::{Error, Result};
use object_store::ObjectStore;
use object_store::list::PaginatedListStore;
use object_store::multipart::MultipartStore;

use crate::address::{BucketName, Service};
use crate::connect;
use crate::unfinished::UploadLister;

/// A bucket that requests can be sent to.
pub(crate) struct Bucket {
    pub(crate) name: BucketName,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) multipart: Arc<dyn MultipartStore>,
    pub(crate) pages: Arc<dyn PaginatedListStore>,
    /// What tells the uploads that were begun; only S3 does.
    pub(crate) uploads: Option<UploadLister>,
}

impl Bucket {
    /// Sets a connection up, which sends nothing yet.
    ///
    /// # Errors
    /// An environment error: what the environment says of the cloud can't be used.
    pub(crate) fn open(name: &BucketName) -> Result<Self> {
        let opened = match name.service {
            Service::S3 => connect::s3::open(name),
            Service::Google => connect::google::open(name),
            Service::Azure => connect::azure::open(name),
        };
        opened.map_err(|error: Error| error.at(name.url(), None))
    }

    /// Whether completing an upload can be made to depend on what is there.
    pub(crate) fn completes_on_condition(&self) -> bool {
        self.name.service != Service::Google
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.url())
    }
}
