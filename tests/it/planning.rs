//! Plans: the solver against every possible plan, joint rules against a naive reading, whole plans against their promises.

mod command;
mod crowd;
mod solver;
mod together;
mod whole;
