//! What `smartpush health` and `smartpush models show` found last, in memory: the refresher reads it, metrics show it.

use events::health::failed_last;
use files::workspace::Workspace;
use models::drift::{Drift, DriftVerdict};
use registry::versions::Registry;

/// The last findings about data and champions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatchedFindings {
    /// Data checks that failed; `None` when there is no report that can be read.
    pub failed_checks: Option<u64>,
    /// Champions whose drift was measured, in order of their goals.
    pub champions: Vec<WatchedChampion>,
}

/// A champion's drift.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedChampion {
    /// Its goal.
    pub goal: String,
    /// PSI of its probabilities.
    pub psi: f64,
    /// Has it drifted?
    pub is_drifted: bool,
    /// Observed over expected; `None` before any outcome is known.
    pub calibration_ratio: Option<f64>,
}

impl WatchedFindings {
    /// Reads the files in which the two commands keep what they found.
    pub fn read(workspace: &Workspace) -> WatchedFindings {
        let registry = Registry::of(workspace);
        let drift_of = |goal: &String| Drift::read(workspace, goal, &registry.champion(goal)?);
        let champion = |goal: String| {
            let drift = drift_of(&goal)?;
            let is_drifted = drift.verdict == DriftVerdict::Drifted;
            let calibration_ratio = drift.calibration.map(|calibration| calibration.ratio.value);
            Some(WatchedChampion { goal, psi: drift.psi_score, is_drifted, calibration_ratio })
        };
        let champions = registry.goals().into_iter().filter_map(champion).collect();
        WatchedFindings { failed_checks: failed_last(workspace), champions }
    }
}
