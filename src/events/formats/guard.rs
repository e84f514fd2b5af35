//! A decoder that panics on a damaged file: the panic becomes an error, and its text stays off the screen.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use polars::prelude::PolarsResult;

thread_local! {
    /// Is this thread decoding foreign bytes?
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Names of polars' worker threads begin so; a decoder may panic on one of them.
const POLARS_THREADS: &str = "polars";

/// Runs a decoder on foreign bytes; what went wrong as text.
pub(super) fn guarded<T>(decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_polars =
                std::thread::current().name().is_some_and(|name| name.starts_with(POLARS_THREADS));
            if !is_polars && !DECODING.get() {
                former(info);
            }
        }));
    });
    DECODING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(false);
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its metadata contradicts itself".to_string()),
    }
}
