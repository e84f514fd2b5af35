//! The acknowledgement that a record was written: waited for by a thread, or polled by a runtime.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::log_error::LogError;

/// Where a record is: a file, and the frame that begins at this byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramePosition {
    /// The file.
    pub path: Arc<Path>,
    /// First byte of the frame.
    pub offset: u64,
}

/// Waits for one record's write. Clones wait for the same.
#[derive(Clone, Debug)]
pub struct Ack {
    pending: Arc<PendingWrite>,
}

/// The writer's end of an acknowledgement. Dropped without a result, it reports that the log is closed.
#[derive(Debug)]
pub(super) struct Promise {
    pending: Arc<PendingWrite>,
}

#[derive(Debug, Default)]
struct PendingWrite {
    state: Mutex<WriteState>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct WriteState {
    result: Option<Result<FramePosition, LogError>>,
    wakers: Vec<Waker>,
}

impl PendingWrite {
    fn state(&self) -> MutexGuard<'_, WriteState> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn settle(&self, result: Result<FramePosition, LogError>) {
        let wakers = {
            let mut state = self.state();
            state.result.get_or_insert(result);
            std::mem::take(&mut state.wakers)
        };
        self.settled.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A promise and the acknowledgement that waits for it.
pub(super) fn pair() -> (Promise, Ack) {
    let pending = Arc::new(PendingWrite::default());
    (Promise { pending: Arc::clone(&pending) }, Ack { pending })
}

impl Promise {
    pub(super) fn settle(self, result: Result<FramePosition, LogError>) {
        self.pending.settle(result);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.pending.settle(Err(LogError::Closed));
    }
}

impl Ack {
    /// The acknowledgement of a record that was read from the log.
    pub fn settled(position: FramePosition) -> Ack {
        let (promise, ack) = pair();
        promise.settle(Ok(position));
        ack
    }

    /// Where the record was written, or why not; `None` while it waits.
    pub fn result(&self) -> Option<Result<FramePosition, LogError>> {
        self.pending.state().result.clone()
    }

    /// Is it known whether the record was written?
    pub fn is_settled(&self) -> bool {
        self.pending.state().result.is_some()
    }

    /// Blocks until the record is written, or cannot be.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn wait(&self) -> Result<FramePosition, LogError> {
        let mut state = self.pending.state();
        loop {
            if let Some(result) = &state.result {
                return result.clone();
            }
            state = self.pending.settled.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Future for Ack {
    type Output = Result<FramePosition, LogError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.pending.state();
        if let Some(result) = &state.result {
            return Poll::Ready(result.clone());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}
