//! What a curve has to beat. To add a baseline: one variant, one arm.

use domain::time::HOURS_OF_WEEK;

type Week = [f64; HOURS_OF_WEEK];

/// Pseudo-counts that empirical Bayes chooses from, on an inner split.
const STRENGTHS: [f64; 9] = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0];

/// A baseline of send time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Baseline {
    /// Every hour alike.
    Uniform,
    /// Everybody's hours for everybody.
    Global,
    /// The user's own counts, as most tools serve them.
    RawHistogram,
    /// The user's own counts plus one.
    Laplace,
    /// The user's own counts plus m times everybody's share; m from an inner split before the cut.
    EmpiricalBayes,
}

impl Baseline {
    /// All of them, weakest idea first.
    pub const ALL: [Baseline; 5] = [
        Baseline::Uniform,
        Baseline::Global,
        Baseline::RawHistogram,
        Baseline::Laplace,
        Baseline::EmpiricalBayes,
    ];

    /// Its key in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Baseline::Uniform => "uniform",
            Baseline::Global => "global",
            Baseline::RawHistogram => "raw_histogram",
            Baseline::Laplace => "laplace",
            Baseline::EmpiricalBayes => "empirical_bayes",
        }
    }
}

/// What the baselines know: everybody's share of each hour, and the strength of empirical Bayes.
#[derive(Clone, Debug)]
pub struct Baselines {
    global: Week,
    strength: f64,
}

/// One user's counts before the inner split, and after it.
#[derive(Clone, Copy, Debug)]
pub struct InnerSplit {
    /// Units before.
    pub before: [u32; HOURS_OF_WEEK],
    /// Units after, still before the cut.
    pub after: [u32; HOURS_OF_WEEK],
}

impl Baselines {
    /// Learns from users' counts before the cut, and the strength from an inner split of the same.
    pub fn learn(counts: &[[u32; HOURS_OF_WEEK]], inner: &[InnerSplit]) -> Baselines {
        let before: Vec<[u32; HOURS_OF_WEEK]> = inner.iter().map(|split| split.before).collect();
        let inner_global = share_of_all(&before);
        let loss = |strength: f64| -> f64 {
            let of_user = |split: &InnerSplit| {
                let curve = shrunk(&split.before, &inner_global, strength);
                let unit = |(count, probability): (&u32, &f64)| f64::from(*count) * libm::log(*probability);
                -split.after.iter().zip(&curve).filter(|(count, _)| **count > 0).map(unit).sum::<f64>()
            };
            inner.iter().filter(|split| split.before.iter().any(|count| *count > 0)).map(of_user).sum()
        };
        let best = STRENGTHS.into_iter().min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
        Baselines { global: share_of_all(counts), strength: best.unwrap_or(STRENGTHS[0]) }
    }

    /// The strength m that the inner split chose.
    pub fn strength(&self) -> f64 {
        self.strength
    }

    /// A baseline's curve for a user with these counts.
    pub fn curve(&self, baseline: Baseline, counts: &[u32; HOURS_OF_WEEK]) -> Week {
        match baseline {
            Baseline::Uniform => [1.0 / HOURS_OF_WEEK as f64; HOURS_OF_WEEK],
            Baseline::Global => self.global,
            Baseline::RawHistogram => shrunk(counts, &[0.0; HOURS_OF_WEEK], 0.0),
            Baseline::Laplace => {
                shrunk(counts, &[1.0 / HOURS_OF_WEEK as f64; HOURS_OF_WEEK], HOURS_OF_WEEK as f64)
            }
            Baseline::EmpiricalBayes => shrunk(counts, &self.global, self.strength),
        }
    }
}

/// (counts + strength · prior) / (total + strength)
fn shrunk(counts: &[u32; HOURS_OF_WEEK], prior: &Week, strength: f64) -> Week {
    let total = counts.iter().map(|count| f64::from(*count)).sum::<f64>() + strength;
    std::array::from_fn(|slot| {
        (f64::from(counts[slot]) + strength * prior[slot]) / total.max(f64::MIN_POSITIVE)
    })
}

/// Everybody's counts plus one in each hour, as shares.
fn share_of_all(counts: &[[u32; HOURS_OF_WEEK]]) -> Week {
    let mut sums = [1.0; HOURS_OF_WEEK];
    for user in counts {
        for (sum, count) in sums.iter_mut().zip(user) {
            *sum += f64::from(*count);
        }
    }
    let total: f64 = sums.iter().sum();
    sums.map(|sum| sum / total)
}
