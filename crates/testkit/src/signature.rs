//! Signatures of requests to S3 (AWS Signature Version 4), for servers that look at them.

use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::bucket::{S3_KEY, S3_SECRET};

const REGION: &str = "us-east-1";
const HEADERS: &str = "host;x-amz-content-sha256;x-amz-date";
/// Requests to this machine need no hash of their bodies.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The headers that sign a request, whose path and query are escaped already.
pub(crate) fn signed(
    address: &str,
    method: &str,
    path: &str,
    query: &str,
) -> Vec<(&'static str, String)> {
    let seconds = UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let time = Timestamp::from_second(seconds).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        // In a path it stays, in a query it is escaped.
        .map(|pair| pair.replace('/', "%2F"))
        .collect();
    pairs.sort_unstable();
    let request = format!(
        "{method}\n{path}\n{}\nhost:{address}\nx-amz-content-sha256:{UNSIGNED}\nx-amz-date:{time}\n\n\
         {HEADERS}\n{UNSIGNED}",
        pairs.join("&")
    );
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(digest(&SHA256, request.as_bytes()).as_ref())
    );
    let mac = |key: &[u8], text: &str| {
        sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let key = [day, REGION, "s3", "aws4_request"]
        .iter()
        .fold(format!("AWS4{S3_SECRET}").into_bytes(), |key, text| mac(&key, text));
    let signature = hex(&mac(&key, &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={S3_KEY}/{scope}, SignedHeaders={HEADERS}, Signature={signature}"
    );
    vec![
        ("Authorization", authorization),
        ("x-amz-content-sha256", UNSIGNED.to_owned()),
        ("x-amz-date", time),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
