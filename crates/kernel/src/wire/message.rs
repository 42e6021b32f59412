//! Facts, accounts and splitters as one message.

use std::collections::BTreeMap;

use distil_json::{MessageReader, MessageWriter, PassedOver, Seen};
use distil_plan::{DISTIL_VERSION, Error, ResolvedPlan, Result};

use crate::partial::{Account, JobId, Partial};
use crate::slice::Slice;
use crate::splitters::Splitters;

const NAME: &[u8] = b"distil-partial";
/// The version of the form; goes up with every change of it.
const VERSION: u64 = 2;
/// Bytes that a slice and its account take at least.
const LEAST_ACCOUNT_BYTES: usize = 4 + 8 + 1 + 7 * 8 + 3 * 8;

/// All of a partial but its rows and bad records.
pub fn write_message(partial: &Partial) -> Vec<u8> {
    let mut message = MessageWriter::default();
    message.bytes(NAME);
    message.number(VERSION);
    message.bytes(DISTIL_VERSION.as_bytes());
    message.wide(partial.job.0);
    message.number(partial.accounts.len() as u64);
    for (slice, account) in &partial.accounts {
        write_slice(slice, &mut message);
        let Account { bytes, records, bad_records, bad_ranges, bad_bytes, .. } = account;
        let PassedOver { without, holes } = &account.passed_over;
        for count in [bytes, records, bad_records, bad_ranges, bad_bytes, without, holes] {
            message.number(*count);
        }
        message.bytes(account.shape.as_bytes());
        message.bytes(account.compression.as_bytes());
        message.number(account.ignored_members.len() as u64);
        for name in &account.ignored_members {
            message.bytes(name.as_bytes());
        }
    }
    partial.seen.write(&mut message);
    message.finish()
}

/// Reads a partial of a job: all but its rows and bad records.
///
/// # Errors
/// An environment error if the message is broken, of another version of distil, which is named, or of
/// another job.
pub fn read_message(plan: &ResolvedPlan, splitters: &Splitters, bytes: &[u8]) -> Result<Partial> {
    let mut message = MessageReader::new(bytes);
    if message.bytes()? != NAME {
        return Err(Error::environment("a message is not of a part of a job of distil"));
    }
    let (version, distil) = (message.number()?, message.text()?);
    if version != VERSION || distil != DISTIL_VERSION {
        return Err(Error::environment(format!(
            "a part of the job ran distil {distil} (form {version}), this one is distil \
             {DISTIL_VERSION} (form {VERSION})"
        ))
        .help("install the same version of distil on all nodes"));
    }
    let job = JobId::of(plan, splitters)?;
    if message.wide()? != job.0 {
        return Err(Error::environment("a part of another job came to this one"));
    }
    let mut accounts = BTreeMap::new();
    for _ in 0..message.count(LEAST_ACCOUNT_BYTES)? {
        let slice = read_slice(&mut message)?;
        let mut account = Account {
            bytes: message.number()?,
            records: message.number()?,
            bad_records: message.number()?,
            bad_ranges: message.number()?,
            bad_bytes: message.number()?,
            passed_over: PassedOver { without: message.number()?, holes: message.number()? },
            shape: message.text()?.to_owned(),
            compression: message.text()?.to_owned(),
            ignored_members: Vec::new(),
        };
        for _ in 0..message.count(8)? {
            account.ignored_members.push(message.text()?.to_owned());
        }
        accounts.insert(slice, account);
    }
    let seen = Seen::read(&plan.plan, &mut message)?;
    message.finish()?;
    Ok(Partial { job, accounts, seen, runs: Vec::new(), bad: Vec::new() })
}

fn write_slice(slice: &Slice, message: &mut MessageWriter) {
    message.number(u64::from(slice.input));
    message.number(slice.begin);
    message.flag(slice.end.is_some());
    message.number(slice.end.unwrap_or_default());
}

fn read_slice(message: &mut MessageReader<'_>) -> Result<Slice> {
    let (input, begin) = (message.small()?, message.number()?);
    let (cut, end) = (message.flag()?, message.number()?);
    Ok(Slice { input, begin, end: cut.then_some(end) })
}
