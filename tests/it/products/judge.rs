//! The judge: counts what went wrong, with its own reckoning of local time and its own idea of who could be reached.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use smartpush::domain::time::{HOUR, Instant, MINUTE};

use super::queue::Sent;
use super::town::{Person, Town, ZONES};

/// What came of a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub sent: usize,
    pub quiet: usize,
    pub above_cap: usize,
    pub expired: usize,
    pub crowded_minutes: usize,
    /// People who got nothing, though a minute was there in which no rule forbade it.
    pub dropped: usize,
    /// Share of the activity of the person's best allowed hour that the hour of sending lacks, mean over messages.
    pub lost_activity: f64,
    /// Activity met by messages that no rule forbids, by person, of that of the best allowed hours of all reachable.
    pub met_activity: f64,
}

/// What a clock shows.
#[derive(Clone, Copy)]
struct Face {
    date: Date,
    minute_of_day: i64,
    hour_of_week: usize,
}

/// The judge of one town.
pub struct Judge<'a> {
    town: &'a Town,
    zones: HashMap<&'static str, TimeZone>,
    /// For each zone what its clock shows in each minute from the start to the expiry.
    faces: HashMap<&'static str, Vec<Face>>,
    /// For each person the largest share of activity in a minute in which he could be reached; `None`: there is none.
    best: Vec<Option<f64>>,
}

impl<'a> Judge<'a> {
    pub fn of(town: &'a Town) -> Judge<'a> {
        let zone = |name: &&'static str| (*name, TimeZoneDatabase::bundled().get(name).unwrap());
        let zones: HashMap<_, _> = ZONES.iter().map(zone).collect();
        let minutes = (town.expires_at.micros() - town.now.micros()) / MINUTE;
        let minute_faces = |zone: &TimeZone| {
            (0..minutes).map(|minute| face(zone, town.now.plus(minute * MINUTE))).collect::<Vec<_>>()
        };
        let faces = zones.iter().map(|(name, zone)| (*name, minute_faces(zone))).collect();
        let mut judge = Judge { town, zones, faces, best: Vec::new() };
        judge.best = town.people.iter().map(|person| judge.best_share(person)).collect();
        judge
    }

    /// People whom some minute would reach without a rule against it.
    pub fn reachable(&self) -> usize {
        self.best.iter().flatten().count()
    }

    pub fn verdict(&self, sends: &[Sent]) -> Verdict {
        let count = |is_wrong: &dyn Fn(&Sent) -> bool| sends.iter().filter(|sent| is_wrong(sent)).count();
        let times = self.times(sends);
        let unreached = times.iter().zip(&self.best).filter(|(times, best)| **times == 0 && best.is_some());
        let lost: Vec<f64> = sends.iter().filter_map(|sent| self.lost(sent)).collect();
        let right = sends.iter().filter(|sent| !self.is_wrong(sent));
        let met: f64 = right.filter_map(|sent| Some(1.0 - self.lost(sent)?)).sum();
        Verdict {
            sent: sends.len(),
            quiet: count(&|sent| self.is_sent_in_quiet(sent)),
            above_cap: count(&|sent| self.is_above_cap(sent)),
            expired: count(&|sent| sent.at >= self.town.expires_at),
            crowded_minutes: self.crowded_minutes(sends),
            dropped: unreached.count(),
            lost_activity: lost.iter().sum::<f64>() / lost.len().max(1) as f64,
            met_activity: met / self.reachable().max(1) as f64,
        }
    }

    /// How often each person was sent to.
    fn times(&self, sends: &[Sent]) -> Vec<usize> {
        let mut times = vec![0_usize; self.town.people.len()];
        sends.iter().for_each(|sent| times[sent.user] += 1);
        assert!(times.iter().all(|times| *times <= 1), "nobody gets the campaign twice");
        times
    }

    fn is_wrong(&self, sent: &Sent) -> bool {
        self.is_sent_in_quiet(sent) || self.is_above_cap(sent) || sent.at >= self.town.expires_at
    }

    fn is_sent_in_quiet(&self, sent: &Sent) -> bool {
        let person = &self.town.people[sent.user];
        self.is_quiet(person, self.face_at(person, sent.at))
    }

    fn is_above_cap(&self, sent: &Sent) -> bool {
        let person = &self.town.people[sent.user];
        self.is_full(person, self.face_at(person, sent.at).date)
    }

    fn best_share(&self, person: &Person) -> Option<f64> {
        let faces = &self.faces[person.zone.name()];
        let mut days: HashMap<Date, bool> = HashMap::new();
        let mut is_full = |date: Date| *days.entry(date).or_insert_with(|| self.is_full(person, date));
        let allowed = faces.iter().filter(|face| !self.is_quiet(person, **face) && !is_full(face.date));
        allowed.map(|face| person.curve[face.hour_of_week]).max_by(f64::total_cmp)
    }

    /// What the hour of sending lacks of the best allowed one; `None`: none is allowed.
    fn lost(&self, sent: &Sent) -> Option<f64> {
        let person = &self.town.people[sent.user];
        let share = person.curve[self.face_at(person, sent.at).hour_of_week];
        Some((1.0 - share / self.best[sent.user]?).max(0.0))
    }

    fn is_quiet(&self, person: &Person, face: Face) -> bool {
        let quiet = person.quiet.unwrap_or(self.town.quiet);
        let (from, until) = (i64::from(quiet.from.minutes()), i64::from(quiet.until.minutes()));
        match from <= until {
            true => from <= face.minute_of_day && face.minute_of_day < until,
            false => face.minute_of_day >= from || face.minute_of_day < until,
        }
    }

    /// Does his day already hold as many pushes as the cap allows?
    fn is_full(&self, person: &Person, date: Date) -> bool {
        let on_it = person.past.iter().filter(|past| self.face_at(person, **past).date == date);
        on_it.count() >= self.town.cap
    }

    fn crowded_minutes(&self, sends: &[Sent]) -> usize {
        let mut minutes: BTreeMap<i64, usize> = BTreeMap::new();
        for sent in sends {
            *minutes.entry(sent.at.micros().div_euclid(MINUTE)).or_default() += 1;
        }
        minutes.values().filter(|count| **count > self.town.throttle).count()
    }

    fn face_at(&self, person: &Person, at: Instant) -> Face {
        face(&self.zones[person.zone.name()], at)
    }
}

fn face(zone: &TimeZone, at: Instant) -> Face {
    let local = zone.to_datetime(jiff::Timestamp::from_microsecond(at.micros()).unwrap());
    let weekday = local.weekday().to_monday_zero_offset() as usize;
    Face {
        date: local.date(),
        minute_of_day: i64::from(local.hour()) * (HOUR / MINUTE) + i64::from(local.minute()),
        hour_of_week: weekday * 24 + local.hour() as usize,
    }
}
