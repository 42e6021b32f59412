//! Why an application ended without an answer: what Spark logs, told in a few lines.

use distil_plan::{Error, Hint, printable};

use crate::options::SubmitOptions;
use crate::{NAME, answer, yarn};

/// Lines that are shown.
const SHOWN: usize = 8;
/// Characters of a line that are shown.
const LONGEST: usize = 300;

/// How a process ended, and what it said.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// Its status or signal, as a clause.
    pub(crate) how: String,
    /// The last lines of its standard error, which is Spark's log.
    pub(crate) log: Vec<String>,
    /// The last lines of its standard output: all that Python prints goes there.
    pub(crate) printed: Vec<String>,
}

/// Causes by what Spark says of them, each with what to do.
const CAUSES: [(&[&str], &str, &str); 14] = [
    (
        &[
            "JAVA_HOME is not set",
            "java: command not found",
            "java: not found",
            "Unable to locate a Java Runtime",
        ],
        "Spark finds no Java",
        "install Java 17 or later, or set JAVA_HOME to where it is",
    ),
    (
        &["UnsupportedClassVersionError"],
        "Java is older than this Spark needs",
        "set JAVA_HOME to a newer one: Spark 4 needs Java 17",
    ),
    (
        &["All masters are unresponsive", "Failed to connect to master"],
        "the master does not answer",
        "start it, or name another in the configuration: master = \"spark://HOST:7077\"",
    ),
    (
        &["HADOOP_CONF_DIR or YARN_CONF_DIR must be set"],
        "Spark does not know where YARN is",
        "set HADOOP_CONF_DIR to the directory of yarn-site.xml",
    ),
    (
        &[yarn::UNREACHABLE],
        "the ResourceManager of YARN does not answer",
        "start it, or set HADOOP_CONF_DIR to the directory of the yarn-site.xml that names it",
    ),
    (
        &["to unknown queue", "non-leaf queue"],
        "YARN has no such queue",
        "name another in the configuration: conf = { \"spark.yarn.queue\" = \"default\" }",
    ),
    (
        &["above the max threshold", "Invalid resource request"],
        "a container of that size is larger than YARN gives",
        "ask for less in the configuration, as conf = { \"spark.executor.memory\" = \"1g\" }, or raise \
         yarn.scheduler.maximum-allocation-mb",
    ),
    (&["was killed by user"], "somebody killed the application", "run it again"),
    (
        &["running beyond physical memory limits"],
        "YARN killed a container that took more memory than it had asked for",
        "ask for more in the configuration: conf = { \"spark.executor.memoryOverhead\" = \"1g\", \
         \"spark.driver.memoryOverhead\" = \"1g\" }",
    ),
    (
        &[answer::NOT_SEEN],
        "the node of the driver does not see the order, which lies beside the output",
        "write to HDFS, or to a file system that all nodes have",
    ),
    (
        &["exitCode: 137", "exitCode: 143", "has already ended! It might have been killed"],
        "the process that leads the application on YARN was killed",
        "look whether its node ran out of memory, and run it again",
    ),
    (
        &["java.lang.OutOfMemoryError"],
        "the driver of Spark had too little memory",
        "give it more in the configuration: conf = { \"spark.driver.memory\" = \"2g\" }",
    ),
    (
        &["No module named 'distil"],
        "the Python of the driver does not have the package distil",
        "install it there, or name another Python in the configuration: python = \".venv/bin/python\"",
    ),
    (
        &["No module named 'pyspark"],
        "the Python of the driver does not have pyspark",
        "set SPARK_HOME to the directory of Spark, whose own copy is then used",
    ),
];

/// The error of an application that left no answer.
pub(crate) fn explain(options: &SubmitOptions, ending: &Ending) -> Error {
    let said = || ending.log.iter().chain(&ending.printed);
    let is_said = |marks: &[&str]| said().any(|line| marks.iter().any(|mark| line.contains(mark)));
    let how = format!("{} {}", options.submit.join(" "), ending.how);
    let error = match CAUSES.iter().find(|(marks, ..)| is_said(marks)) {
        Some((_, cause, help)) => {
            Error::environment(format!("the backend {NAME} failed: {cause} ({how})")).help(*help)
        }
        None => unknown(&how),
    };
    ending.telling().into_iter().fold(error, Error::detail)
}

/// An end that Spark does not explain.
fn unknown(how: &str) -> Error {
    let error = Error::environment(format!("the backend {NAME} failed: {how} before it was done"));
    let error = match how.ends_with("was killed by signal 9") {
        true => error.help("the system may have ended it for lack of memory: look at `dmesg`"),
        false => error.help("run `distil backends check`, which asks Spark and its Python alone"),
    };
    error.help(Hint::native("or run it on the native engine"))
}

impl Ending {
    /// The lines that tell why: errors of the log and what Python printed last; the end of the log where there are none.
    pub(crate) fn telling(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for line in &self.log {
            if let Some(line) = telling(line)
                && !told.iter().any(|known| known == line)
            {
                told.push(line.to_owned());
            }
        }
        told.drain(..told.len().saturating_sub(SHOWN - 2));
        let last = |lines: &[String], most: usize| {
            let lines: Vec<&String> = lines.iter().filter(|line| !line.trim().is_empty()).collect();
            lines[lines.len().saturating_sub(most)..]
                .iter()
                .map(|line| (*line).clone())
                .collect::<Vec<_>>()
        };
        told.extend(last(&self.printed, 2));
        if told.is_empty() {
            told = last(&self.log, SHOWN / 2);
        }
        told.iter().map(|line| printable(&line.chars().take(LONGEST).collect::<String>())).collect()
    }
}

/// A line of a log that tells of an error, without its time.
fn telling(line: &str) -> Option<&str> {
    if let Some(at) = line.find("diagnostics: ") {
        let said = line[at..].trim_end();
        return (!said.ends_with(": N/A") && said != "diagnostics:").then_some(said);
    }
    if let Some(at) = line.find(" ERROR ").or_else(|| line.find(" FATAL ")) {
        return Some(&line[at + 1..]);
    }
    let begins = ["Exception in thread", "Caused by:", "Error:", "Error ", "ERROR", "error:"];
    let is_told = begins.iter().any(|begin| line.starts_with(begin))
        || CAUSES.iter().any(|(marks, ..)| marks.iter().any(|mark| line.contains(mark)));
    is_told.then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(log: &str, printed: &str) -> Ending {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Ending { how: "ended with status 1".into(), log: lines(log), printed: lines(printed) }
    }

    #[test]
    fn the_cause_is_told_from_all_that_is_stopped_because_of_it() {
        let log = "26/11/30 22:00:01 INFO SparkContext: Running Spark version 4.3.0\n\
                   26/11/30 22:01:01 ERROR StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive! Giving up.\n\
                   \tat org.apache.spark.Some.thing(Some.scala:1)\n\
                   26/11/30 22:01:02 INFO ShutdownHookManager: Shutdown hook called";
        let error = explain(&SubmitOptions::new("spark://a:1"), &ending(log, ""));
        assert_eq!(
            error.what,
            "the backend spark-submit failed: the master does not answer (spark-submit ended with status 1)"
        );
        assert_eq!(
            error.details,
            [
                "ERROR StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive! Giving up."
            ]
        );
        assert!(error.hints[0].text.contains("master ="));
    }

    #[test]
    fn an_exception_of_python_is_shown_by_its_last_lines() {
        let printed = "Traceback (most recent call last):\n  File \"application.py\", line 1\nValueError: \u{1b}[31mno";
        let error = explain(&SubmitOptions::new("local[2]"), &ending("", printed));
        assert!(
            error.what.ends_with("spark-submit ended with status 1 before it was done"),
            "{}",
            error.what
        );
        assert_eq!(
            error.details,
            ["  File \"application.py\", line 1", "ValueError: \\u{1b}[31mno"]
        );
    }

    #[test]
    fn a_log_without_errors_is_shown_by_its_end() {
        let error = explain(&SubmitOptions::new("local[2]"), &ending("a\n\nb\nc\nd\ne", ""));
        assert_eq!(error.details, ["b", "c", "d", "e"]);
        let long = ending(&format!("Caused by: {}", "x".repeat(10_000)), "");
        assert_eq!(long.telling()[0].len(), LONGEST);
    }
}
