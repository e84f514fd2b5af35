//! All cores, same results: work is cut into fixed chunks whose results come back in order.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads that this machine runs at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs `work` on chunks of `0..count` and returns the results in order of chunk.
///
/// The chunks depend on `count` and `chunk` alone, so a fold over the results does not depend on the threads.
pub fn in_chunks<T: Send>(count: usize, chunk: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    in_chunks_on(cores(), count, chunk, work)
}

/// [`in_chunks`] on at most so many threads; their number changes the time, not the result.
pub fn in_chunks_on<T: Send>(
    threads: usize,
    count: usize,
    chunk: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    in_chunks_with(threads, count, chunk, || (), |_, range| work(range)).0
}

/// [`in_chunks_on`] with something for each thread to keep from chunk to chunk, made by `start`.
///
/// What threads kept comes back in no order: only sums of integers may be read from it.
pub fn in_chunks_with<K: Send, T: Send>(
    threads: usize,
    count: usize,
    chunk: usize,
    start: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, Range<usize>) -> T + Sync,
) -> (Vec<T>, Vec<K>) {
    let chunks = count.div_ceil(chunk);
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::with_capacity(chunks), Vec::new())));
    let worker = || {
        let mut kept = start();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= chunks {
                break;
            }
            let result = work(&mut kept, index * chunk..((index + 1) * chunk).min(count));
            lock(&results).0.push((index, result));
        }
        lock(&results).1.push(kept);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, chunks.max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
    let (mut results, kept) = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_unstable_by_key(|(index, _)| *index);
    (results.into_iter().map(|(_, result)| result).collect(), kept)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs `work` on every index of `0..count` and returns the results in order.
pub fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    const CHUNK: usize = 64;
    in_chunks(count, CHUNK, |range| range.map(&work).collect::<Vec<T>>()).into_iter().flatten().collect()
}

/// The same for few indices that are much work each.
pub fn map_each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    in_chunks(count, 1, |range| range.map(&work).collect::<Vec<T>>()).into_iter().flatten().collect()
}

/// Adds the tallies of threads index by index.
pub fn sum_tallies(tallies: impl IntoIterator<Item = Vec<u32>>, length: usize) -> Vec<u32> {
    tallies.into_iter().fold(vec![0; length], |mut sum, tally| {
        sum.iter_mut().zip(tally).for_each(|(sum, more)| *sum += more);
        sum
    })
}
