//! A whole audience at once: campaigns together, under everything that they share.

pub mod solver;
