//! Plans: the solver against every possible plan, joint rules against a naive reading, whole plans against their promises.

mod audiences;
mod command;
mod crowd;
mod solver;
mod together;
mod whole;
