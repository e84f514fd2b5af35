//! Six thousand made-up people in ten zones, and the campaign that everybody is asked to send them.

use smartpush::domain::curve::{argmax, by_hour_of_day};
use smartpush::domain::slot::send_slots;
use smartpush::domain::time::{HOUR, HOURS_OF_WEEK, Instant, MINUTE};
use smartpush::domain::user::{MinuteOfDay, QuietHours};
use smartpush::domain::zone::Zone;

/// New York and Los Angeles set their clocks back in the night of the campaign; two zones are not whole hours off.
pub const ZONES: [&str; 10] = [
    "America/New_York",
    "Europe/Berlin",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Auckland",
    "Africa/Cairo",
    "America/Los_Angeles",
];

/// People of the town.
const PEOPLE: usize = 6_000;

/// Somebody to push.
pub struct Person {
    pub user_id: String,
    pub zone: &'static Zone,
    /// His own quiet hours; `None`: the campaign's hold for him.
    pub quiet: Option<QuietHours>,
    /// The true share of his activity in each hour of the week.
    pub curve: [f64; HOURS_OF_WEEK],
    /// Is he known well enough for anybody to foretell his hours? He who is not came within the last week.
    pub has_prediction: bool,
    /// Pushes he got of late, newest first.
    pub past: Vec<Instant>,
}

/// The people and the campaign.
pub struct Town {
    pub people: Vec<Person>,
    /// The campaign starts.
    pub now: Instant,
    /// From here on the content is worth nothing.
    pub expires_at: Instant,
    /// Most messages in a minute.
    pub throttle: usize,
    /// Most pushes on one of a person's calendar days.
    pub cap: usize,
    /// Quiet hours of whoever set none.
    pub quiet: QuietHours,
    /// Where the marketer sits.
    pub home: &'static Zone,
    /// Everybody's activity: what is known of those of whom nothing is.
    pub popular: [f64; HOURS_OF_WEEK],
}

impl Person {
    /// The hour of his day in which he is most active.
    pub fn best_hour(&self) -> usize {
        argmax(&by_hour_of_day(&self.curve))
    }

    /// Pushes that he got on the calendar day which a zone's clock shows at an instant.
    pub fn past_on_day_of(&self, at: Instant, zone: &Zone) -> usize {
        let day = |at: Instant| zone.local_hour(at).day();
        self.past.iter().filter(|past| day(**past) == day(at)).count()
    }
}

impl Town {
    pub fn made() -> Town {
        let now = Instant::parse_rfc3339("2026-10-31T18:00:00Z").unwrap();
        let random = &mut Random(2_026);
        let people: Vec<Person> = (0..PEOPLE).map(|index| person(index, now, random)).collect();
        Town {
            popular: mean_curve(&people),
            people,
            now,
            expires_at: now.plus(20 * HOUR),
            throttle: 10,
            cap: 2,
            quiet: hours("22:00", "08:00"),
            home: Zone::shared("America/New_York").unwrap(),
        }
    }

    /// The hours that are quiet for somebody.
    pub fn quiet_of(&self, person: &Person) -> QuietHours {
        person.quiet.unwrap_or(self.quiet)
    }

    /// The hour of the day with most activity among those that begin before the expiry.
    pub fn best_hour_in_time(&self, person: &Person) -> usize {
        let mut shares = by_hour_of_day(&person.curve);
        (0..24)
            .filter(|hour| self.next(person, *hour) >= self.expires_at)
            .for_each(|hour| shares[hour] = 0.0);
        argmax(&shares)
    }

    /// The first instant from the campaign's start on at which somebody's clock shows this hour of the day.
    pub fn next(&self, person: &Person, hour_of_day: usize) -> Instant {
        let slots = send_slots(person.zone, self.now, self.now.plus(26 * HOUR));
        let is_it = |hour: usize| hour == hour_of_day;
        slots.iter().find(|slot| is_it(slot.local_hour.hour_of_day())).unwrap().start
    }
}

pub fn hours(from: &str, until: &str) -> QuietHours {
    let minute = |text| MinuteOfDay::parse(text).unwrap();
    QuietHours { from: minute(from), until: minute(until) }
}

fn person(index: usize, now: Instant, random: &mut Random) -> Person {
    Person {
        user_id: format!("person-{index:04}"),
        zone: Zone::shared(ZONES[index % ZONES.len()]).unwrap(),
        quiet: own_quiet(random),
        curve: curve(random),
        has_prediction: random.below(100) >= 15,
        past: past(now, random),
    }
}

/// One in five has quiet hours of his own: early birds, late risers, and those who work.
fn own_quiet(random: &mut Random) -> Option<QuietHours> {
    match random.below(20) {
        0 => Some(hours("20:00", "07:00")),
        1 => Some(hours("23:30", "10:30")),
        2 => Some(hours("21:15", "09:45")),
        3 => Some(hours("09:00", "17:30")),
        _ => None,
    }
}

/// One hump at an hour of the day: in the evening mostly, else in the morning, at noon, or deep in the night.
fn curve(random: &mut Random) -> [f64; HOURS_OF_WEEK] {
    let peak = match random.below(10) {
        0..5 => 18 + random.below(4),
        5..7 => 7 + random.below(3),
        7..9 => 12 + random.below(3),
        _ => (22 + random.below(5)) % 24,
    };
    let width = 1.5 + random.below(3) as f64;
    let share = |hour: usize| {
        let apart = (hour as i64 % 24 - peak as i64).rem_euclid(24);
        let distance = apart.min(24 - apart) as f64 / width;
        0.03 + libm::exp(-distance * distance / 2.0)
    };
    normal(std::array::from_fn(share))
}

fn mean_curve(people: &[Person]) -> [f64; HOURS_OF_WEEK] {
    let known = || people.iter().filter(|person| person.has_prediction);
    normal(std::array::from_fn(|hour| known().map(|person| person.curve[hour]).sum()))
}

fn normal(shares: [f64; HOURS_OF_WEEK]) -> [f64; HOURS_OF_WEEK] {
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}

/// Two pushes within the last sixteen hours for every third person, one for every third.
fn past(now: Instant, random: &mut Random) -> Vec<Instant> {
    let count = random.below(3);
    let mut past: Vec<Instant> =
        (0..count).map(|_| now.plus(-(1 + random.below(16 * 60) as i64) * MINUTE)).collect();
    past.sort_unstable_by(|one, other| other.cmp(one));
    past
}

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % count
    }
}
