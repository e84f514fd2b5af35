//! Readers with planted habits: hours of the day, tastes, consent and the days on which they read at all.

use jiff::civil::Date;

use crate::content::{CATEGORIES, Category};
use crate::support::draws::Draws;

/// Zone, language, country and share of the readers.
const PLACES: [(&str, &str, &str, f64); 6] = [
    ("Asia/Shanghai", "zh-CN", "CN", 0.36),
    ("Europe/Berlin", "de-DE", "DE", 0.22),
    ("America/New_York", "en-US", "US", 0.16),
    ("Asia/Tokyo", "ja-JP", "JP", 0.10),
    ("Europe/London", "en-GB", "GB", 0.10),
    ("America/Sao_Paulo", "pt-BR", "BR", 0.06),
];

/// Middle of the main reading time, spread of it among the readers, share of the readers.
const RHYTHMS: [(f64, f64, f64); 7] = [
    (8.6, 0.8, 0.20),
    (12.5, 0.9, 0.18),
    (16.4, 1.0, 0.15),
    (19.3, 0.9, 0.26),
    (21.0, 0.7, 0.11),
    (23.2, 0.7, 0.05),
    (6.2, 0.6, 0.05),
];

const FIRST_NAMES: [&str; 8] = ["Ann", "Bo", "Chen", "Dana", "Emil", "Fatima", "Georg", "Hana"];

/// Hours in which a push may be sent without any setting: 22:00 to 08:00 are quiet.
pub(crate) const OPEN_HOURS: std::ops::Range<usize> = 8..22;

/// Shares of the hours of a day; they sum to 1.
pub(crate) type Hours = [f64; 24];

/// On which days a reader reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stay {
    /// From the first day to the last.
    Throughout,
    /// Came so many days before the end.
    Came(i64),
    /// Read until so many days before the end.
    Left(i64),
    /// Read for a while long ago, and again since so many days before the end.
    Returned(i64),
    /// Read for a while long ago.
    Gone,
    /// Signed up and never read anything.
    Silent,
}

/// A reader and what is true of them.
pub(crate) struct Reader {
    pub(crate) user_id: String,
    pub(crate) zone: &'static str,
    pub(crate) language: &'static str,
    pub(crate) country: &'static str,
    /// Is the zone in the users file? Otherwise only the events tell it.
    pub(crate) zone_is_declared: bool,
    pub(crate) joined: Date,
    pub(crate) consent: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) first_name: Option<&'static str>,
    pub(crate) stay: Stay,
    /// Visits a day.
    pub(crate) visits: f64,
    /// Visits of a day of the weekend, beside those of a weekday.
    pub(crate) weekend: f64,
    pub(crate) weekday_hours: Hours,
    pub(crate) weekend_hours: Hours,
    /// Shares of the categories; they sum to 1.
    pub(crate) tastes: [f64; CATEGORIES.len()],
    /// How readily they react to pushes; 1 is usual.
    pub(crate) response: f64,
}

impl Reader {
    /// Draws a reader of a world that ends on a date.
    pub(crate) fn plant(number: usize, end: Date, days: i64, draws: &mut Draws) -> Reader {
        let (zone, language, country, _) = PLACES[draws.choice(&PLACES.map(|place| place.3))];
        let stay = stay(days, draws);
        let (weekday_hours, weekend_hours) = rhythm(draws);
        Reader {
            user_id: format!("r{number:05}"),
            zone,
            language,
            country,
            zone_is_declared: draws.uniform() < 0.9,
            joined: end - jiff::Span::new().days(joined_before(stay, days, draws)),
            consent: ["granted", "denied", ""][draws.choice(&[0.86, 0.07, 0.07])],
            tier: ["gold", "silver", "basic"][draws.choice(&[0.12, 0.28, 0.60])],
            first_name: (draws.uniform() < 0.8).then(|| FIRST_NAMES[draws.choice(&[1.0; 8])]),
            stay,
            visits: visits(stay, draws),
            weekend: draws.between(0.6, 1.3),
            weekday_hours,
            weekend_hours,
            tastes: tastes(draws),
            response: (0.4 * draws.normal()).exp(),
        }
    }

    /// Do they read on a day so many days before the last one? The last day is 0.
    pub(crate) fn reads(&self, before: i64) -> bool {
        let long_ago = (120..160).contains(&before);
        match self.stay {
            Stay::Throughout => true,
            Stay::Came(since) => before < since,
            Stay::Left(until) => before >= until,
            Stay::Returned(since) => before < since || long_ago,
            Stay::Gone => long_ago,
            Stay::Silent => false,
        }
    }

    /// Shares of the hours on a kind of day.
    pub(crate) fn hours(&self, weekend: bool) -> &Hours {
        if weekend { &self.weekend_hours } else { &self.weekday_hours }
    }

    /// Reading in each hour of the day, summed over a week.
    pub(crate) fn week(&self) -> Hours {
        std::array::from_fn(|hour| {
            5.0 * self.weekday_hours[hour] + 2.0 * self.weekend * self.weekend_hours[hour]
        })
    }

    /// The category they like best.
    pub(crate) fn favourite(&self) -> Category {
        CATEGORIES[largest(&self.tastes, 0..CATEGORIES.len())]
    }

    /// The probability that they tap a push of a content of this quality and category in an hour of a kind of day.
    ///
    /// Quality × readiness × (0.4 … 2 by taste) × (0.15 … 1 by hour), at most 0.9.
    pub(crate) fn tap_probability(&self, quality: f64, category: usize, hour: usize, weekend: bool) -> f64 {
        let (hours, all) = (self.hours(weekend), 0..CATEGORIES.len());
        let taste = 0.4 + 1.6 * self.tastes[category] / self.tastes[largest(&self.tastes, all)];
        let time = 0.15 + 0.85 * hours[hour] / hours[largest(hours, 0..24)];
        (quality * self.response * taste * time).min(0.9)
    }
}

/// The index of the largest value in a range, the first on ties.
pub(crate) fn largest(values: &[f64], range: std::ops::Range<usize>) -> usize {
    range
        .fold(None, |best: Option<usize>, index| match best {
            Some(best) if values[best] >= values[index] => Some(best),
            _ => Some(index),
        })
        .unwrap_or(0)
}

fn stay(days: i64, draws: &mut Draws) -> Stay {
    let within = |draws: &mut Draws, low: i64, high: i64| {
        (low + (draws.uniform() * (high - low) as f64) as i64).min(days - 1)
    };
    match draws.choice(&[0.60, 0.12, 0.13, 0.08, 0.06, 0.01]) {
        0 => Stay::Throughout,
        1 => Stay::Came(within(draws, 8, 29)),
        2 => Stay::Left(within(draws, 20, 45)),
        // Those who came back more than 30 days before the end are active, not returned.
        3 => Stay::Returned(within(draws, 9, 40)),
        4 => Stay::Gone,
        _ => Stay::Silent,
    }
}

/// Days from sign-up to the end of the world.
fn joined_before(stay: Stay, days: i64, draws: &mut Draws) -> i64 {
    match stay {
        Stay::Came(since) => since + 1,
        Stay::Returned(_) | Stay::Gone => 162 + (draws.uniform() * 60.0) as i64,
        _ => days + 1 + (draws.uniform() * 200.0) as i64,
    }
}

/// Visits a day: light, medium and heavy readers; those who stay a short time read much while they do.
fn visits(stay: Stay, draws: &mut Draws) -> f64 {
    let shares = match stay {
        Stay::Throughout | Stay::Left(_) | Stay::Silent => [0.45, 0.40, 0.15],
        Stay::Came(_) | Stay::Returned(_) | Stay::Gone => [0.15, 0.50, 0.35],
    };
    match draws.choice(&shares) {
        0 => draws.between(0.30, 0.75),
        1 => draws.between(0.85, 1.5),
        _ => draws.between(1.6, 2.55),
    }
}

/// Hours of weekdays and of weekends: a main reading time, a lesser one hours away from it, and some reading all day long.
fn rhythm(draws: &mut Draws) -> (Hours, Hours) {
    let (middle, spread, _) = RHYTHMS[draws.choice(&RHYTHMS.map(|rhythm| rhythm.2))];
    let main = middle + spread * draws.normal();
    let (width, weight) = (draws.between(1.1, 1.9), draws.between(0.45, 0.70));
    let second = main + draws.between(4.0, 12.0);
    let (second_width, second_weight) = (draws.between(1.2, 2.0), draws.between(0.10, 0.22));
    // Many sleep longer on Saturdays, and read a little later.
    let later = if draws.uniform() < 0.5 { draws.between(0.0, 1.5) } else { 0.0 };
    let hours = |later: f64| {
        let of = |hour: usize| {
            let at = hour as f64 + 0.5;
            weight * bump(at, main + later, width)
                + second_weight * bump(at, second + later, second_width)
                + (1.0 - weight - second_weight) * if (7..23).contains(&hour) { 0.06 } else { 0.005 }
        };
        shares(std::array::from_fn(of))
    };
    (hours(0.0), hours(later))
}

/// The normal density around the clock.
fn bump(at: f64, middle: f64, width: f64) -> f64 {
    let distance = (at - middle + 12.0).rem_euclid(24.0) - 12.0;
    (-0.5 * (distance / width).powi(2)).exp() / (width * std::f64::consts::TAU.sqrt())
}

fn tastes(draws: &mut Draws) -> [f64; CATEGORIES.len()] {
    let favourite = draws.choice(&CATEGORIES.map(|category| category.likers));
    let among = draws.between(0.24, 0.50);
    let others: [f64; CATEGORIES.len()] = std::array::from_fn(|category| {
        if category == favourite { 0.0 } else { CATEGORIES[category].likers * draws.gamma(1.5) }
    });
    let sum: f64 = others.iter().sum();
    // The second is liked six tenths as much at most: less far apart, no count of a light reader's acts would tell them apart.
    let other = |share: f64| (share / sum * (1.0 - among)).min(0.6 * among);
    shares(std::array::from_fn(
        |category| if category == favourite { among } else { other(others[category]) },
    ))
}

fn shares<const N: usize>(weights: [f64; N]) -> [f64; N] {
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}
