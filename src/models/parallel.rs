//! All cores, same sums: work is cut into fixed chunks whose results come back in order.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work` on chunks of `0..count` and returns the results in order of chunk.
///
/// The chunks depend on `count` and `chunk` alone, so a fold over the results does not depend on the threads.
pub(super) fn in_chunks<T: Send>(
    count: usize,
    chunk: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    in_chunks_on(cores(), count, chunk, work)
}

/// Threads that this machine runs at once.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// [`in_chunks`] on at most so many threads; their number changes the time, not the result.
pub(super) fn in_chunks_on<T: Send>(
    threads: usize,
    count: usize,
    chunk: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let chunks = count.div_ceil(chunk);
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(chunks)));
    let worker = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= chunks {
                return;
            }
            let result = work(index * chunk..((index + 1) * chunk).min(count));
            results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, result));
        }
    };
    let threads = threads.min(chunks.max(1));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs `work` on every index of `0..count` and returns the results in order.
pub(super) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    const CHUNK: usize = 64;
    in_chunks(count, CHUNK, |range| range.map(&work).collect::<Vec<T>>()).into_iter().flatten().collect()
}

/// The same for few indices that are much work each.
pub(super) fn map_each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    in_chunks(count, 1, |range| range.map(&work).collect::<Vec<T>>()).into_iter().flatten().collect()
}
