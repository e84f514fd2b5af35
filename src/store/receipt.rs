//! The promise that something was written: waited for by a thread, or polled by a runtime.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::decision_log::LogError;

/// Where a record lies: a file, and the frame that begins at this byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<Path>,
    /// First byte of the frame.
    pub offset: u64,
}

/// Waits for one record's write. Clones wait for the same.
#[derive(Clone, Debug)]
pub struct Receipt {
    shared: Arc<Shared>,
}

/// The writer's end of a receipt. Dropped without a word, it says that the log is closed.
#[derive(Debug)]
pub(super) struct Promise {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Place, LogError>>,
    wakers: Vec<Waker>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn settle(&self, outcome: Result<Place, LogError>) {
        let wakers = {
            let mut state = self.state();
            state.outcome.get_or_insert(outcome);
            std::mem::take(&mut state.wakers)
        };
        self.settled.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A promise and the receipt that waits for it.
pub(super) fn pair() -> (Promise, Receipt) {
    let shared = Arc::new(Shared::default());
    (Promise { shared: Arc::clone(&shared) }, Receipt { shared })
}

impl Promise {
    pub(super) fn settle(self, outcome: Result<Place, LogError>) {
        self.shared.settle(outcome);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.shared.settle(Err(LogError::Closed));
    }
}

impl Receipt {
    /// A receipt for what was written long ago.
    pub fn settled(place: Place) -> Receipt {
        let (promise, receipt) = pair();
        promise.settle(Ok(place));
        receipt
    }

    /// What came of it, when that is known already.
    pub fn outcome(&self) -> Option<Result<Place, LogError>> {
        self.shared.state().outcome.clone()
    }

    /// Blocks until the record is written, or cannot be.
    pub fn wait(&self) -> Result<Place, LogError> {
        let mut state = self.shared.state();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state = self.shared.settled.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Future for Receipt {
    type Output = Result<Place, LogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.shared.state();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}
