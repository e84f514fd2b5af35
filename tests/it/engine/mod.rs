//! The engine: settings reach decisions, and what others ask of the rules is what decisions say.

mod fatigue;
mod fresh;
mod quiet;
mod reach;
mod send_time;
mod undeclared;
