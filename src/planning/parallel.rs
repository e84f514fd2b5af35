//! Threads that change nothing: fixed chunks, results in order of chunk, tallies that are sums of integers.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work` on chunks of `0..count`; each thread has a helper of its own made by `start`.
///
/// Returns the results in order of chunk, and the helpers in no order: only sums of integers may be read from them.
pub(crate) fn in_chunks<H: Send, T: Send>(
    threads: usize,
    count: usize,
    chunk: usize,
    start: impl Fn() -> H + Sync,
    work: impl Fn(&mut H, Range<usize>) -> T + Sync,
) -> (Vec<T>, Vec<H>) {
    let chunks = count.div_ceil(chunk);
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::with_capacity(chunks), Vec::new())));
    let worker = || {
        let mut helper = start();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= chunks {
                break;
            }
            let result = work(&mut helper, index * chunk..((index + 1) * chunk).min(count));
            lock(&results).0.push((index, result));
        }
        lock(&results).1.push(helper);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, chunks.max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
    let (mut results, helpers) = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_unstable_by_key(|(index, _)| *index);
    (results.into_iter().map(|(_, result)| result).collect(), helpers)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Adds tallies of threads place by place.
pub(crate) fn sum_tallies(tallies: impl IntoIterator<Item = Vec<u32>>, length: usize) -> Vec<u32> {
    tallies.into_iter().fold(vec![0; length], |mut sum, tally| {
        sum.iter_mut().zip(tally).for_each(|(sum, more)| *sum += more);
        sum
    })
}
