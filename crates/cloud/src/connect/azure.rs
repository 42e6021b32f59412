//! Azure Blob Storage: the variables of the environment, the Azure command line, the instance.

use std::sync::Arc;

use distil_plan::Result;
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};

use super::{client, retries, unusable, variable};
use crate::address::BucketName;
use crate::bucket::Bucket;
use crate::condition::Connector;

/// Connects to a container. The variables are those of the Azure tools (`AZURE_STORAGE_ACCOUNT_NAME`,
/// `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` ...).
pub(crate) fn open(name: &BucketName) -> Result<Bucket> {
    let endpoint = ["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT", "AZURITE_BLOB_STORAGE_URL"];
    let mut allow_http = variable("AZURE_ALLOW_HTTP").is_some_and(|value| value != "false");
    allow_http |=
        endpoint.iter().filter_map(|name| variable(name)).any(|url| url.starts_with("http://"));
    let connector = Connector::default();
    let builder = MicrosoftAzureBuilder::from_env()
        .with_url(name.url())
        .with_client_options(client(allow_http))
        .with_retry(retries())
        .with_http_connector(connector.clone());
    let account = builder.get_config_value(&AzureConfigKey::AccountName).or_else(|| {
        let (_, host) = name.name.split_once('@')?;
        host.split('.').next().map(str::to_owned)
    });
    let store = builder.build().map_err(|_| {
        unusable("Azure", "name the account: export AZURE_STORAGE_ACCOUNT_NAME=ACCOUNT, or give abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY")
    })?;
    let account = account.unwrap_or_else(|| "devstoreaccount1".to_owned());
    connector.sign_for(account, Arc::clone(store.credentials()));
    let store = Arc::new(store);
    Ok(Bucket {
        name: name.clone(),
        objects: Arc::<MicrosoftAzure>::clone(&store),
        multipart: Arc::<MicrosoftAzure>::clone(&store),
        pages: store,
        uploads: None,
    })
}
