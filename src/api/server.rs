//! Listening: header timers, a bound on connections, a graceful stop.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum_server::Handle;

use super::{ApiState, router};

/// Requests that have begun get this long to end once the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Buffer for the head of a request; a longer one is refused.
const LONGEST_HEAD: usize = 64 << 10;

/// Answers requests until `stop` completes, then finishes what has begun.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle: Handle<SocketAddr> = Handle::new();
    let stopper = (handle.clone(), state.clone());
    tokio::spawn(async move {
        stop.await;
        stopper.1.say_stopping();
        stopper.0.graceful_shutdown(Some(GRACE));
    });
    tokio::spawn(state.0.metrics.clone().keep_up());
    let patience = Duration::from_secs(state.config().header_timeout_seconds);
    let mut server =
        axum_server::from_tcp(listener)?.handle(handle).http1_only().first_request_timeout(patience);
    server.http_builder().http1().header_read_timeout(patience).max_buf_size(LONGEST_HEAD);
    server.serve(router(state).into_make_service()).await
}
