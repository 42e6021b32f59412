//! Did every node of a cluster work? The record of an application of Spark, judged.
//!
//! ```
//! use distil::Stores;
//! use distil::audit::{ExpectedNodes, Source, Thresholds, audit};
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let log = directory.path().join("app-1-0000");
//! # let log = log.to_str().unwrap();
//! # let events = [
//! #     r#"{"Event":"SparkListenerApplicationStart","App Name":"a","App ID":"app-1-0000","Timestamp":1000}"#,
//! #     r#"{"Event":"SparkListenerExecutorAdded","Timestamp":1000,"Executor ID":"0","Executor Info":{"Host":"node1","Total Cores":1}}"#,
//! #     r#"{"Event":"SparkListenerTaskEnd","Stage ID":0,"Task Info":{"Task ID":0,"Executor ID":"0","Host":"node1","Launch Time":1000,"Finish Time":9000}}"#,
//! #     r#"{"Event":"SparkListenerApplicationEnd","Timestamp":11000}"#,
//! # ];
//! # std::fs::write(log, events.join("\n")).unwrap();
//! let stores = Stores::default();
//! let application = Source::parse(&stores, log, None, None)?.read(&stores)?;
//! let thresholds = Thresholds { nodes: Some(ExpectedNodes::Count(2)), ..Thresholds::default() };
//! let audit = audit(&application, None, &thresholds);
//! assert_eq!(audit.verdict.reason, "1 of 2 nodes worked");
//! assert_eq!(audit.nodes[0].busy_share, 0.8);
//! # Ok::<(), distil::Error>(())
//! ```

use std::path::Path;

pub use distil_cluster::*;
use distil_plan::{Error, Fault, Result};
use distil_storage::Storage;
use serde::Deserialize;
use serde::de::IgnoredAny;

pub use crate::audit_html::audit_page;
use crate::files::read_text_up_to;
use crate::report::{LARGEST, names_a_page, write_text};
use crate::report_html::{Kind, is_page};

/// Writes an audit, replacing an earlier one as a whole. A file whose name ends in `.html` or `.htm` holds
/// [`audit_page`], any other JSON.
///
/// # Errors
/// An environment error with the path. [`Fault::Exists`] if there is a file that is no audit.
pub fn write_audit(storage: &dyn Storage, path: &Path, audit: &Audit) -> Result<()> {
    if storage.metadata(path)?.is_some() && !is_audit(storage, path) {
        let what = "the audit can't be written: there is a file that is not an audit of distil";
        return Err(Error::new(Fault::Exists, what)
            .at(path.to_string_lossy(), None)
            .help("choose another path for it"));
    }
    let text = match names_a_page(path) {
        true => audit_page(audit),
        false => json(audit)?,
    };
    write_text(storage, path, &text)
}

/// An audit as JSON text.
///
/// # Errors
/// None that is known: an audit has a JSON form.
pub fn json(audit: &Audit) -> Result<String> {
    serde_json::to_string_pretty(audit)
        .map(|text| text + "\n")
        .map_err(|e| Error::bug(format!("the audit has no JSON form: {e}")))
}

/// Whether a file is an earlier audit, in either form.
fn is_audit(storage: &dyn Storage, path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Known {
        #[serde(rename = "distil")]
        _distil: String,
        #[serde(rename = "verdict")]
        _verdict: IgnoredAny,
    }
    let Ok(text) = read_text_up_to(storage, path, LARGEST) else { return false };
    is_page(Kind::Audit, &text) || serde_json::from_str::<Known>(&text).is_ok()
}
