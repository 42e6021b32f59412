//! What the threads of a phase share: the state in which each finds its next task, waits for one, or sees
//! that there is nothing left to do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use distil_plan::{Error, Result};

/// What a thread finds in the state.
pub(crate) enum Next<T> {
    /// A task.
    Do(T),
    /// The state has changed: all threads look again.
    Changed,
    /// Nothing until the state changes.
    Wait,
    /// No more tasks, now or later.
    Done,
}

/// State that threads share until one of them fails.
pub(crate) struct WorkQueue<S> {
    shared: Mutex<Shared<S>>,
    changed: Condvar,
    stopped: AtomicBool,
}

struct Shared<S> {
    state: S,
    /// Threads that wait.
    idle: usize,
    failed: Option<Error>,
}

impl<S> WorkQueue<S> {
    pub(crate) fn new(state: S) -> Self {
        Self {
            shared: Mutex::new(Shared { state, idle: 0, failed: None }),
            changed: Condvar::new(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Does task after task, until none is left or one of any thread fails. A thread that panics counts as
    /// failed, so that no other waits for its result.
    pub(crate) fn work<T>(
        &self,
        next: impl Fn(&mut S) -> Next<T>,
        mut task: impl FnMut(T) -> Result<()>,
    ) {
        let alive = Alive(self);
        while let Some(found) = self.take(&next) {
            if let Err(error) = task(found) {
                self.fail(error);
            }
        }
        std::mem::forget(alive);
    }

    /// Looks at the state, and changes nothing that another thread waits for.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        look(&mut self.lock().state)
    }

    /// Changes the state; all waiting threads look again.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        let mut shared = self.lock();
        let result = change(&mut shared.state);
        // Notifying is a system call even when no thread waits.
        if shared.idle > 0 {
            self.changed.notify_all();
        }
        result
    }

    /// Adds one task to the state; one waiting thread looks again.
    pub(crate) fn give(&self, add: impl FnOnce(&mut S)) {
        let mut shared = self.lock();
        add(&mut shared.state);
        if shared.idle > 0 {
            self.changed.notify_one();
        }
    }

    /// Ends the work of all threads; the first error is the one that counts.
    pub(crate) fn fail(&self, error: Error) {
        self.lock().failed.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Whether a thread has failed, so that no more work is of use.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The state when all threads are done, and the first error.
    pub(crate) fn finish(self) -> (S, Result<()>) {
        let Shared { state, failed, .. } =
            self.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state, failed.map_or(Ok(()), Err))
    }

    fn take<T>(&self, next: &impl Fn(&mut S) -> Next<T>) -> Option<T> {
        let mut shared = self.lock();
        loop {
            if shared.failed.is_some() {
                return None;
            }
            match next(&mut shared.state) {
                Next::Do(task) => return Some(task),
                Next::Done => return None,
                Next::Changed => self.changed.notify_all(),
                Next::Wait => {
                    shared.idle += 1;
                    shared = self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
                    shared.idle -= 1;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared<S>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that its thread died, unless it is forgotten.
struct Alive<'a, S>(&'a WorkQueue<S>);

impl<S> Drop for Alive<'_, S> {
    fn drop(&mut self) {
        self.0.fail(Error::bug("a thread of the engine died"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers to hand out, and how many are being worked at.
    #[derive(Default)]
    struct Numbers {
        waiting: Vec<u32>,
        underway: usize,
        done: Vec<u32>,
    }

    fn next(numbers: &mut Numbers) -> Next<u32> {
        match numbers.waiting.pop() {
            Some(number) => {
                numbers.underway += 1;
                Next::Do(number)
            }
            None if numbers.underway > 0 => Next::Wait,
            None => Next::Done,
        }
    }

    /// What four threads make of the number 12, of which each task makes all smaller halves.
    fn run(task: impl Fn(u32) -> Result<()> + Sync) -> (Numbers, Result<()>) {
        let queue = WorkQueue::new(Numbers { waiting: vec![12], ..Numbers::default() });
        std::thread::scope(|scope| {
            let work = || {
                queue.work(next, |number| {
                    task(number)?;
                    for _ in 0..2 {
                        if number > 1 {
                            queue.give(|numbers| numbers.waiting.push(number / 2));
                        }
                    }
                    queue.change(|numbers| {
                        numbers.underway -= 1;
                        numbers.done.push(number);
                    });
                    Ok(())
                });
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            // The queue reports a panic.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        queue.finish()
    }

    #[test]
    fn tasks_that_make_tasks_are_all_done() {
        let (mut numbers, result) = run(|_| Ok(()));
        result.unwrap();
        numbers.done.sort_unstable();
        assert_eq!(numbers.done, [1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 6, 6, 12]);
    }

    #[test]
    fn an_error_and_a_panic_end_the_work_of_all() {
        let fails = |number| match number {
            3 => Err(Error::usage("three")),
            _ => Ok(()),
        };
        assert_eq!(run(fails).1.unwrap_err().what, "three");
        let panics = |number| {
            assert_ne!(number, 3, "a panic on purpose");
            Ok(())
        };
        assert!(run(panics).1.unwrap_err().what.contains("died"));
    }
}
