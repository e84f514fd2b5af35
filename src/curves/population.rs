//! All users' active hours out of the lake, as histories before a cut.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use super::history::History;
use domain::event::is_own;
use domain::time::{DAY, Day, HOUR, Instant};
use domain::zone::{Zone, ZoneCode, ZoneSource, Zones};
use events::lake::Lake;
use profiles::ProfileError;
use profiles::activity::{ActiveHour, Activity};
use profiles::declared::Declared;
use profiles::fold::{Accumulator, Columns, EventRow, fold_users};

/// Where history ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One instant for everybody.
    At(Instant),
    /// Each user's own midnight at the start of this day.
    LocalMidnight(Day),
}

impl Cut {
    /// An instant by which every zone has passed the cut.
    fn until(self) -> Instant {
        /// The zone furthest behind reaches a day's midnight 12 hours after UTC; a spare hour for odd offsets.
        const FURTHEST_BEHIND: i64 = 13 * HOUR;
        match self {
            Cut::At(instant) => instant,
            Cut::LocalMidnight(day) => Instant::from_micros(i64::from(day.0) * DAY).plus(FURTHEST_BEHIND),
        }
    }

    /// An instant before which no zone has reached the cut.
    fn none_before(self) -> Instant {
        /// The zone furthest ahead reaches a day's midnight 14 hours before UTC; a spare hour for odd offsets.
        const FURTHEST_AHEAD: i64 = 15 * HOUR;
        match self {
            Cut::At(instant) => instant,
            Cut::LocalMidnight(day) => Instant::from_micros(i64::from(day.0) * DAY).plus(-FURTHEST_AHEAD),
        }
    }

    /// Is this moment history on this clock?
    fn is_before_on(self, zone: &Zone, moment: Instant) -> bool {
        match self {
            Cut::At(instant) => moment < instant,
            Cut::LocalMidnight(day) => zone.local_day(moment) < day,
        }
    }

    /// Is this hour history?
    fn is_before(self, hour: &ActiveHour) -> bool {
        match self {
            Cut::At(instant) => hour.last < instant,
            Cut::LocalMidnight(day) => hour.hour.day() < day,
        }
    }
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cut::At(instant) => write!(f, "{instant}"),
            Cut::LocalMidnight(day) => write!(f, "{day}"),
        }
    }
}

/// Users with an event before the cut, sorted by id, and what the curves need of them.
#[derive(Clone, Debug, Default)]
pub struct Population {
    /// User ids.
    pub ids: Vec<String>,
    /// Active hours before the cut, as the model reads them.
    pub histories: Vec<History>,
    /// Each user's zone.
    pub zones: Vec<String>,
    /// Where each zone comes from.
    pub zone_sources: Vec<ZoneSource>,
    /// Users whose zone is the configured default, for want of another.
    pub without_zone: usize,
}

/// One user's activity around a cut.
struct Around {
    activity: Activity,
    /// The first event of any kind.
    first: Instant,
    /// From here on, a zone that an event brings may be one from after the cut.
    certain: Instant,
    /// Zones brought from there on, which only the clock they name can judge.
    late_zones: Vec<(Instant, String, ZoneCode)>,
}

impl Around {
    fn new(certain: Instant) -> Around {
        Around { activity: Activity::default(), first: Instant::MAX, certain, late_zones: Vec::new() }
    }

    /// Lets the zones count that were brought before the cut on the very clock they name.
    fn settle_zones(&mut self, cut: Cut, zones: &Zones) {
        for (moment, message_id, zone) in std::mem::take(&mut self.late_zones) {
            if cut.is_before_on(zones.zone(zone), moment) {
                self.activity.absorb_zone(moment, &message_id, zone);
            }
        }
    }
}

impl Accumulator for Around {
    fn absorb(&mut self, event: &EventRow<'_>) {
        self.first = self.first.min(event.timestamp);
        if let Some(zone) = event.zone {
            if event.timestamp < self.certain {
                self.activity.absorb_zone(event.timestamp, event.message_id, zone);
            } else {
                self.late_zones.push((event.timestamp, event.message_id.to_string(), zone));
            }
        }
        // What a push led to tells its hour, not the user's: counted, the hour that was once pushed would win for ever.
        if is_own(event.name) && !event.date_only && !event.is_led_to {
            self.activity.absorb(event.timestamp, event.zone);
        }
    }

    fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.activity.merge(other.activity);
        self.late_zones.extend(other.late_zones);
    }
}

type Users = (BTreeMap<String, Around>, Zones);

fn fold(
    lake: &Lake,
    declared: &Declared,
    until: Instant,
    certain: Instant,
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<Users, ProfileError> {
    let zones = Mutex::new(declared.zones().clone());
    let users = fold_users(lake, until, Columns::Activity, &zones, &|| Around::new(certain), watch)?;
    Ok((users, zones.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())))
}

impl Population {
    /// Reads the users with an event before the cut.
    ///
    /// # Errors
    /// When there are none, or the lake cannot be read.
    pub fn read(
        lake: &Lake,
        declared: &Declared,
        cut: Cut,
        watch: &(impl Fn(usize, usize) + Sync),
    ) -> Result<Population, ProfileError> {
        let (users, zones) = fold(lake, declared, cut.until(), cut.none_before(), watch)?;
        let population = Population::of(users, &zones, declared, cut);
        if population.ids.is_empty() {
            return Err(ProfileError::NoEvents(cut.to_string()));
        }
        Ok(population)
    }

    fn of(users: BTreeMap<String, Around>, zones: &Zones, declared: &Declared, cut: Cut) -> Population {
        let mut population = Population::default();
        let mut attributes: HashMap<(ZoneCode, Option<String>), u32> = HashMap::new();
        for (id, mut user) in users {
            user.settle_zones(cut, zones);
            let (zone, source) = user.activity.zone(&id, declared);
            let mut hours = user.activity.active_hours(zone, zones);
            hours.retain(|hour| cut.is_before(hour));
            if hours.is_empty() && !cut.is_before_on(zones.zone(zone), user.first) {
                continue;
            }
            population.without_zone += usize::from(source == ZoneSource::Default);
            let cut_day = match cut {
                // Events before T on T's own day are a day old at its end.
                Cut::At(instant) => zones.zone(zone).local_day(instant.plus(-1)).0 + 1,
                Cut::LocalMidnight(day) => day.0,
            };
            let platform = declared.users().get(&id).and_then(|user| user.platform.clone());
            let next = attributes.len() as u32;
            let mut history =
                History { attribute: *attributes.entry((zone, platform)).or_insert(next), units: Vec::new() };
            for hour in hours {
                history.push(hour.hour, hour.fraction, cut_day);
            }
            population.ids.push(id);
            population.histories.push(history);
            population.zones.push(zones.zone(zone).name().to_string());
            population.zone_sources.push(source);
        }
        population
    }

    /// Counts of active hours from the cut on, by hour of the week, of the users of this population.
    pub fn after(
        &self,
        lake: &Lake,
        declared: &Declared,
        cut: Cut,
        watch: &(impl Fn(usize, usize) + Sync),
    ) -> Result<Vec<[u32; 168]>, ProfileError> {
        let (mut users, mut zones) = fold(lake, declared, Instant::MAX, Instant::MAX, watch)?;
        let mut after = Vec::with_capacity(self.ids.len());
        for (id, zone) in self.ids.iter().zip(&self.zones) {
            let mut counts = [0; 168];
            let activity = users.remove(id).map(|user| user.activity).unwrap_or_default();
            let zone = zones.code(zone).unwrap_or(declared.default_zone());
            for hour in activity.active_hours(zone, &zones).iter().filter(|hour| !cut.is_before(hour)) {
                counts[hour.hour.hour_of_week()] += 1;
            }
            after.push(counts);
        }
        Ok(after)
    }
}
