//! People and contents with the truth about them, and what people do of themselves.

use super::draws::{Purpose, normal, pick, stream, uniform};
use super::parameters::{Parameters, Peak};
use domain::time::{Day, HOUR, HOURS_OF_WEEK, Instant};
use domain::zone::Zone;

/// A world: the same seed and parameters, the same world, on any number of threads.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was made from.
    pub parameters: Parameters,
    /// Its seed.
    pub seed: u64,
    /// Who lives in it.
    pub people: Vec<Person>,
    /// What comes out in it, oldest first.
    pub contents: Vec<WorldContent>,
    first_day: Day,
    holidays: Vec<Day>,
}

/// A person, and what is true of him.
#[derive(Clone, Debug)]
pub struct Person {
    /// His id.
    pub id: String,
    /// His clock.
    pub zone: &'static Zone,
    /// Index of their zone among the parameters'.
    pub zone_index: usize,
    /// Active hours to be expected in each hour of the week.
    pub activity: [f64; HOURS_OF_WEEK],
    /// ln(receptiveness in each hour of the week / in the best), ≤ 0, by the weight of hours.
    pub hours: [f64; HOURS_OF_WEEK],
    /// Log-odds of each category.
    pub tastes: Vec<f64>,
    /// Log-odds of any push.
    pub level: f64,
}

/// A content, and what is true of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorldContent {
    /// Its category.
    pub category: usize,
    /// Log-odds that it adds.
    pub appeal: f64,
    /// Day of its coming out, as a number of days of play; negative before.
    pub published: i32,
}

/// Something that a person does of himself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// Day of play, negative before, on his own clock.
    pub day: i32,
    /// Hour of day.
    pub hour: u8,
    /// Where in the hour, in [0, 1).
    pub fraction: f32,
    /// What he looks at.
    pub content: u32,
}

impl World {
    /// Makes a world.
    pub fn new(parameters: Parameters, seed: u64) -> World {
        let contents = contents(&parameters, seed);
        let people = parallel::map(parameters.users, |user| Person::new(&parameters, seed, user));
        let first_day = parameters.first_day();
        let holidays = parameters.holidays.iter().filter_map(|day| Day::parse(day)).collect();
        World { parameters, seed, people, contents, first_day, holidays }
    }

    /// Days of play.
    pub fn days(&self) -> i32 {
        7 * self.parameters.weeks
    }

    /// Days of events before play.
    pub fn history_days(&self) -> i32 {
        7 * self.parameters.history_weeks
    }

    /// The calendar day of a day of play.
    pub fn calendar_day(&self, day: i32) -> Day {
        Day(self.first_day.0 + day)
    }

    /// When a day of play begins on a clock.
    pub fn midnight(&self, zone: &Zone, day: i32) -> Instant {
        zone.instant_of(self.calendar_day(day).civil().into()).unwrap_or(Instant::MIN)
    }

    /// When the first clock reaches a day of play.
    pub fn first_midnight(&self, day: i32) -> Instant {
        self.midnights(day).min().unwrap_or(Instant::MIN)
    }

    /// When the last clock reaches a day of play.
    pub fn last_midnight(&self, day: i32) -> Instant {
        self.midnights(day).max().unwrap_or(Instant::MIN)
    }

    fn midnights(&self, day: i32) -> impl Iterator<Item = Instant> {
        let zones = self.parameters.zones.iter().filter_map(|zone| Zone::shared(&zone.name));
        zones.map(move |zone| self.midnight(zone, day))
    }

    /// When an hour of a day of play is over on a person's clock.
    pub fn end_of_hour(&self, user: usize, day: i32, hour: u8) -> Instant {
        self.midnight(self.people[user].zone, day).plus((i64::from(hour) + 1) * HOUR)
    }

    /// The hour of the week that people live in: a holiday is a Sunday.
    pub fn lived_hour(&self, day: i32, hour: usize) -> usize {
        let day = self.calendar_day(day);
        let weekday = if self.holidays.contains(&day) { 6 } else { day.weekday() };
        weekday * 24 + hour
    }

    /// Contents that are out on a day of play.
    pub fn alive(&self, day: i32) -> Vec<usize> {
        let life = self.parameters.contents.life_days;
        let first = self.contents.partition_point(|content| content.published + life <= day);
        let end = self.contents.partition_point(|content| content.published <= day);
        (first..end).collect()
    }

    /// What a content has for a person on a day, in log-odds: taste, appeal and age.
    pub fn attraction(&self, person: &Person, content: usize, day: i32) -> f64 {
        let content = &self.contents[content];
        let age = f64::from(day - content.published);
        person.tastes[content.category] + content.appeal + self.parameters.contents.per_day_of_age * age
    }

    /// All that a person does of himself, before and during play, in order; whoever pushes him what.
    pub fn acts(&self, user: usize, alive: &[Vec<usize>]) -> Vec<Act> {
        let (person, mut random) = (&self.people[user], stream(self.seed, Purpose::Activity, user));
        let mut acts = Vec::new();
        for (day, alive) in (-self.history_days()..self.days()).zip(alive) {
            let mut weights: Option<Vec<f64>> = None;
            for hour in 0..24 {
                let expected = person.activity[self.lived_hour(day, hour)];
                if uniform(&mut random) >= -libm::expm1(-expected) {
                    continue;
                }
                let weights = weights.get_or_insert_with(|| {
                    alive.iter().map(|content| libm::exp(self.attraction(person, *content, day))).collect()
                });
                let content = alive[pick(weights, uniform(&mut random))] as u32;
                acts.push(Act { day, hour: hour as u8, fraction: uniform(&mut random) as f32, content });
            }
        }
        acts
    }

    /// Contents that are out on each day before and during play.
    pub fn alive_by_day(&self) -> Vec<Vec<usize>> {
        (-self.history_days()..self.days()).map(|day| self.alive(day)).collect()
    }
}

impl Person {
    fn new(parameters: &Parameters, seed: u64, user: usize) -> Person {
        let mut random = stream(seed, Purpose::Person, user);
        let zones: Vec<f64> = parameters.zones.iter().map(|zone| zone.share).collect();
        let zone_index = pick(&zones, uniform(&mut random));
        let zone = Zone::shared(&parameters.zones[zone_index].name).unwrap_or(Zone::shared_utc());
        let rhythm = &parameters.rhythm;
        let shares: Vec<f64> = rhythm.types.iter().map(|kind| kind.share).collect();
        let kind = &rhythm.types[pick(&shares, uniform(&mut random))];
        let shift = rhythm.personal_shift_hours * normal(&mut random);
        let own: [f64; 24] = std::array::from_fn(|_| libm::exp(rhythm.personal_spread * normal(&mut random)));
        let height = |hour_of_week: usize| {
            let peaks = if hour_of_week < 5 * 24 { &kind.workdays } else { &kind.weekend };
            (rhythm.floor + heights(peaks, hour_of_week % 24, shift)) * own[hour_of_week % 24]
        };
        let heights: [f64; HOURS_OF_WEEK] = std::array::from_fn(height);
        let active = rhythm.active_hours_per_day * libm::exp(rhythm.activity_spread * normal(&mut random));
        let total: f64 = heights.iter().sum();
        let contents = &parameters.contents;
        Person {
            id: format!("person-{user:07}"),
            zone,
            zone_index,
            activity: heights.map(|height| 7.0 * active * height / total),
            hours: hours_of_response(parameters, &heights),
            tastes: (0..contents.categories).map(|_| contents.taste_spread * normal(&mut random)).collect(),
            level: parameters.response.level_spread * normal(&mut random),
        }
    }
}

/// Peaks that lie on a circle of 24 hours, at the middle of an hour.
fn heights(peaks: &[Peak], hour: usize, shift: f64) -> f64 {
    let height = |peak: &Peak| {
        let apart = (hour as f64 + 0.5 - peak.hour - shift).rem_euclid(24.0);
        let distance = apart.min(24.0 - apart) / peak.width;
        peak.height * libm::exp(-0.5 * distance * distance)
    };
    peaks.iter().map(height).sum()
}

fn hours_of_response(parameters: &Parameters, heights: &[f64; HOURS_OF_WEEK]) -> [f64; HOURS_OF_WEEK] {
    let response = &parameters.response;
    let largest = heights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    std::array::from_fn(|hour| {
        let active = (hour as i32 - response.lag_hours).rem_euclid(HOURS_OF_WEEK as i32) as usize;
        response.hour_weight * libm::log(heights[active] / largest)
    })
}

/// Every content that is out on some day before or during play.
fn contents(parameters: &Parameters, seed: u64) -> Vec<WorldContent> {
    let contents = &parameters.contents;
    let first = -7 * parameters.history_weeks - contents.life_days + 1;
    let mut random = stream(seed, Purpose::Contents, 0);
    let mut all = Vec::new();
    for published in first..7 * parameters.weeks {
        for _ in 0..contents.published_per_day {
            let category = pick(&vec![1.0; contents.categories], uniform(&mut random));
            let appeal = contents.appeal_spread * normal(&mut random);
            all.push(WorldContent { category, appeal, published });
        }
    }
    all
}
