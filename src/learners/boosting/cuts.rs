//! Where an input is cut into bins: at its quantiles, or between all its values where they are few.

use ndarray::ArrayView1;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::rows::BoostingRows;

/// Rows that are looked at to find the cuts; more make them hardly better.
const SAMPLE: usize = 200_000;

/// The cuts of one input, rising: bin b holds what is above cut b − 1 and not above cut b.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cuts {
    cuts: Vec<f64>,
    /// The same, filled up with infinity: a search of fixed depth needs no branch.
    padded: Box<[f64; 256]>,
}

impl Cuts {
    fn new(cuts: Vec<f64>) -> Cuts {
        let mut padded = Box::new([f64::INFINITY; 256]);
        padded[..cuts.len()].copy_from_slice(&cuts);
        Cuts { cuts, padded }
    }

    /// Bins of present values; the bin after them holds the missing ones.
    pub(super) fn bins(&self) -> usize {
        self.cuts.len() + 1
    }

    /// What a split after `bin` compares with: a present value goes left when it is not above this. After the last
    /// bin all present values go left.
    pub(super) fn threshold(&self, bin: u8) -> f64 {
        self.cuts.get(usize::from(bin)).copied().unwrap_or(f64::MAX)
    }

    /// The bin of a value, NaN being missing.
    pub(super) fn bin(&self, value: f64) -> u8 {
        if value.is_nan() {
            return self.cuts.len() as u8 + 1;
        }
        // Eight halvings find how many of at most 255 cuts are below the value.
        let mut below = 0;
        for step in [128, 64, 32, 16, 8, 4, 2, 1] {
            below += if self.padded[(below + step - 1) & 255] < value { step } else { 0 };
        }
        below as u8
    }
}

/// The cuts of every input, from a seeded sample of the rows.
pub(super) fn find_cuts(rows: &BoostingRows, bins: usize, seed: u64, threads: usize) -> Vec<Cuts> {
    let sample = sample(&rows.chosen, seed);
    let columns: Vec<usize> = (0..rows.inputs.ncols()).collect();
    let of_columns = |columns: &[usize]| -> Vec<Cuts> {
        columns.iter().map(|column| column_cuts(rows.inputs.column(*column), &sample, bins)).collect()
    };
    std::thread::scope(|scope| {
        let share = columns.len().div_ceil(threads).max(1);
        let workers: Vec<_> = columns.chunks(share).map(|part| scope.spawn(|| of_columns(part))).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.flat_map(|cuts| cuts.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// The rows that are looked at: all, or one drawn from each of [`SAMPLE`] equal stretches.
fn sample(rows: &[u32], seed: u64) -> Vec<u32> {
    if rows.len() <= SAMPLE {
        return rows.to_vec();
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::MAX);
    let draw = |stretch: usize| {
        let (from, until) = (stretch * rows.len() / SAMPLE, (stretch + 1) * rows.len() / SAMPLE);
        rows[from + (random.next_u32() as usize * (until - from)) / (1 << 32)]
    };
    (0..SAMPLE).map(draw).collect()
}

fn column_cuts(column: ArrayView1<f64>, sample: &[u32], bins: usize) -> Cuts {
    let values = sample.iter().map(|row| column[*row as usize] + 0.0);
    let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let counted: Vec<(f64, usize)> =
        values.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect();
    let ends =
        if counted.len() <= bins { (1..counted.len()).collect() } else { quantile_ends(&counted, bins) };
    Cuts::new(ends.into_iter().map(|end| between(counted[end - 1].0, counted[end].0)).collect())
}

/// Where bins of about equal counts end. A value as frequent as a whole bin has one of its own, and what is left is
/// shared out among the others (LightGBM's greedy binning).
fn quantile_ends(counted: &[(f64, usize)], bins: usize) -> Vec<usize> {
    let mut rows: usize = counted.iter().map(|(_, count)| count).sum();
    let mean = rows as f64 / bins as f64;
    let is_large = |index: usize| counted.get(index).is_some_and(|(_, count)| *count as f64 >= mean);
    let large = (0..counted.len()).filter(|index| is_large(*index));
    let (large_values, large_rows) = large.fold((0, 0), |(n, sum), index| (n + 1, sum + counted[index].1));
    rows -= large_rows;
    let mut bins_left = bins - large_values;
    let mut size = rows as f64 / bins_left.max(1) as f64;
    let (mut ends, mut held) = (Vec::new(), 0);
    for (index, (_, count)) in counted.iter().enumerate().take(counted.len() - 1) {
        held += count;
        rows -= if is_large(index) { 0 } else { *count };
        let is_half_before_large = is_large(index + 1) && held as f64 >= (size / 2.0).max(1.0);
        if !is_large(index) && (held as f64) < size && !is_half_before_large {
            continue;
        }
        ends.push(index + 1);
        if ends.len() == bins - 1 {
            break;
        }
        held = 0;
        if !is_large(index) {
            bins_left = bins_left.saturating_sub(1);
            size = rows as f64 / bins_left.max(1) as f64;
        }
    }
    ends
}

/// A number that is not below `low` and below `high`: their middle where it can be told from `high`.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if (low..high).contains(&middle) { middle } else { low }
}
