//! The uploads of a bucket of S3 that were begun: a request that the crate `object_store` does not have.

use std::sync::Arc;

use distil_plan::{Error, Result};
use http::{HeaderValue, Method};
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector,
};
use object_store::path::Path as Key;
use object_store::signer::Signer;
use serde::Deserialize;
use url::Url;

/// How often the list is asked for when the store does not answer.
const TRIES: usize = 3;
/// Longest that a link that is only taken apart would be good for.
const UNUSED: std::time::Duration = std::time::Duration::from_secs(1);

/// Lists uploads.
pub(crate) struct UploadLister {
    client: HttpClient,
    store: Arc<AmazonS3>,
    credentials: AwsCredentialProvider,
    region: String,
}

/// An upload: the key that it would have, and its name.
pub(crate) type Begun = (String, String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default, rename = "Upload")]
    uploads: Vec<Upload>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
}

impl UploadLister {
    pub(crate) fn new(
        store: &Arc<AmazonS3>,
        region: String,
        options: &ClientOptions,
    ) -> object_store::Result<Self> {
        let client = ReqwestConnector::default().connect(options)?;
        let credentials = Arc::clone(store.credentials());
        Ok(Self { client, store: Arc::clone(store), credentials, region })
    }

    /// The uploads of all keys that begin so.
    ///
    /// # Errors
    /// An environment error: the store does not tell.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Begun>> {
        let mut found = Vec::new();
        let mut after: Option<(String, String)> = None;
        loop {
            let page = self.page(prefix, after.as_ref()).await?;
            found.extend(page.uploads.into_iter().map(|upload| (upload.key, upload.upload_id)));
            if !page.is_truncated {
                return Ok(found);
            }
            after = Some((page.next_key_marker, page.next_upload_id_marker));
        }
    }

    async fn page(&self, prefix: &str, after: Option<&(String, String)>) -> Result<Listed> {
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.request(prefix, after).await {
                Ok((true, text)) => {
                    return quick_xml::de::from_str(&text)
                        .map_err(|_| refused("its list of uploads is not what S3 sends"));
                }
                Ok((false, text)) | Err(text) => last = text,
            }
        }
        Err(refused(&last))
    }

    /// One request: whether it succeeded, and the text of the answer.
    async fn request(
        &self,
        prefix: &str,
        after: Option<&(String, String)>,
    ) -> Result<(bool, String), String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let mut url = self.endpoint().await.map_err(|error| text(&error))?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("uploads", "").append_pair("prefix", prefix);
            if let Some((key, upload)) = after {
                query.append_pair("key-marker", key).append_pair("upload-id-marker", upload);
            }
        }
        // A blank is %20 to what signs and to what reads the signature.
        let url = url.as_str().replace('+', "%20");
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = url.parse().map_err(|_| "the address can't be made".to_owned())?;
        request.headers_mut().insert("content-length", HeaderValue::from_static("0"));
        let credential = self.credentials.get_credential().await.map_err(|error| text(&error))?;
        AwsAuthorizer::new(&credential, "s3", &self.region).authorize(&mut request, None);
        let response = self.client.execute(request).await.map_err(|error| text(&error))?;
        let succeeded = response.status().is_success();
        let body = response.into_body().bytes().await.map_err(|error| text(&error))?;
        Ok((succeeded, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The address of the bucket: that of an object, without the object.
    async fn endpoint(&self) -> object_store::Result<Url> {
        let mut url = self.store.signed_url(Method::GET, &Key::from("k"), UNUSED).await?;
        url.set_query(None);
        if let Ok(mut steps) = url.path_segments_mut() {
            steps.pop_if_empty().pop();
        }
        Ok(url)
    }
}

fn refused(text: &str) -> Error {
    let code = crate::error::between(text, "<Code>", "</Code>").unwrap_or("no answer");
    Error::environment(format!("the store does not list its uploads: {code}"))
}
