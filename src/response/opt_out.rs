//! How likely a push is to lose a user's consent, at rest and for each push that is still felt.

/// Pushes that the settings' word counts like.
const PRIOR_PUSHES: f64 = 5_000.0;
/// Felt pushes between which these are spread.
const PRIOR_FELT: [f64; 2] = [0.0, 4.0];

/// Sums for the straight line P(opt-out) = at_rest + per_felt_push · felt.
#[derive(Clone, Debug, PartialEq)]
pub struct OptOuts {
    rows: f64,
    felt: f64,
    felt_squared: f64,
    lost: f64,
    lost_felt: f64,
}

/// A line through opt-outs; what [`DecisionSettings`](domain::settings::DecisionSettings) price pushes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptOutRate {
    /// P(opt-out) of a push to a user who feels none; ≥ 0.
    pub at_rest: f64,
    /// What each push that is still felt adds; ≥ 0.
    pub per_felt_push: f64,
}

impl OptOuts {
    /// Before there are outcomes: so likely, whatever is felt.
    pub fn new(probability: f64) -> OptOuts {
        let mut sums = OptOuts { rows: 0.0, felt: 0.0, felt_squared: 0.0, lost: 0.0, lost_felt: 0.0 };
        PRIOR_FELT
            .into_iter()
            .for_each(|felt| sums.add(felt, PRIOR_PUSHES / 2.0, PRIOR_PUSHES / 2.0 * probability));
        sums
    }

    /// Adds what became of a push.
    pub fn absorb(&mut self, felt: f64, opted_out: bool) {
        self.add(felt, 1.0, f64::from(u8::from(opted_out)));
    }

    fn add(&mut self, felt: f64, rows: f64, lost: f64) {
        self.rows += rows;
        self.felt += felt * rows;
        self.felt_squared += felt * felt * rows;
        self.lost += lost;
        self.lost_felt += lost * felt;
    }

    /// The line of least squares, held from sloping down or beginning below zero.
    pub fn rate(&self) -> OptOutRate {
        let spread = self.rows * self.felt_squared - self.felt * self.felt;
        let slope = ((self.rows * self.lost_felt - self.felt * self.lost) / spread).max(0.0);
        let at_rest = (self.lost - slope * self.felt) / self.rows;
        match at_rest >= 0.0 {
            true => OptOutRate { at_rest, per_felt_push: slope },
            false => OptOutRate { at_rest: 0.0, per_felt_push: self.lost_felt / self.felt_squared },
        }
    }
}
