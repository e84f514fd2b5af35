//! A server in this process, put together as `smartpush serve` does.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use api::{ApiState, Clock, Metrics};
use config::Config;
use domain::time::Instant;
use engine::{Engine, Refresher};
use files::workspace::Workspace;
use tokio::sync::oneshot;

use super::client::Client;

/// One recorder counts for all servers of the process.
static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::install().unwrap());

/// A running server, stopped when dropped.
pub struct Server {
    client: Client,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    /// Starts a server on a free port. `--now T` is the one argument that it takes.
    pub fn start(workspace: &Path, arguments: &[&str]) -> Server {
        Server::start_with(workspace, arguments, &[])
    }

    /// The same with settings: `("SERVE__HEADER_TIMEOUT_SECONDS", "1")`.
    pub fn start_with(workspace: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Server {
        let settings = settings.iter().map(|(name, value)| (format!("SMARTPUSH__{name}"), value.to_string()));
        let config = Config::load(workspace, None, &settings.collect::<Vec<_>>()).unwrap();
        let clock = match arguments {
            [] => Clock::real(),
            ["--now", now] => Clock::starting_at(Instant::parse_rfc3339(now).unwrap()),
            other => panic!("{other:?}"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let workspace = Workspace::open(workspace).unwrap();
        let serving = workspace.lock_for_serving().unwrap();
        let engine =
            Engine::open(workspace, config.clone(), clock.now(), clock.is_virtual(), entropy()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            serve(listener, Arc::new(engine), clock, &config, stopped);
            drop(serving);
        });
        Server { client: Client::of(address), running: Some((stop, thread)) }
    }

    /// A server that is kept in a static; it ends with the process.
    pub fn kept(workspace: &Path, arguments: &[&str]) -> Server {
        Server::start(workspace, arguments)
    }

    /// Stops it and waits until its log is closed.
    pub fn stop(self) {}
}

/// What tells the ids of one server from those of another.
fn entropy() -> [u8; 32] {
    static SERVERS: AtomicU8 = AtomicU8::new(0);
    [SERVERS.fetch_add(1, Ordering::Relaxed); 32]
}

fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    clock: Clock,
    config: &Config,
    stopped: oneshot::Receiver<()>,
) {
    let every = Duration::from_secs(config.serve.refresh_seconds);
    let refresher = Refresher::start(Arc::clone(&engine), every, move || clock.now());
    let state = ApiState::new(Arc::clone(&engine), refresher, clock, METRICS.clone(), config.serve.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            served = api::serve(listener, state, std::future::pending()) => served.unwrap(),
            _ = stopped => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    engine.close();
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}
