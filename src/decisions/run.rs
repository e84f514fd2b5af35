//! A run of instants.

use domain::time::Instant;

/// A run of instants, `from` inclusive, `until` exclusive and later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) from: Instant,
    pub(super) until: Instant,
}
