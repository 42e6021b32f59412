//! Nothing grows with the square of its input: each kind of input is doubled three times, and the work of the
//! command is counted, not timed.
//!
//! It needs a build of its own, so it runs only if it is asked for: `make growth`. `DISTIL_GROWTH` is `all`, or part
//! of the names of the kinds to try.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests end at the first surprise, and look at files as a user does"
)]

mod counted;
mod data;
mod files;
mod kinds;
mod options;
mod outputs;
mod paths;

use std::sync::atomic::{AtomicUsize, Ordering};

use counted::{Counted, Scene};
use distil_testkit::reliability::GROWTH;
use kinds::{Kind, kinds};

/// How much more work twice the input may take: n log n stays below, and so does an array that doubles.
const MOST: f64 = 2.5;

/// How much more work eight times the input has to take. If what a command does anyway is so large that it takes
/// less, a square could hide beside it: with this and with `MOST` for the last doubling, it can't.
const LEAST: f64 = 5.0;

/// What the command does for `n`, `2n`, `4n` and `8n`.
fn work(program: &Counted, kind: &Kind) -> Result<Vec<u64>, String> {
    let of = |times| {
        let scene = Scene::new();
        let command = (kind.prepare)(&scene, kind.n * times);
        program.work(&scene, &command, kind.status)
    };
    [1, 2, 4, 8].into_iter().map(of).collect()
}

#[test]
fn twice_the_input_takes_at_most_two_and_a_half_times_the_work() {
    let all = kinds();
    assert_eq!(all.len(), GROWTH, "the declaration of reliability says how many there are");
    let Ok(wanted) = std::env::var("DISTIL_GROWTH") else {
        eprintln!("not tried here: set DISTIL_GROWTH=all, or run `make growth`");
        return;
    };
    let is_wanted = |kind: &Kind| wanted == "all" || kind.name.contains(&wanted);
    let kinds: Vec<Kind> = all.into_iter().filter(is_wanted).collect();
    let program = Counted::build();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().unwrap().get();
    let problems: Vec<String> = std::thread::scope(|scope| {
        let judge = || {
            let mut problems = Vec::new();
            while let Some(kind) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                problems.extend(judge(&program, kind));
            }
            problems
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(judge)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is wrong with how a kind grows.
fn judge(program: &Counted, kind: &Kind) -> Option<String> {
    let work = match work(program, kind) {
        Ok(work) => work,
        Err(problem) => return Some(format!("{}: {problem}", kind.name)),
    };
    let ratios: Vec<f64> = work.windows(2).map(|pair| pair[1] as f64 / pair[0] as f64).collect();
    let shown = format!("{}, {} doubled three times: {work:?}, {ratios:.2?}", kind.name, kind.n);
    eprintln!("{shown}");
    let hidden = ratios.iter().product::<f64>() < LEAST && !kind.is_limited;
    (hidden || ratios.iter().any(|ratio| *ratio > MOST)).then_some(shown)
}
