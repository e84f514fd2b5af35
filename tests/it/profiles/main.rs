//! Profiles: what each feature means, that sums do not depend on order or splits, that the future is not seen.

mod cases;
mod cuts;
mod determinism;
mod golden;
mod oracle;
mod properties;
mod serving;
mod world;
