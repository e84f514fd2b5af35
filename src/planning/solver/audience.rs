//! Users with their options, twelve bytes each: when, how much worth, and whatever the caller wants back.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::time::{HOUR, Instant, MINUTE};

/// Minutes in a quarter of an hour: what zones are offset by in multiples of, and what prices hold for.
pub(super) const QUARTER: usize = 15;

/// Users laid out together; also what a thread takes at a time.
pub(super) const PART: usize = 4_096;

/// The longest horizon, so that a minute of it is 16 bits.
pub const MOST_HOURS: usize = 1_000;

/// All 60 minutes of an hour.
pub const WHOLE_HOUR: u64 = (1 << 60) - 1;

/// What can be sent to a user of one campaign in one send slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Where the hour of the slot begins: quarters of an hour after the plan's origin ([`quarter_of`]).
    pub quarter: usize,
    /// The minutes of that hour, bit by bit, in which sending is allowed.
    pub minutes: u64,
    /// What sending is worth, weighed by priority, all prices paid.
    pub value: f32,
    /// What the caller wants to find again: content, variant, channel.
    pub payload: u32,
}

/// One option of a user for a campaign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// What sending is worth.
    pub value: f32,
    /// Index of its hour and minutes among the shapes of the audience.
    pub(super) shape: u32,
    /// What the caller gave.
    pub payload: u32,
}

/// An hour from a quarter on, and its allowed minutes. Most users share a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    pub(super) quarter: u16,
    pub(super) minutes: u64,
}

impl Shape {
    /// Its minute 0, counted from the origin.
    pub(super) fn start(&self) -> usize {
        usize::from(self.quarter) * QUARTER
    }

    /// The first allowed minute, counted from the origin.
    pub(super) fn first(&self) -> usize {
        self.start() + self.minutes.trailing_zeros() as usize
    }

    /// The last allowed minute, counted from the origin.
    pub(super) fn last(&self) -> usize {
        self.start() + 63 - self.minutes.leading_zeros() as usize
    }

    /// The quarters it reaches into, each with its number of allowed minutes.
    pub(super) fn quarters(&self) -> impl Iterator<Item = (usize, u32)> + use<> {
        let (quarter, minutes) = (usize::from(self.quarter), self.minutes);
        let count = move |index: usize| ((minutes >> (index * QUARTER)) & 0x7fff).count_ones();
        (0..4).map(move |index| (quarter + index, count(index))).filter(|(_, count)| *count > 0)
    }
}

/// Users × campaigns with their options.
#[derive(Debug)]
pub struct Audience {
    campaigns: usize,
    hours: usize,
    users: usize,
    shapes: Vec<Shape>,
    parts: Vec<AudiencePart>,
}

/// The options of some users, in order of user, campaign and time.
#[derive(Debug)]
struct AudiencePart {
    cells: Vec<Cell>,
    /// Where the cells of (user of the part, campaign) begin, and one more for the end.
    starts: Vec<u32>,
}

impl Audience {
    /// Asks `fill` for the offers of each user, on as many threads as allowed, and keeps those that can be sent.
    ///
    /// `hours` counts from the origin on, at most [`MOST_HOURS`]. What `fill` offers must depend on the user alone.
    pub fn build(
        campaigns: usize,
        hours: usize,
        users: usize,
        threads: usize,
        fill: impl Fn(usize, &mut Offers) + Sync,
    ) -> Audience {
        let hours = hours.min(MOST_HOURS);
        let start = || Offers { hours, by_campaign: vec![Vec::new(); campaigns] };
        let work = |offers: &mut Offers, range: Range<usize>| lay_out(range, offers, &fill);
        let (parts, _) = parallel::in_chunks_with(threads, users, PART, start, work);
        let mut dictionary = Dictionary::default();
        let merge = |(mut part, own): (AudiencePart, Vec<Shape>)| {
            let common: Vec<u32> = own.into_iter().map(|shape| dictionary.index(shape)).collect();
            part.cells.iter_mut().for_each(|cell| cell.shape = common[cell.shape as usize]);
            part
        };
        let parts = parts.into_iter().map(merge).collect();
        Audience { campaigns, hours, users, shapes: dictionary.shapes, parts }
    }

    /// How many campaigns there are.
    pub fn campaigns(&self) -> usize {
        self.campaigns
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.users
    }

    /// How many hours the plan may reach from its origin.
    pub fn hours(&self) -> usize {
        self.hours
    }

    /// The options of a user for a campaign, in order of time.
    pub fn cells(&self, user: usize, campaign: usize) -> &[Cell] {
        let part = &self.parts[user / PART];
        let at = user % PART * self.campaigns + campaign;
        &part.cells[part.starts[at] as usize..part.starts[at + 1] as usize]
    }

    /// How many options there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.cells.len()).sum()
    }

    /// Is there nothing to send to anybody?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the hour of an option begins, in quarters after the origin, and its allowed minutes.
    pub fn time_of(&self, cell: &Cell) -> (usize, u64) {
        let shape = self.shape(cell);
        (usize::from(shape.quarter), shape.minutes)
    }

    /// What these users' best options for campaigns are worth on average; 0 without any.
    pub fn mean_best(&self, users: impl Iterator<Item = usize>) -> f64 {
        let pairs = users.flat_map(|user| (0..self.campaigns).map(move |campaign| (user, campaign)));
        let best = pairs.filter_map(|(user, campaign)| self.best(user, campaign));
        let (sum, count) =
            best.fold((0.0, 0.0), |(sum, count), (_, cell)| (sum + f64::from(cell.value), count + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }

    /// Makes every option worth so much more.
    pub fn raise(&mut self, by: f32) {
        let cells = self.parts.iter_mut().flat_map(|part| &mut part.cells);
        cells.for_each(|cell| cell.value += by);
    }

    pub(super) fn shape(&self, cell: &Cell) -> Shape {
        self.shapes[cell.shape as usize]
    }

    pub(super) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The user's most valuable option for a campaign, the earliest of equals.
    pub(super) fn best(&self, user: usize, campaign: usize) -> Option<(usize, &Cell)> {
        let mut best: Option<(usize, &Cell)> = None;
        for (index, cell) in self.cells(user, campaign).iter().enumerate() {
            if best.is_none_or(|(_, best)| cell.value > best.value) {
                best = Some((index, cell));
            }
        }
        best
    }
}

/// Collects what can be sent to one user.
#[derive(Debug)]
pub struct Offers {
    hours: usize,
    by_campaign: Vec<Vec<Offer>>,
}

impl Offers {
    /// Adds an offer; one without a positive, finite value or without a minute inside the plan's hours is dropped.
    pub fn add(&mut self, campaign: usize, offer: Offer) {
        let minutes = offer.minutes & WHOLE_HOUR & self.minutes_inside(offer.quarter);
        let is_worth = offer.value.is_finite() && offer.value > 0.0;
        if let Some(offers) = self.by_campaign.get_mut(campaign)
            && minutes != 0
            && is_worth
        {
            offers.push(Offer { minutes, ..offer });
        }
    }

    fn minutes_inside(&self, quarter: usize) -> u64 {
        let left = (self.hours * 4).saturating_sub(quarter).min(4) * QUARTER;
        (1 << left) - 1
    }
}

fn lay_out(
    users: Range<usize>,
    offers: &mut Offers,
    fill: &impl Fn(usize, &mut Offers),
) -> (AudiencePart, Vec<Shape>) {
    let mut dictionary = Dictionary::default();
    let mut part = AudiencePart { cells: Vec::new(), starts: vec![0] };
    for user in users {
        fill(user, offers);
        for offers in &mut offers.by_campaign {
            // The earlier slot first: what comes first wins ties.
            offers.sort_by_key(|offer| offer.quarter);
            part.cells.extend(offers.drain(..).map(|offer| dictionary.cell(&offer)));
            part.starts.push(part.cells.len() as u32);
        }
    }
    part.cells.shrink_to_fit();
    (part, dictionary.shapes)
}

/// Numbers shapes in the order in which they come.
#[derive(Default)]
struct Dictionary {
    shapes: Vec<Shape>,
    known: BTreeMap<Shape, u32>,
    /// Users of one zone repeat the same shapes in the same order.
    guess: usize,
}

impl Dictionary {
    fn cell(&mut self, offer: &Offer) -> Cell {
        let shape = Shape { quarter: offer.quarter as u16, minutes: offer.minutes };
        Cell { value: offer.value, shape: self.index(shape), payload: offer.payload }
    }

    fn index(&mut self, shape: Shape) -> u32 {
        let index = match self.shapes.get(self.guess) {
            Some(guessed) if *guessed == shape => self.guess as u32,
            _ => *self.known.entry(shape).or_insert(self.shapes.len() as u32),
        };
        if index as usize == self.shapes.len() {
            self.shapes.push(shape);
        }
        self.guess = index as usize + 1;
        index
    }
}

/// The origin of a plan made at `now`: a whole hour (UTC) before which no slot that is still open has begun.
pub fn origin_of(now: Instant) -> Instant {
    // What is open has begun less than an hour ago.
    Instant::from_micros((now.micros() - (HOUR - 1)).div_euclid(HOUR) * HOUR)
}

/// How many quarters of an hour lie between the origin and where the hour of a slot begins.
///
/// `None` before the origin, and for clocks that are off by anything but quarters, as none has been since 1972.
pub fn quarter_of(origin: Instant, hour_start: Instant) -> Option<usize> {
    let micros = hour_start.micros() - origin.micros();
    let quarter = QUARTER as i64 * MINUTE;
    (micros >= 0 && micros % quarter == 0).then_some((micros / quarter) as usize)
}

/// The instant at which a minute of the plan begins.
pub fn instant_of(origin: Instant, minute: usize) -> Instant {
    origin.plus(minute as i64 * MINUTE)
}
