//! Errors of the operating system, in the user's words.

use std::fmt::Display;
use std::path::Path;

use distil_plan::{Code, Error, Fault, Hint};
use rustix::io::Errno;

/// The error for a call that failed on `path`; `doing` completes "cannot ...".
pub(crate) fn failed(doing: impl Display, path: &Path, cause: Errno) -> Error {
    let doing = doing.to_string();
    let error = Error::io(&doing, path.display(), &std::io::Error::from(cause));
    match cause {
        Errno::EXIST => {
            Error::new(Fault::Exists, format!("cannot {doing}: it exists already"))
                .at(path.display().to_string(), None)
        }
        Errno::NOSPC | Errno::DQUOT => {
            error.coded(Code::NoSpace)
            .help("free some space there, or choose another output")
            .help(Hint::choose("or keep temporary files elsewhere", "temp_dir"))
        }
        Errno::MFILE | Errno::NFILE => {
            error.help("raise the limit of open files with `ulimit -n 4096`, and run again")
        }
        Errno::ACCESS | Errno::PERM => error.coded(Code::PermissionDenied)
            .help("check the permissions of it and of every directory above it, for the user who runs distil"),
        Errno::ROFS => error
            .help("choose another output: the file system is mounted read-only")
            .help(Hint::choose("or keep temporary files elsewhere", "temp_dir")),
        Errno::LOOP => error.help("look at the symbolic links there: they point at each other, or one stands where none may"),
        Errno::XDEV => error.help("choose names on one file system"),
        _ => error,
    }
}

/// An error without a cause in the operating system: a rule of this crate is broken.
pub(crate) fn refused(what: impl Into<String>, path: &Path) -> Error {
    Error::environment(what).at(path.display().to_string(), None)
}

/// The error for a rename that failed.
pub(crate) fn rename_failed(from: &Path, to: &Path, cause: Errno) -> Error {
    match cause {
        Errno::EXIST => failed("create", to, cause),
        _ => failed(format_args!("rename to {}", to.display()), from, cause),
    }
}

/// The error for a file whose sync failed before.
pub(crate) fn sync_failed(path: &Path) -> Error {
    refused("cannot go on after a failed sync: its content may be lost", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_that_the_user_can_mend_says_how() {
        let advice = |cause| {
            let error = failed("write", Path::new("out/x"), cause);
            assert_eq!(error.fault, Fault::Environment);
            assert!(error.to_string().starts_with("out/x: cannot write: "), "{error}");
            error.hints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        for (causes, word) in [
            ([Errno::NOSPC, Errno::DQUOT], "temp_dir"),
            ([Errno::MFILE, Errno::NFILE], "ulimit -n"),
            ([Errno::ACCESS, Errno::PERM], "permissions"),
            ([Errno::ROFS, Errno::ROFS], "read-only"),
            ([Errno::LOOP, Errno::LOOP], "links"),
            ([Errno::XDEV, Errno::XDEV], "one file system"),
        ] {
            for cause in causes {
                assert!(advice(cause).contains(word), "{cause}: {}", advice(cause));
            }
        }
        assert_eq!(advice(Errno::IO), "");
    }
}
