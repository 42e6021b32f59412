//! A child process and its three pipes: all that this crate asks of the operating system.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use distil_plan::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::ProcessOptions;

/// The longest line, in bytes: no message comes near it.
const LONGEST: u64 = 16 << 20;
/// How often an ending process is looked at.
const TICK: Duration = Duration::from_millis(10);
/// The longest wait for the end of standard error once the process has ended. It ends with the process,
/// unless something that left its group holds it open.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What came from the process.
pub enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// Nothing, for as long as was waited.
    Silence,
    /// Its standard output is closed, or gave a line that never ends.
    Closed,
}

/// A child in a process group of its own, so that Ctrl-C at a terminal does not reach it and all
/// that it starts ends with it. Dropping it ends it.
pub struct Process {
    child: Child,
    /// Closed to tell the child that there will be no more orders.
    orders: Option<Sender<Vec<u8>>>,
    lines: Receiver<Vec<u8>>,
    said: Arc<Mutex<VecDeque<String>>>,
    /// Disconnected once standard error has ended.
    all_said: Receiver<()>,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts the program.
    ///
    /// # Errors
    /// An environment error if the program can't be started.
    pub fn start(options: &ProcessOptions) -> Result<Self> {
        let mut command = Command::new(&options.program);
        for name in &options.without {
            command.env_remove(name);
        }
        let mut child = command
            .args(&options.arguments)
            // Modules in the current directory are data, not code.
            .env("PYTHONSAFEPATH", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|cause| {
                Error::io("start the program", options.program.to_string_lossy(), &cause)
            })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (orders, pending) = channel();
        let (send, lines) = sync_channel(64);
        let (saying, all_said) = channel();
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let (heard, kept) = (Arc::clone(&said), options.kept);
        // Should the system give no thread, this ends the child.
        let process = Self { child, orders: Some(orders), lines, said, all_said, ended: None };
        if let Some(stdin) = stdin {
            start_thread(move || write_orders(stdin, &pending))?;
        }
        if let Some(stdout) = stdout {
            start_thread(move || {
                let mut reader = BufReader::new(stdout);
                while let Some(line) = read_line(&mut reader) {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            })?;
        }
        if let Some(stderr) = stderr {
            start_thread(move || {
                keep_last(BufReader::new(stderr), &heard, kept);
                drop(saying);
            })?;
        }
        Ok(process)
    }

    /// Hands a line over; whether the child takes it shows in what it says, or in its end.
    pub fn send(&self, line: Vec<u8>) {
        if let Some(orders) = &self.orders {
            // The writer is only gone when the child no longer reads, and then it is about to end.
            let _ = orders.send(line);
        }
    }

    /// Tells the child that nothing more will be handed over: its standard input ends.
    pub fn close(&mut self) {
        self.orders = None;
    }

    /// The next line.
    pub fn hear(&self, wait: Duration) -> Heard {
        match self.lines.recv_timeout(wait) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
            Err(RecvTimeoutError::Disconnected) => Heard::Closed,
        }
    }

    /// Whether the child still runs.
    pub fn is_alive(&mut self) -> bool {
        self.look();
        self.ended.is_none()
    }

    /// Asks the child, and all that it started in its group, to end.
    pub fn terminate(&self) {
        self.signal_group(Signal::TERM);
    }

    /// Ends the child, after it had `grace` to do so by itself, and says how it ended.
    pub fn end(&mut self, grace: Duration) -> String {
        self.orders = None;
        let patience = Instant::now() + grace;
        while self.is_alive() && Instant::now() < patience {
            thread::sleep(TICK);
        }
        let by_itself = self.ended.is_some();
        if !by_itself {
            self.kill_group();
            self.ended = self.child.wait().ok();
        }
        match self.ended {
            Some(status) if by_itself => match (status.code(), status.signal()) {
                (Some(code), _) => format!("ended with status {code}"),
                (None, Some(signal)) => format!("was killed by signal {signal}"),
                (None, None) => "ended".to_owned(),
            },
            _ => "was stopped".to_owned(),
        }
    }

    /// The last lines of its standard error, once it has ended.
    pub fn said(&self) -> Vec<String> {
        // What was written just before the end may still be on its way.
        let _ = self.all_said.recv_timeout(LAST_WORDS);
        self.says()
    }

    /// The last lines of its standard error so far.
    pub fn says(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().map(|line| distil_plan::printable(line)).collect()
    }

    fn look(&mut self) {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some(status);
            // What it started goes with it, now: later its number may name others.
            self.kill_group();
        }
    }

    fn kill_group(&self) {
        self.signal_group(Signal::KILL);
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An error means that nobody is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(Duration::from_millis(500));
    }
}

fn start_thread(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().spawn(work);
    started.map(drop).map_err(|cause| {
        Error::io("start a thread", "this process", &cause)
            .help("too many processes or too little memory: close others, or raise `ulimit -u`")
    })
}

fn write_orders(mut stdin: ChildStdin, pending: &Receiver<Vec<u8>>) {
    for mut line in pending {
        line.push(b'\n');
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// The next line without its end; `None` at the end, or when the line is too long to be one.
fn read_line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let count = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).ok()?;
    if count == 0 || count as u64 == LONGEST {
        return None;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Some(line)
}

fn keep_last(mut reader: impl BufRead, said: &Mutex<VecDeque<String>>, kept: usize) {
    while let Some(line) = read_line(&mut reader) {
        let mut text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some((end, _)) = text.char_indices().nth(400) {
            text.truncate(end);
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() == kept {
            said.pop_front();
        }
        said.push_back(text);
    }
}
