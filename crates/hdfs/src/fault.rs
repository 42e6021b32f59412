//! Errors of HDFS, in the user's words.

use std::fmt::Display;
use std::path::Path;

use distil_plan::{Code, Error, Fault, Hint};
use hdfs_native::HdfsError;

/// Whom an operation talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The name node alone.
    Name,
    /// Data nodes too.
    Data,
}

/// Which exception of Hadoop it is, without its package, and the first line of what it says: the rest is a
/// stack trace.
fn exception(cause: &HdfsError) -> Option<(&str, &str)> {
    match cause {
        HdfsError::RPCError(class, text) | HdfsError::FatalRPCError(class, text) => {
            let class = class.rsplit(['.', '$']).next().unwrap_or_default();
            Some((class, text.lines().next().unwrap_or_default().trim()))
        }
        _ => None,
    }
}

fn is_exception(cause: &HdfsError, names: &[&str]) -> bool {
    exception(cause).is_some_and(|(class, _)| names.contains(&class))
}

/// Whether nothing is there: no such name, or one below a file.
pub(super) fn is_missing(cause: &HdfsError) -> bool {
    matches!(cause, HdfsError::FileNotFound(_))
        || is_exception(cause, &["FileNotFoundException", "ParentNotDirectoryException"])
        // What listing says of a name below a file.
        || exception(cause).is_some_and(|(class, text)| {
            class == "AccessControlException" && text.ends_with("(is not a directory)")
        })
}

/// Whether the name is taken, or its file open for writing: the client tells both alike.
pub(super) fn is_taken(cause: &HdfsError) -> bool {
    matches!(cause, HdfsError::AlreadyExists(_))
        || is_exception(cause, &["RecoveryInProgressException"])
}

/// Whether the file is open for writing by the client that asks.
pub(super) fn is_held_by_us(cause: &HdfsError) -> bool {
    // The words of `FSNamesystem.recoverLeaseInternal`, of Hadoop 2.7 to 3.5.
    matches!(cause, HdfsError::AlreadyExists(text) if text.contains("is already the current lease holder"))
}

/// Whether access control lists are turned off.
pub(super) fn is_without_lists(cause: &HdfsError) -> bool {
    is_exception(
        cause,
        &["AclException", "UnsupportedOperationException", "RpcNoSuchMethodException"],
    )
}

/// Whether nobody knows if the change was made: the connection broke. The client then asks once more by
/// itself, and the name node takes that for another change.
pub(super) fn is_unsure(cause: &HdfsError) -> bool {
    matches!(cause, HdfsError::IOError(_) | HdfsError::FatalRPCError(..)) || is_missing(cause)
}

/// Whether nothing was done because no name node is active now, as one takes over from another.
pub(super) fn is_passing(cause: &HdfsError, is_service: bool) -> bool {
    is_exception(
        cause,
        &["StandbyException", "RetriableException", "ObserverRetryOnActiveException"],
    ) || (is_service
        && matches!(cause, HdfsError::IOError(e) if e.kind() == std::io::ErrorKind::ConnectionRefused))
}

/// The error for an operation that failed on `path`; `doing` completes "cannot ...".
pub(super) fn failed(doing: impl Display, path: &Path, side: Side, cause: &HdfsError) -> Error {
    let told = |what: &str| {
        Error::environment(format!("cannot {doing}: {what}")).at(path.display().to_string(), None)
    };
    if is_missing(cause) {
        return told("no such file or directory");
    }
    if is_taken(cause) {
        return Error::new(Fault::Exists, format!("cannot {doing}: it exists already"))
            .at(path.display().to_string(), None);
    }
    match cause {
        HdfsError::IOError(e) if side == Side::Name => unreachable_name_node(told, &text(e)),
        HdfsError::IOError(e) => data_nodes(told, &text(e)),
        HdfsError::DataTransferError(text) => data_nodes(told, text),
        HdfsError::OperationFailed(_) => data_nodes(told, "they did not report its blocks in time"),
        HdfsError::BlocksNotFound(_) => data_nodes(told, "no data node has it"),
        HdfsError::ChecksumError => told("its bytes are not those that were written")
            .help("a data node's disk is damaged: `hdfs fsck FILE -files -blocks` says which"),
        HdfsError::SASLError(_) | HdfsError::GSSAPIError(..) | HdfsError::NoSASLMechanism => {
            told(&cause.to_string())
                .coded(Code::PermissionDenied)
                .help("log in with `kinit`; `klist` shows whether the ticket is still valid")
                .help("Kerberos needs the library libgssapi_krb5 on this machine")
        }
        HdfsError::UnsupportedFeature(what) => told(&format!("{what} is not supported"))
            .help("choose a directory outside of encryption zones"),
        HdfsError::InvalidArgument(what) => told(what).help(
            "write the URL as hdfs://HOST:PORT/PATH, or set HADOOP_CONF_DIR to the directory with \
             core-site.xml and hdfs-site.xml",
        ),
        _ => match exception(cause) {
            Some((class, text)) => refused(told, class, text),
            None => told(&cause.to_string()),
        },
    }
}

/// What the name node refused.
fn refused(told: impl Fn(&str) -> Error, class: &str, text: &str) -> Error {
    let no_space = |what: &str| {
        told(what)
            .coded(Code::NoSpace)
            .help("free some space there, or choose another output")
            .help(Hint::choose("or keep temporary files elsewhere", "temp_dir"))
    };
    match class {
        "AccessControlException" | "AuthorizationException" => {
            told(text).coded(Code::PermissionDenied).help(
                "check with `hdfs dfs -ls` the permissions of it and of every directory above it, for \
                 the user who runs distil",
            ).help("another user is chosen by HADOOP_USER_NAME, or by `kinit` where there is Kerberos")
        }
        "SafeModeException" => told("the name node is in safe mode, in which nothing may be changed")
            .help("wait until it has left it: `hdfs dfsadmin -safemode wait`")
            .help("it stays in it while blocks are missing: `hdfs dfsadmin -report` says which"),
        "DSQuotaExceededException" | "QuotaByStorageTypeExceededException" => {
            no_space("the directory's quota of space is used up")
        }
        "NSQuotaExceededException" => no_space("the directory's quota of names is used up"),
        _ if text.contains("could only be written to") || text.contains("could only be replicated to") => {
            no_space("no data node takes it: they are full, or not there")
                .detail(text)
                .help("`hdfs dfsadmin -report` shows how full they are, and which are alive")
        }
        "StandbyException" | "RetriableException" => told("no name node is active")
            .help("wait until one is: `hdfs haadmin -getAllServiceState`")
            .help("set HADOOP_CONF_DIR, and name the service instead of one host, so that the active one is found"),
        "LeaseExpiredException" => told("it was removed, or taken over by another, while it was written")
            .detail(text)
            .help("that happens when the name node can't be reached for more than a minute: run again"),
        "SnapshotException" => told(text).help("choose a directory without snapshots"),
        "RpcServerException" | "RpcNoSuchProtocolException" => told(text)
            .help("is it the port of the name node's RPC? that of its web page is another one"),
        _ if text.is_empty() => told(class),
        _ => told(text),
    }
}

fn unreachable_name_node(told: impl Fn(&str) -> Error, why: &str) -> Error {
    told(&format!("the name node can't be reached: {why}"))
        .help(
            "check host and port: `hdfs getconf -confKey fs.defaultFS` prints those of the cluster",
        )
        .help("look whether the name node is running, and whether a firewall is between")
}

fn data_nodes(told: impl Fn(&str) -> Error, why: &str) -> Error {
    // The client goes on with all that it knows of them.
    let why = why.split(": [").next().and_then(|why| why.lines().next()).unwrap_or_default();
    told(&format!("the data nodes failed: {why}"))
        .help("look whether they are running: `hdfs dfsadmin -report`")
        .help("this machine must reach the addresses that they told the name node")
}

/// The text of an error of the operating system, without Rust's `(os error 111)`.
fn text(cause: &std::io::Error) -> String {
    let text = cause.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The error of a rename.
pub(super) fn rename_failed(from: &Path, to: &Path, cause: &HdfsError) -> Error {
    match cause {
        _ if is_taken(cause) => failed("create", to, Side::Name, cause),
        _ => failed(format_args!("rename to {}", to.display()), from, Side::Name, cause),
    }
}

/// An error without a cause in HDFS.
pub(super) fn own(what: impl Into<String>, path: &Path) -> Error {
    Error::environment(what).at(path.display().to_string(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_that_the_user_can_mend_says_how() {
        let rpc = |class: &str, text: &str| HdfsError::RPCError(class.to_owned(), text.to_owned());
        let refused = std::io::Error::from_raw_os_error(111);
        for (cause, code, word) in [
            (HdfsError::IOError(refused), Code::Environment, "firewall"),
            (
                rpc("o.a.h.security.AccessControlException", "no\n\tat x"),
                Code::PermissionDenied,
                "HADOOP_USER_NAME",
            ),
            (
                rpc("o.a.h.hdfs.server.namenode.SafeModeException", "x"),
                Code::Environment,
                "safemode wait",
            ),
            (rpc("o.a.h.hdfs.protocol.DSQuotaExceededException", "x"), Code::NoSpace, "temp_dir"),
            (
                rpc("java.io.IOException", "/x could only be written to 0 of"),
                Code::NoSpace,
                "dfsadmin -report",
            ),
            (rpc("o.a.h.ipc.StandbyException", "x"), Code::Environment, "haadmin"),
            (HdfsError::NoSASLMechanism, Code::PermissionDenied, "kinit"),
            (
                HdfsError::DataTransferError("x: [at x]".to_owned()),
                Code::Environment,
                "dfsadmin -report",
            ),
        ] {
            let error = failed("write", Path::new("hdfs://h/x"), Side::Name, &cause);
            assert_eq!((error.fault, error.code), (Fault::Environment, code), "{error}");
            assert!(format!("{error:#}").contains(word), "{error:#}");
            assert!(!error.to_string().contains("at x"), "{error}");
        }
        let taken = HdfsError::AlreadyExists("x".to_owned());
        let error = failed("create", Path::new("hdfs://h/x"), Side::Name, &taken);
        assert_eq!(error.fault, Fault::Exists);
    }
}
