//! The server's clock: the machine's, or one that starts at a chosen moment and runs on from there.

use std::time::Instant as Stopwatch;

use domain::time::Instant;

/// Reads the time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    virtual_start: Option<(Instant, Stopwatch)>,
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Clock {
        Clock { virtual_start: None }
    }

    /// A clock that shows `start` now.
    pub fn starting_at(start: Instant) -> Clock {
        Clock { virtual_start: Some((start, Stopwatch::now())) }
    }

    /// Does it show another time than the machine's?
    pub fn is_virtual(&self) -> bool {
        self.virtual_start.is_some()
    }

    /// What it shows.
    #[expect(clippy::disallowed_methods, reason = "the edge: everything below takes `now` as an argument")]
    pub fn now(&self) -> Instant {
        match self.virtual_start {
            Some((start, watch)) => {
                start.plus(i64::try_from(watch.elapsed().as_micros()).unwrap_or(i64::MAX))
            }
            None => Instant::from_micros(jiff::Timestamp::now().as_microsecond()),
        }
    }
}
