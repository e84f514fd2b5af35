//! `smartpush serve`: decisions over HTTP, until it is told to stop.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::output::{print_json, print_lines};
use super::{Context, Failure};
use api::{self, ApiState, Clock, Metrics};
use engine::{Engine, Refresher};
use files::workspace::{ServeLock, Workspace};
use operations::context::{Context as OperationContext, NoProgress};
use operations::serve::{open_engine, reserve};

/// Answer what to push to whom and when, over HTTP
///
/// Reads the workspace, and reads it again when it has changed; every answer is in data/decisions/log before it is given.
/// What can be asked is listed at /openapi.json. SIGINT or SIGTERM: no new connections, what has begun is finished
/// (10 s at most), exit 0. One server serves a workspace; other commands may work beside it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush serve
  smartpush serve --listen 127.0.0.1:0 --json
  smartpush serve --now 2017-12-01T05:00:00Z
  curl -s localhost:8080/v1/decisions -H 'content-type: application/json' -d '{\"user_id\":\"1001\"}'")]
pub(super) struct ServeArguments {
    /// Address to listen on; port 0 takes a free one and says which
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(super) listen: String,
    /// Start a clock at this moment instead of reading the machine's; events from then on are not seen
    #[arg(long, value_name = "T")]
    pub(super) now: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &ServeArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let clock = context.given_moment(arguments.now.as_deref())?.map_or_else(Clock::real, Clock::starting_at);
    let serving = reserve(&workspace)?;
    serve(context, &workspace, serving, clock, &arguments.listen, &|_| Vec::new())
}

/// Serves a workspace until it is told to stop; `invite` says more lines when it is ready.
pub(super) fn serve(
    context: &Context,
    workspace: &Workspace,
    _serving: ServeLock,
    clock: Clock,
    address: &str,
    invite: &dyn Fn(SocketAddr) -> Vec<String>,
) -> Result<(), Failure> {
    say_on_stderr();
    let listener = listen(address)?;
    let address = listener.local_addr().map_err(Failure::ours)?;
    let engine = Arc::new(engine_of(context, workspace, clock)?);
    let config = &context.config.serve;
    let every = Duration::from_secs(config.refresh_seconds);
    let refresher = Refresher::start(Arc::clone(&engine), every, move || clock.now());
    let metrics = Metrics::install().map_err(Failure::ours)?;
    let state = ApiState::new(Arc::clone(&engine), refresher, clock, metrics, config.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::ours)?;
    let served = runtime.block_on(async {
        let stop = told_to_stop()?;
        say_ready(context, &engine, address);
        if !context.json {
            print_lines(&invite(address));
        }
        api::serve(listener, state, stop).await
    });
    // Whatever still waits for a client's next byte is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    engine.close();
    served.map_err(Failure::ours)
}

/// The engine of a workspace at a clock's moment.
fn engine_of(context: &Context, workspace: &Workspace, clock: Clock) -> Result<Engine, Failure> {
    let (config, now) = (&context.config, clock.now());
    let operation = OperationContext { workspace, config, now, progress: &NoProgress };
    Ok(open_engine(&operation, clock.is_virtual(), entropy()?)?)
}

fn listen(address: &str) -> Result<TcpListener, Failure> {
    let cannot =
        |error: &dyn std::fmt::Display| Failure::caller("cannot_listen", format!("{address}: {error}"));
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| cannot(&error))?.collect();
    TcpListener::bind(addresses.as_slice()).map_err(|error| cannot(&error))
}

/// What tells this server's ids from those of every other.
pub(super) fn entropy() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::ours(format!("getrandom: {error}")))?;
    Ok(bytes)
}

fn say_on_stderr() {
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .try_init();
}

fn say_ready(context: &Context, engine: &Engine, address: SocketAddr) {
    let snapshot = engine.snapshot();
    if context.json {
        print_json(&serde_json::json!({
            "listening": address.to_string(), "url": format!("http://{address}"),
            "as_of": snapshot.as_of().to_string(), "pid": std::process::id(),
        }));
    } else {
        print_lines(&[format!(
            "serving on http://{address} as of {}; what can be asked is at /openapi.json; stop with Ctrl-C",
            snapshot.as_of()
        )]);
    }
}

/// Completes at the first SIGINT or SIGTERM.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
