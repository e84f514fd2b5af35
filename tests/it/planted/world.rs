//! A planted world: readers, contents and what happened, from a seed.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::acts::{self, Act};
use crate::content::Content;
use crate::export;
use crate::reader::Reader;
use crate::support::draws::Draws;
use crate::truth;

/// The day on which the export was made, in the export's zone; it holds what happened before it. Summer time began in
/// America and in Europe within the 60 days before.
const END: Date = date(2025, 4, 11);

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) readers: usize,
    pub(crate) days: i64,
    pub(crate) seed: u64,
}

impl Size {
    /// 3,000 readers, 60 days, about 785,000 events.
    pub(crate) const FULL: Size = Size { readers: 3000, days: 60, seed: 1 };
    /// A tenth of it, for every run of the tests.
    pub(crate) const SMALL: Size = Size { readers: 300, days: 60, seed: 1 };
}

/// A world with everything that is true in it.
pub(crate) struct World {
    pub(crate) end: Timestamp,
    pub(crate) readers: Vec<Reader>,
    pub(crate) contents: Vec<Content>,
    /// What happened, by time.
    pub(crate) acts: Vec<Act>,
    draws: Draws,
}

impl World {
    /// Plants a world and lets its readers read.
    pub(crate) fn plant(size: Size) -> World {
        let zone = TimeZone::get(export::EXPORT_ZONE).unwrap();
        let end = END.to_zoned(zone).unwrap().timestamp();
        let mut draws = Draws::new(size.seed);
        let contents = Content::plant_all(end, size.days, &mut draws);
        let readers: Vec<Reader> =
            (0..size.readers).map(|number| Reader::plant(number, END, size.days, &mut draws)).collect();
        let acts = acts::draw_all(&readers, &contents, (END, end), size.days, &mut draws);
        World { end, readers, contents, acts, draws }
    }

    /// Writes the export into a folder, and what is true into `truth/` in it.
    pub(crate) fn write(&mut self, folder: &Path) {
        fs::create_dir_all(folder.join("truth")).unwrap();
        let mut draws = std::mem::replace(&mut self.draws, Draws::new(0));
        export::write(self, folder, &mut draws);
        truth::write(self, &folder.join("truth"));
    }
}
