//! What a push takes from the user's later ones: it is felt for days, and what is felt makes clicks rarer and opt-outs likelier.

/// After so many pushes what was expected of the ones before counts 1 / e, nearly.
const MEMORY: f64 = 10.0;

/// What one felt push more does to the next push, as far as it was learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeltPush {
    /// Adds to P(opt-out); ≥ 0.
    pub opt_out: f64,
    /// Adds to the logit of a click; above 0 it is taken for 0.
    pub logit: f64,
}

/// What things are worth, in one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Of a click.
    pub click: f64,
    /// What an opt-out costs.
    pub opt_out: f64,
}

/// How likely each user clicks on what he is pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct ClickLevels {
    levels: Vec<f64>,
}

impl ClickLevels {
    /// Users before their first push, taken to click so often.
    pub fn new(users: usize, rate: f64) -> ClickLevels {
        ClickLevels { levels: vec![rate; users] }
    }

    /// Adds what was expected of a push to a user.
    pub fn absorb(&mut self, user: usize, probability: f64) {
        self.levels[user] += (probability - self.levels[user]) / MEMORY;
    }

    /// P(click) of a user's pushes, newer ones counting more.
    pub fn of(&self, user: usize) -> f64 {
        self.levels[user]
    }
}

/// What a push takes from the value of a user's later ones, in the unit of `worth`: Σ over them of how much of it is felt
/// then, times what a felt push costs, by the derivative of P(click) = logistic(logit).
///
/// `later` is that sum of what is felt ([`felt_later`]), `click` his P(click).
pub fn price(felt: FeltPush, worth: Worth, later: f64, click: f64) -> f64 {
    let clicks = (-felt.logit).max(0.0) * click * (1.0 - click);
    later * (worth.opt_out * felt.opt_out + worth.click * clicks)
}

/// How much of a push is felt in all later ones together, if one is sent every `interval` and half is forgotten within
/// `half_life`, in the same unit: Σ_{k ≥ 1} 2^(−k · interval / half-life).
pub fn felt_later(interval: f64, half_life: f64) -> f64 {
    1.0 / (libm::exp2(interval / half_life) - 1.0)
}
