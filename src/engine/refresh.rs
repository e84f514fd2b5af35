//! Looks for changes in the workspace every few seconds, in a thread of its own, and refreshes the engine.

use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Stopwatch};

use arc_swap::ArcSwap;

use super::Engine;
use super::watched::WatchedFindings;
use domain::time::Instant;

/// How refreshing goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RefreshState {
    /// Snapshots put in force since the start.
    pub refreshed: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// Why the last attempt failed; `None` when it did not.
    pub last_error: Option<String>,
    /// Seconds that the last rebuild took.
    pub last_seconds: f64,
}

/// The thread that looks; it ends when this is dropped.
#[derive(Debug)]
pub struct Refresher {
    state: Arc<Mutex<RefreshState>>,
    findings: Arc<ArcSwap<WatchedFindings>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Refresher {
    /// Looks every so often; `now` reads the server's clock. Findings about data and champions are read at once and at each
    /// look.
    pub fn start(
        engine: Arc<Engine>,
        every: Duration,
        now: impl Fn() -> Instant + Send + 'static,
    ) -> Refresher {
        let (stop, stopped) = channel();
        let state = Arc::new(Mutex::new(RefreshState::default()));
        let findings = Arc::new(ArcSwap::from_pointee(WatchedFindings::read(engine.workspace())));
        let (shared, shared_findings) = (Arc::clone(&state), Arc::clone(&findings));
        let thread = std::thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(every) {
                let watch = Stopwatch::now();
                let outcome = engine.refresh(now()).map_err(|error| error.to_string());
                note(&mut shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner()), outcome, watch);
                shared_findings.store(Arc::new(WatchedFindings::read(engine.workspace())));
            }
        });
        Refresher { state, findings, stop: Some(stop), thread: Some(thread) }
    }

    /// What was found last about data and champions; nothing is read to answer this.
    pub fn findings(&self) -> Arc<WatchedFindings> {
        self.findings.load_full()
    }

    /// How it goes.
    pub fn state(&self) -> RefreshState {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

fn note(state: &mut RefreshState, outcome: Result<ControlFlow<()>, String>, watch: Stopwatch) {
    match outcome {
        Ok(ControlFlow::Continue(())) => state.last_error = None,
        Ok(ControlFlow::Break(())) => {
            state.refreshed += 1;
            state.last_error = None;
            state.last_seconds = watch.elapsed().as_secs_f64();
            tracing::info!(
                seconds = state.last_seconds,
                "the workspace has changed: a new snapshot is in force"
            );
        }
        Err(error) => {
            tracing::error!(%error, "the workspace has changed but cannot be read: the former snapshot stays in force");
            state.failed += 1;
            state.last_error = Some(error);
        }
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
