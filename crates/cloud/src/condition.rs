//! Completing an upload on a condition: the header that the crate `object_store` does not send.
//!
//! It stands between that crate and the network, and adds the condition of the task that asks to the one request that
//! completes an upload. S3 does not demand that such a header is signed; Azure does, where a request is signed with the
//! key of an account, and then it is signed anew.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, Method};
use object_store::ClientOptions;
use object_store::azure::{AzureAuthorizer, AzureCredential, AzureCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

tokio::task_local! {
    static CONDITION: (HeaderName, HeaderValue);
}

/// Runs a future, in which an upload is completed only if the name is free, or, with an ETag, still has that object.
pub(crate) async fn on_condition<F: Future>(e_tag: Option<&str>, future: F) -> F::Output {
    let header = match e_tag.map(HeaderValue::from_str) {
        Some(Ok(e_tag)) => (IF_MATCH, e_tag),
        _ => (IF_NONE_MATCH, HeaderValue::from_static("*")),
    };
    CONDITION.scope(header, future).await
}

/// Connects a store to the network, with a place for conditions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    azure: Arc<OnceLock<Signer>>,
}

/// What signs requests to Azure.
#[derive(Debug)]
struct Signer {
    account: String,
    credentials: AzureCredentialProvider,
}

impl Connector {
    /// Has requests that need it signed for an account of Azure.
    pub(crate) fn sign_for(&self, account: String, credentials: AzureCredentialProvider) {
        let _ = self.azure.set(Signer { account, credentials });
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Conditional { inner, azure: Arc::clone(&self.azure) }))
    }
}

#[derive(Debug)]
struct Conditional {
    inner: HttpClient,
    azure: Arc<OnceLock<Signer>>,
}

#[async_trait]
impl HttpService for Conditional {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if completes(&request)
            && let Ok((name, value)) = CONDITION.try_with(Clone::clone)
        {
            request.headers_mut().insert(name, value);
            self.sign(&mut request).await;
        }
        self.inner.execute(request).await
    }
}

impl Conditional {
    async fn sign(&self, request: &mut HttpRequest) {
        let Some(Signer { account, credentials }) = self.azure.get() else { return };
        if let Ok(credential) = credentials.get_credential().await
            && matches!(*credential, AzureCredential::AccessKey(_))
        {
            request.headers_mut().remove(AUTHORIZATION);
            AzureAuthorizer::new(&credential, account).authorize(request);
        }
    }
}

/// Whether a request completes an upload: `CompleteMultipartUpload` of S3, `Put Block List` of Azure.
fn completes(request: &HttpRequest) -> bool {
    let has = |wanted: &str| {
        let query = request.uri().query().unwrap_or_default();
        query.split('&').any(|pair| pair.starts_with(wanted))
    };
    match *request.method() {
        Method::POST => has("uploadId="),
        Method::PUT => has("comp=blocklist"),
        _ => false,
    }
}
