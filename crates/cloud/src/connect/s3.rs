//! S3 and what speaks its protocol: the variables of the environment, the profile, the instance.

use std::sync::Arc;

use distil_plan::{Error, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::{client, profile, retries, unusable, variable};
use crate::address::BucketName;
use crate::bucket::Bucket;
use crate::condition::Connector;
use crate::unfinished::UploadLister;

/// Where requests go when nothing names a region.
const USUAL_REGION: &str = "us-east-1";

/// Connects to a bucket.
///
/// The variables are those of the AWS tools (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` ...). Of
/// the profile keys, region and endpoint count where the environment has none; roles of containers, of web
/// identities and of the instance come last.
pub(crate) fn open(name: &BucketName) -> Result<Bucket> {
    let has_keys = variable("AWS_ACCESS_KEY_ID").is_some();
    let has_role = variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some()
        || variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some()
        || variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some();
    let mut builder = AmazonS3Builder::from_env();
    let profile = profile::read()?;
    let of_profile = |key: &str| profile.as_ref().and_then(|profile| profile.get(key)).cloned();
    // A profile that is asked for by name is stronger than a role that happens to be there.
    if !has_keys && (!has_role || variable("AWS_PROFILE").is_some()) {
        match (of_profile("aws_access_key_id"), of_profile("aws_secret_access_key")) {
            (Some(key), Some(secret)) => {
                builder = builder.with_access_key_id(key).with_secret_access_key(secret);
                if let Some(token) = of_profile("aws_session_token") {
                    builder = builder.with_token(token);
                }
            }
            _ if profile.is_some() && variable("AWS_SKIP_SIGNATURE").is_none() => {
                profile::refuse_what_needs_a_tool(&of_profile)?;
            }
            _ => {}
        }
    }
    let region = variable("AWS_REGION")
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| of_profile("region"))
        .unwrap_or_else(|| USUAL_REGION.to_owned());
    let endpoint = variable("AWS_ENDPOINT_URL_S3")
        .or_else(|| variable("AWS_ENDPOINT_URL"))
        .or_else(|| variable("AWS_ENDPOINT"))
        .or_else(|| of_profile("endpoint_url"));
    let mut allow_http = variable("AWS_ALLOW_HTTP").is_some_and(|value| value != "false");
    if let Some(endpoint) = &endpoint {
        // Whoever writes http:// asks for it.
        allow_http |= endpoint.starts_with("http://");
        let endpoint = endpoint.trim_end_matches('/');
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    let connector = Connector::default();
    let store = builder
        .with_bucket_name(&name.name)
        .with_region(&region)
        .with_client_options(client(allow_http))
        .with_retry(retries())
        .with_http_connector(connector.clone())
        .build()
        .map_err(|_| {
            unusable(
                "S3",
                "look at the variables that begin with AWS_: `env | cut -d= -f1 | grep AWS_`",
            )
        })?;
    let store = Arc::new(store);
    let uploads = UploadLister::new(&store, region, &client(allow_http))
        .map_err(|_| Error::environment("no client for S3 can be made"))?;
    Ok(Bucket {
        name: name.clone(),
        objects: Arc::<object_store::aws::AmazonS3>::clone(&store),
        multipart: Arc::<object_store::aws::AmazonS3>::clone(&store),
        pages: store,
        uploads: Some(uploads),
    })
}
