//! Google Cloud Storage: the variables of the environment, the file of `gcloud`, the instance.

use std::sync::Arc;

use distil_plan::Result;
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};

use super::{client, retries, unusable, variable};
use crate::address::BucketName;
use crate::bucket::Bucket;
use crate::condition::Connector;

/// Connects to a bucket. The variables are those of the Google tools (`GOOGLE_APPLICATION_CREDENTIALS`,
/// `GOOGLE_SERVICE_ACCOUNT` ...).
pub(crate) fn open(name: &BucketName) -> Result<Bucket> {
    let endpoint = variable("STORAGE_EMULATOR_HOST");
    let mut builder = GoogleCloudStorageBuilder::from_env();
    if let Some(url) = endpoint.as_deref().filter(|url| url.starts_with("http")) {
        builder = builder.with_base_url(url.trim_end_matches('/')).with_skip_signature(true);
    }
    let allow_http = endpoint.is_some_and(|url| url.starts_with("http://"));
    let store = builder
        .with_bucket_name(&name.name)
        .with_client_options(client(allow_http))
        .with_retry(retries())
        .with_http_connector(Connector::default())
        .build()
        .map_err(|_| unusable("Google Cloud", "log in: gcloud auth application-default login"))?;
    let store = Arc::new(store);
    Ok(Bucket {
        name: name.clone(),
        objects: Arc::<GoogleCloudStorage>::clone(&store),
        multipart: Arc::<GoogleCloudStorage>::clone(&store),
        pages: store,
        uploads: None,
    })
}
