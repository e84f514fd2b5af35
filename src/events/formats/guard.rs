//! A decoder that panics on a damaged file: the panic becomes an error, and its text stays off the screen.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::PolarsResult;

/// Decoders at work. Theirs are worker threads too, so this counts for the whole process.
static DECODING: AtomicUsize = AtomicUsize::new(0);

/// Runs a decoder on foreign bytes; what went wrong as text.
pub(super) fn guarded<T>(decode: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if DECODING.load(Ordering::Relaxed) == 0 {
                former(info);
            }
        }));
    });
    DECODING.fetch_add(1, Ordering::Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(decode));
    DECODING.fetch_sub(1, Ordering::Relaxed);
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its metadata contradicts itself".to_string()),
    }
}
