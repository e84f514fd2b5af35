//! The build: fold the lake, finish each feature into a column, write the table and its manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::ProfileError;
use super::accumulate::{Plan, UNIT_WEIGHT, UserEvents, decayed_weight, half_life_days, moment_of};
use super::activity::ActiveHour;
use super::declared::Declared;
use super::features::{Aggregate, Context, FEATURES, Feature, Interest, Window, features_sha256};
use super::fold::{Columns, fold_users};
use config::ProfilesConfig;
use domain::lifecycle::Lifecycle;
use domain::time::{DAY, HOURS_OF_WEEK, Instant};
use domain::zone::{ZoneCode, ZoneSource, Zones, database_version};
use events::lake::Lake;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// Version of the profile manifest.
pub const FORMAT: u32 = 1;

/// What a profile table is and was made from; no clock, no host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileManifest {
    /// Version of this file.
    pub format: u32,
    /// Events before this moment, RFC 3339.
    pub as_of: String,
    /// Users.
    pub rows: u64,
    /// Of `profiles.parquet`.
    pub sha256: String,
    /// Of the feature list.
    pub features_sha256: String,
    /// Half-lives and the like that the features were computed with.
    pub settings: ProfilesConfig,
    /// Of the lake it was made from.
    pub lake_sha256: String,
    /// Version of the time zone database.
    pub tz_database: String,
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The manifest.
    pub manifest: ProfileManifest,
    /// The table.
    pub path: PathBuf,
    /// Users by stage of life.
    pub lifecycle: BTreeMap<String, u64>,
}

/// One user on the way from sums to columns.
struct User<'a> {
    id: &'a str,
    events: Option<&'a UserEvents<'a>>,
    hours: Vec<ActiveHour>,
    zone: (ZoneCode, ZoneSource),
}

/// Builds the profiles as of a moment and writes them to `data/profiles/as_of=…/`.
///
/// Rows: every user with an event before `as_of`, and every declared user who had signed up by then.
///
/// # Errors
/// When there is no such user, or a table cannot be read or written.
pub fn build(
    workspace: &Workspace,
    lake: &Lake,
    declared: &Declared,
    as_of: Instant,
    config: &ProfilesConfig,
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<Built, ProfileError> {
    let mut frame = profile_frame(lake, declared, as_of, config, watch)?;
    if frame.height() == 0 {
        return Err(ProfileError::NoEvents(as_of.to_string()));
    }
    let lifecycle = count_lifecycle(&frame);
    let directory = workspace.profiles_as_of(as_of);
    let path = directory.join("profiles.parquet");
    let manifest_path = directory.join("_manifest.json");
    // The manifest vouches for the table: it goes first and comes back last.
    if manifest_path.exists() {
        fs::remove_file(&manifest_path).map_err(TableError::io(&manifest_path))?;
    }
    let sha256 = tables::write_parquet(&path, &mut frame)?;
    let manifest = ProfileManifest {
        format: FORMAT,
        as_of: as_of.to_string(),
        rows: frame.height() as u64,
        sha256,
        features_sha256: features_sha256(FEATURES),
        settings: config.clone(),
        lake_sha256: lake.content_sha256(),
        tz_database: database_version().to_string(),
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    tables::write_atomically(&manifest_path, |file| writeln!(file, "{text}"))?;
    Ok(Built { manifest, path, lifecycle })
}

/// The profile table as of a moment, sorted by user.
pub fn profile_frame(
    lake: &Lake,
    declared: &Declared,
    as_of: Instant,
    config: &ProfilesConfig,
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<DataFrame, ProfileError> {
    let plan = Plan::new(FEATURES, as_of, declared, config);
    let zones = Mutex::new(declared.zones().clone());
    let events = fold_users(lake, as_of, Columns::All, &zones, &|| plan.empty(), watch)?;
    let zones = zones.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(finish(&plan, &events, &zones, config)?)
}

/// Turns the sums of all users into the profile table, sorted by user.
pub fn finish(
    plan: &Plan<'_>,
    events: &BTreeMap<String, UserEvents<'_>>,
    zones: &Zones,
    config: &ProfilesConfig,
) -> Result<DataFrame, TableError> {
    let (as_of, declared) = (plan.as_of(), plan.declared());
    let users = users_of(events, declared, as_of, zones);
    let finish = Finish { as_of, declared, config, plan, zones, users: &users };
    let mut columns = vec![text_column("user_id", users.iter().map(|user| Some(user.id.to_string())))];
    for (index, feature) in plan.features().iter().enumerate() {
        columns.push(finish.column(index, feature).map_err(TableError::parquet(Path::new(feature.name)))?);
    }
    DataFrame::new(users.len(), columns).map_err(TableError::parquet(Path::new("profiles")))
}

/// Users with events and declared users who had signed up, sorted by id.
fn users_of<'a>(
    events: &'a BTreeMap<String, UserEvents<'_>>,
    declared: &'a Declared,
    as_of: Instant,
    zones: &Zones,
) -> Vec<User<'a>> {
    let signed_up = |id: &&String| {
        declared.users().get(*id).is_some_and(|user| user.created_at.is_none_or(|moment| moment < as_of))
    };
    let mut ids: Vec<&String> = events.keys().chain(declared.users().keys().filter(signed_up)).collect();
    ids.sort_unstable();
    ids.dedup();
    let user = |id: &'a String| {
        let events = events.get(id);
        let zone = match (events, declared.zone_of(id)) {
            (Some(events), _) => events.activity().zone(id, declared),
            (None, Some(zone)) => (zone, ZoneSource::Declared),
            (None, None) => (declared.default_zone(), ZoneSource::Default),
        };
        let hours = events.map(|events| events.activity().active_hours(zone.0, zones)).unwrap_or_default();
        User { id, events, hours, zone }
    };
    ids.into_iter().map(user).collect()
}

/// Everything a feature needs to become a column.
struct Finish<'a> {
    as_of: Instant,
    declared: &'a Declared,
    config: &'a ProfilesConfig,
    plan: &'a Plan<'a>,
    zones: &'a Zones,
    users: &'a [User<'a>],
}

impl Finish<'_> {
    fn column(&self, index: usize, feature: &Feature) -> PolarsResult<Column> {
        let name = feature.name;
        let users = self.users.iter();
        Ok(match feature.aggregate {
            Aggregate::Count => whole_column(name, users.map(|user| self.slot(user, index).unwrap_or(0))),
            Aggregate::Sum => number_column(
                name,
                users.map(|user| Some(self.amount(user, index).unwrap_or(0) as f64 / 1e6)),
            ),
            Aggregate::Weight => {
                number_column(name, users.map(|user| Some(in_units(self.slot(user, index).unwrap_or(0)))))
            }
            Aggregate::DaysSinceLast => {
                number_column(name, users.map(|user| self.days_since_last(user, index)))
            }
            Aggregate::ActiveDays => {
                whole_column(name, users.map(|user| self.active_days(user, feature.window)))
            }
            Aggregate::ActiveHours => match feature.window {
                Window::HalfLife(_) => {
                    number_column(name, users.map(|user| Some(in_units(self.activity(user, feature)))))
                }
                _ => whole_column(
                    name,
                    users.map(|user| self.recent_hours(user, feature.window).count() as i64),
                ),
            },
            Aggregate::HoursOfWeek => number_lists(name, users.map(|user| self.hours_of_week(user, feature))),
            Aggregate::Sessions => whole_column(name, users.map(|user| self.sessions(user, feature.window))),
            Aggregate::Orders => whole_column(name, users.map(|user| self.orders(user, feature.window))),
            Aggregate::Interest(interest) => self.interest_column(name, interest),
            Aggregate::RecentContents => text_lists(
                name,
                users.map(|user| user.events.map(|e| e.recent_contents().map(str::to_string).collect())),
            ),
            Aggregate::SmoothedRate { responses, pushes } => self.rate_column(name, responses, pushes),
            Aggregate::Context(context) => text_column(name, users.map(|user| self.context(user, context))),
            Aggregate::Tenure => number_column(name, users.map(|user| self.tenure_days(user))),
            Aggregate::Lifecycle => text_column(name, users.map(|user| Some(self.lifecycle(user)))),
        })
    }

    fn slot(&self, user: &User<'_>, feature: usize) -> Option<i64> {
        Some(user.events?.slots()[self.plan.cell(feature)?])
    }

    fn amount(&self, user: &User<'_>, feature: usize) -> Option<i128> {
        Some(user.events?.amounts()[self.plan.cell(feature)?])
    }

    fn days_since(&self, moment: Instant) -> f64 {
        (self.as_of.micros() - moment.micros()) as f64 / DAY as f64
    }

    fn days_since_last(&self, user: &User<'_>, feature: usize) -> Option<f64> {
        Some(self.days_since(moment_of(self.slot(user, feature)?)?))
    }

    fn recent_hours<'b>(&self, user: &'b User<'_>, window: Window) -> impl Iterator<Item = &'b ActiveHour> {
        let start = window.start(self.as_of);
        user.hours.iter().filter(move |hour| hour.last >= start)
    }

    fn active_days(&self, user: &User<'_>, window: Window) -> i64 {
        let mut days: Vec<_> = self.recent_hours(user, window).map(|hour| hour.hour.day()).collect();
        days.dedup();
        days.len() as i64
    }

    fn weight(&self, hour: &ActiveHour, window: Window) -> i64 {
        match window {
            Window::HalfLife(half_life) => decayed_weight(
                self.as_of.micros() - hour.last.micros(),
                half_life_days(half_life, self.config),
            ),
            Window::Ever | Window::Days(_) => UNIT_WEIGHT,
        }
    }

    fn activity(&self, user: &User<'_>, feature: &Feature) -> i64 {
        user.hours.iter().map(|hour| self.weight(hour, feature.window)).sum()
    }

    fn hours_of_week(&self, user: &User<'_>, feature: &Feature) -> Vec<f64> {
        let mut weights = [0_i64; HOURS_OF_WEEK];
        for hour in &user.hours {
            weights[hour.hour.hour_of_week()] += self.weight(hour, feature.window);
        }
        weights.into_iter().map(in_units).collect()
    }

    fn sessions(&self, user: &User<'_>, window: Window) -> i64 {
        let start = window.start(self.as_of);
        let recent =
            |events: &UserEvents<'_>| events.sessions().filter(|session| session.last >= start).count();
        user.events.map_or(0, recent) as i64
    }

    fn orders(&self, user: &User<'_>, window: Window) -> i64 {
        let start = window.start(self.as_of);
        let bought = |events: &UserEvents<'_>| {
            events
                .sessions()
                .filter(|session| session.last_purchase.is_some_and(|moment| moment >= start))
                .count()
        };
        user.events.map_or(0, bought) as i64
    }

    fn interest_column(&self, name: &str, interest: Interest) -> Column {
        let users = self.users.iter();
        let (tags, names) = match interest {
            Interest::Categories | Interest::CategoryShares => (false, self.declared.categories()),
            Interest::Tags | Interest::TagShares => (true, self.declared.tags()),
        };
        let ranked = |user: &User<'_>| {
            let weights = user.events.map(|events| if tags { events.tags() } else { events.categories() });
            self.strongest(weights.unwrap_or_default().to_vec())
        };
        match interest {
            Interest::Categories | Interest::Tags => text_lists(
                name,
                users.map(|user| {
                    Some(ranked(user).into_iter().map(|(code, _)| names[code as usize].clone()).collect())
                }),
            ),
            Interest::CategoryShares | Interest::TagShares => number_lists(
                name,
                users.map(|user| ranked(user).into_iter().map(|(_, share)| share).collect()),
            ),
        }
    }

    /// Codes with their share of all weight, the largest first, ties by name.
    fn strongest(&self, mut weights: Vec<(u32, i64)>) -> Vec<(u32, f64)> {
        let total: i64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.sort_by_key(|(code, weight)| (std::cmp::Reverse(*weight), *code));
        weights.truncate(self.config.longest_list);
        weights.retain(|(_, weight)| *weight > 0);
        weights.into_iter().map(|(code, weight)| (code, weight as f64 / total as f64)).collect()
    }

    fn rate_column(&self, name: &str, responses: &str, pushes: &str) -> Column {
        let features = self.plan.features();
        let index = |name: &str| features.iter().position(|feature| feature.name == name).unwrap_or_default();
        let (responses, pushes) = (index(responses), index(pushes));
        let total =
            |feature| self.users.iter().filter_map(|user| self.slot(user, feature)).sum::<i64>() as f64;
        let (all_responses, all_pushes) = (total(responses), total(pushes));
        let prior = self.config.rate_prior_pushes;
        let population = if all_pushes > 0.0 { all_responses / all_pushes } else { 0.0 };
        let rate = |user: &User<'_>| {
            let count = |feature| self.slot(user, feature).unwrap_or(0) as f64;
            // Nobody was pushed: there is no rate to know.
            (all_pushes > 0.0).then(|| (count(responses) + prior * population) / (count(pushes) + prior))
        };
        number_column(name, self.users.iter().map(rate))
    }

    fn context(&self, user: &User<'_>, context: Context) -> Option<String> {
        let declared = self.declared.users().get(user.id);
        match context {
            Context::TimeZone => Some(self.zones.zone(user.zone.0).name().to_string()),
            Context::TimeZoneSource => Some(user.zone.1.as_str().to_string()),
            Context::Locale => declared?.locale.clone(),
            Context::Country => declared?.country.clone(),
            Context::Platform => declared?.platform.clone(),
        }
    }

    fn tenure_days(&self, user: &User<'_>) -> Option<f64> {
        let declared = self.declared.users().get(user.id).and_then(|user| user.created_at);
        let start =
            declared.filter(|moment| *moment < self.as_of).or(user.events.and_then(UserEvents::first));
        Some(self.days_since(start?))
    }

    fn lifecycle(&self, user: &User<'_>) -> String {
        let moments = user.events.map(|events| events.activity().moments()).unwrap_or_default();
        Lifecycle::at(self.as_of, moments).as_str().to_string()
    }
}

fn in_units(weight: i64) -> f64 {
    weight as f64 / UNIT_WEIGHT as f64
}

fn whole_column(name: &str, values: impl Iterator<Item = i64>) -> Column {
    Int64Chunked::from_iter_values(name.into(), values).into_column()
}

fn number_column(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Float64Chunked::from_iter_options(name.into(), values).into_column()
}

fn text_column(name: &str, values: impl Iterator<Item = Option<String>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

fn number_lists(name: &str, lists: impl Iterator<Item = Vec<f64>>) -> Column {
    let lists: Vec<Vec<f64>> = lists.collect();
    let values = lists.iter().map(Vec::len).sum();
    let mut builder =
        ListPrimitiveChunkedBuilder::<Float64Type>::new(name.into(), lists.len(), values, DataType::Float64);
    for list in &lists {
        builder.append_slice(list);
    }
    builder.finish().into_column()
}

fn text_lists(name: &str, lists: impl Iterator<Item = Option<Vec<String>>>) -> Column {
    let lists: Vec<Vec<String>> = lists.map(Option::unwrap_or_default).collect();
    let mut builder = ListStringChunkedBuilder::new(name.into(), lists.len(), lists.len());
    for list in &lists {
        builder.append_values_iter(list.iter().map(String::as_str));
    }
    builder.finish().into_column()
}

fn count_lifecycle(frame: &DataFrame) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let stages = frame.column("lifecycle").and_then(|column| column.str().cloned());
    for stage in stages.iter().flat_map(|stages| stages.iter()).flatten() {
        *counts.entry(stage.to_string()).or_default() += 1;
    }
    counts
}
