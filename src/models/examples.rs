//! Examples: who could have reached a goal from a moment on, whether he did, and what was known of him at that moment.
//!
//! Inputs use events before the moment only. A label counts when it is mature: when the moment, the goal's window and the
//! allowed lateness all lie before the end of what is known.

use std::collections::BTreeSet;

use super::inputs::{AsOf, InputList, Item, Sources, UserAsOf};
use super::timeline::{TimedEvent, Timeline};
use config::TrainingConfig;
use domain::error::{Coded, ErrorKind};
use domain::event::TARGETED;
use domain::goal::{Goal, GoalWindow, Population, Unit};
use domain::identity::hash_of;
use domain::time::{DAY, HOUR, Instant};
use domain::zone::Zone;
use profiles::ProfileError;
use registry::model::InputBlock;

/// A moment at which examples are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Inputs use events before this.
    pub at: Instant,
    /// The campaign, for goals about campaigns.
    pub campaign: Option<String>,
    /// The label counts goal events in `[at, until)`.
    pub until: Instant,
}

/// What one row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExampleRow {
    /// Index into [`Timeline::users`].
    pub user: u32,
    /// Index into [`Examples::moments`].
    pub moment: u32,
    /// Index into [`Timeline::contents`], for goals about contents.
    pub content: Option<u32>,
}

/// Rows of inputs with their labels, in order of moment, user, content.
#[derive(Clone, Debug)]
pub struct Examples {
    /// The moments, oldest first.
    pub moments: Vec<Moment>,
    /// What each row is about.
    pub rows: Vec<ExampleRow>,
    /// Did the user reach the goal?
    pub labels: Vec<bool>,
    /// One column per input, blocks in order; NaN where nothing is known.
    pub columns: Vec<Vec<f64>>,
    /// Names of the columns.
    pub inputs: InputList,
    /// Moments whose labels are not mature yet.
    pub immature: usize,
    /// One of so many negative examples was kept, for goals about contents; each stands for that many.
    pub one_kept_of: u32,
}

/// One example on its way.
struct Example {
    row: ExampleRow,
    label: bool,
    inputs: Vec<f64>,
}

/// A goal that cannot be learned.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// None of the goal's events ever happened.
    #[error("unknown_event: goal {goal}: no event {} happened before {until}; seen were {}", .events.join(", "), .seen.join(", "))]
    UnknownEvent {
        /// The goal.
        goal: String,
        /// Its events.
        events: Vec<String>,
        /// The names that did happen, the most frequent first, at most ten.
        seen: Vec<String>,
        /// The moment.
        until: Instant,
    },
    /// Nobody belongs to the population.
    #[error("empty_population: goal {goal}: {why}")]
    EmptyPopulation {
        /// The goal.
        goal: String,
        /// What is missing.
        why: String,
    },
    /// No example is old enough to know its label.
    #[error(
        "no_mature_rows: goal {goal}: no moment has its window of {window} before {until}; {immature} are still running"
    )]
    NoMatureRows {
        /// The goal.
        goal: String,
        /// Its window.
        window: String,
        /// The end of what is known.
        until: Instant,
        /// Moments whose window is open.
        immature: usize,
    },
    /// Profiles cannot be computed.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Coded for ExampleError {
    fn code(&self) -> &'static str {
        match self {
            ExampleError::UnknownEvent { .. } => "unknown_event",
            ExampleError::EmptyPopulation { .. } => "empty_population",
            ExampleError::NoMatureRows { .. } => "no_mature_rows",
            ExampleError::Profile(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ExampleError::UnknownEvent { .. }
            | ExampleError::EmptyPopulation { .. }
            | ExampleError::NoMatureRows { .. } => ErrorKind::Caller,
            ExampleError::Profile(error) => error.kind(),
        }
    }
}

impl ExampleError {
    /// Does the error only mean that there is not enough data yet? A refresh skips such a goal; any other error ends it.
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            ExampleError::UnknownEvent { .. }
            | ExampleError::EmptyPopulation { .. }
            | ExampleError::NoMatureRows { .. } => true,
            ExampleError::Profile(error) => error.is_not_enough_data(),
        }
    }
}

/// Which labels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Those that were known before this moment.
    MatureBefore(Instant),
    /// All of them for moments before the first, known before the second: what a benchmark does that splits by start.
    StartedBefore(Instant, Instant),
}

/// A named goal with what it is learned from.
#[derive(Clone, Copy)]
pub struct GoalQuestion<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its declaration.
    pub goal: &'a Goal,
    /// Events, declarations and settings.
    pub sources: &'a Sources<'a>,
    /// `[training]`
    pub training: &'a TrainingConfig,
}

impl GoalQuestion<'_> {
    /// Builds all examples whose labels count, from the newest moments. `watch` is told how many of how many moments are done.
    pub fn examples(&self, labels: Labels, watch: &impl Fn(usize, usize)) -> Result<Examples, ExampleError> {
        let (Labels::MatureBefore(known) | Labels::StartedBefore(_, known)) = labels;
        self.check_events(known)?;
        let all = self.moments(known)?;
        let counts = |moment: &Moment| match labels {
            Labels::MatureBefore(known) => self.is_mature(moment, known),
            Labels::StartedBefore(start, _) => moment.at < start,
        };
        let (mut moments, immature): (Vec<Moment>, Vec<Moment>) = all.into_iter().partition(counts);
        if moments.is_empty() {
            return Err(ExampleError::NoMatureRows {
                goal: self.name.to_string(),
                window: self.goal.window.into(),
                until: known,
                immature: immature.len(),
            });
        }
        let most = match self.goal.unit {
            Unit::UserContent => self.training.most_days,
            Unit::UserDay | Unit::UserCampaign => self.training.most_moments,
        };
        let oldest = moments.len().saturating_sub(most);
        moments.drain(..oldest);
        self.at_moments(moments, immature.len(), watch)
    }

    /// Is the label of a moment known at an instant? Events of its window may arrive late, so that long it is not.
    pub fn is_mature(&self, moment: &Moment, known: Instant) -> bool {
        moment.until.plus(self.training.allowed_lateness_hours * HOUR) <= known
    }

    /// Examples of moments that start in `[from, known)`: those whose labels are mature at `known`, or (a benchmark's) all
    /// of them, with what is known of their labels.
    pub fn examples_from(
        &self,
        from: Instant,
        known: Instant,
        only_mature: bool,
        watch: &impl Fn(usize, usize),
    ) -> Result<Examples, ExampleError> {
        let all = self.moments(known)?;
        let counts = |moment: &Moment| moment.at >= from && (self.is_mature(moment, known) || !only_mature);
        let (moments, rest): (Vec<Moment>, Vec<Moment>) = all.into_iter().partition(counts);
        if moments.is_empty() {
            return Err(ExampleError::NoMatureRows {
                goal: self.name.to_string(),
                window: self.goal.window.into(),
                until: known,
                immature: rest.iter().filter(|moment| moment.at >= from).count(),
            });
        }
        self.at_moments(moments, 0, watch)
    }

    /// Everybody the goal is about at a moment, each with all his candidates; the labels say nothing.
    pub fn population_rows(&self, at: Instant) -> Result<Examples, ExampleError> {
        let moments = moments_at(self, at);
        let populations = parallel::map_each(moments.len(), |index| self.population(&moments[index]));
        self.rows_of(moments, &populations, 1, 0, &|_, _| ())
    }

    /// The same for a look: of goals about contents, a share of the users and of their candidates.
    pub fn examples_at(&self, at: Instant) -> Result<Examples, ExampleError> {
        self.at_moments(moments_at(self, at), 0, &|_, _| ())
    }

    fn at_moments(
        &self,
        moments: Vec<Moment>,
        immature: usize,
        watch: &impl Fn(usize, usize),
    ) -> Result<Examples, ExampleError> {
        let mut populations: Vec<Vec<usize>> =
            parallel::map_each(moments.len(), |index| self.population(&moments[index]));
        let one_kept_of = match self.goal.unit {
            Unit::UserContent => self.draw_users(&moments, &mut populations),
            Unit::UserDay | Unit::UserCampaign => 1,
        };
        self.rows_of(moments, &populations, one_kept_of, immature, watch)
    }

    fn rows_of(
        &self,
        moments: Vec<Moment>,
        populations: &[Vec<usize>],
        one_kept_of: u32,
        immature: usize,
        watch: &impl Fn(usize, usize),
    ) -> Result<Examples, ExampleError> {
        let inputs = InputList::of(self.goal.unit);
        let mut examples = Examples {
            columns: vec![Vec::new(); inputs.len()],
            inputs,
            rows: Vec::new(),
            labels: Vec::new(),
            immature,
            one_kept_of,
            moments,
        };
        let mut as_of: Option<AsOf> = None;
        for (index, population) in populations.iter().enumerate() {
            let at = examples.moments[index].at;
            // Campaigns that start together share what was known at their start.
            let known = match as_of.take().filter(|known| known.at() == at) {
                Some(known) => known,
                None => AsOf::new(self.sources, self.goal, at)?,
            };
            self.add_moment(&mut examples, &known, index, population);
            as_of = Some(known);
            watch(index + 1, populations.len());
        }
        if examples.rows.is_empty() {
            return Err(self.empty(format!("nobody is {} at any moment", String::from(self.goal.population))));
        }
        Ok(examples)
    }

    fn add_moment(&self, examples: &mut Examples, as_of: &AsOf, index: usize, population: &[usize]) {
        const USERS: usize = 16;
        let (moment, one_kept_of) = (&examples.moments[index], examples.one_kept_of);
        let parts = parallel::in_chunks(population.len(), USERS, |range| {
            let users = population[range].iter();
            users.flat_map(|user| self.of_user(as_of, index, moment, *user, one_kept_of)).collect::<Vec<_>>()
        });
        parts.into_iter().flatten().for_each(|example| examples.push(example));
    }

    /// A user's examples at a moment: one, or one for each candidate content that he touched and a share of the others.
    fn of_user(
        &self,
        as_of: &AsOf,
        index: usize,
        moment: &Moment,
        user: usize,
        one_kept_of: u32,
    ) -> Vec<Example> {
        let known = as_of.user(self.sources, user);
        let row = |content| ExampleRow { user: user as u32, moment: index as u32, content };
        if self.goal.unit != Unit::UserContent {
            let item = moment.campaign.as_deref().map_or(Item::Nothing, Item::Campaign);
            return vec![Example::new(row(None), self.label(user, moment, None), &known, item)];
        }
        let mut examples = Vec::new();
        for content in known.candidates(self.training.candidates, false) {
            let label = self.label(user, moment, Some(content));
            let row = row(Some(content as u32));
            if label || self.is_kept(&row, moment.at, one_kept_of) {
                examples.push(Example::new(row, label, &known, Item::Content(content)));
            }
        }
        examples
    }

    /// Of more users at moments than can be looked at, a share is drawn; of more pairs with contents than can be kept, one
    /// of so many (the number returned).
    fn draw_users(&self, moments: &[Moment], populations: &mut [Vec<usize>]) -> u32 {
        let total: usize = populations.iter().map(Vec::len).sum();
        let one_of = total.div_ceil(self.training.most_users).max(1) as u64;
        let users = self.sources.timeline.users();
        for (moment, population) in moments.iter().zip(populations.iter_mut()) {
            population.retain(|user| {
                let key = format!("{}:{}:{}", self.training.seed, moment.at.micros(), users[*user]);
                hash_of(key.as_bytes()).is_multiple_of(one_of)
            });
        }
        let pairs = populations.iter().map(Vec::len).sum::<usize>() * self.training.candidates;
        pairs.div_ceil(self.training.most_negatives).max(1) as u32
    }

    /// A seeded draw for a negative example: whether a row is kept does not depend on the rows beside it.
    fn is_kept(&self, row: &ExampleRow, at: Instant, one_of: u32) -> bool {
        let timeline = self.sources.timeline;
        let content = row.content.map(|content| timeline.contents()[content as usize].as_str());
        let key = format!(
            "{}:{}:{}:{}",
            self.training.seed,
            at.micros(),
            timeline.users()[row.user as usize],
            content.unwrap_or_default()
        );
        hash_of(key.as_bytes()).is_multiple_of(u64::from(one_of))
    }

    /// Did the user reach the goal in the moment's window?
    pub fn label(&self, user: usize, moment: &Moment, content: Option<usize>) -> bool {
        let timeline = self.sources.timeline;
        let campaign = moment.campaign.as_deref().and_then(|id| timeline.campaign(id));
        let events = timeline.events_within(user, moment.at, moment.until);
        let happened = events.iter().any(|event| {
            self.goal.takes(&timeline.names()[event.name as usize])
                && campaign.is_none_or(|campaign| event.campaign == Some(campaign as u32))
                && content.is_none_or(|content| event.content == Some(content as u32))
        });
        happened != self.goal.absent
    }

    /// The users of the population at a moment, in order.
    pub fn population(&self, moment: &Moment) -> Vec<usize> {
        let timeline = self.sources.timeline;
        let excluded = |user: &usize| {
            let id = &timeline.users()[*user];
            self.training.excluded_users.contains(id) || self.sources.is_opted_out_of_learning(id)
        };
        let belongs = |user: &usize| self.belongs(*user, moment);
        (0..timeline.users().len()).filter(belongs).filter(|user| !excluded(user)).collect()
    }

    /// Is the user of the population at a moment?
    pub fn belongs(&self, user: usize, moment: &Moment) -> bool {
        let timeline = self.sources.timeline;
        match self.goal.population {
            Population::Everybody => !timeline.events_before(user, moment.at).is_empty(),
            Population::Active { days } => {
                let from = moment.at.plus(-i64::from(days) * DAY);
                timeline.events_within(user, from, moment.at).iter().any(|event| event.is_own)
            }
            Population::Targeted => {
                let campaign = moment.campaign.as_deref().and_then(|id| timeline.campaign(id));
                let is_targeted = |event: &TimedEvent| {
                    campaign.is_some_and(|code| event.campaign == Some(code as u32))
                        && timeline.names()[event.name as usize] == TARGETED
                };
                timeline.events(user).iter().any(is_targeted)
            }
        }
    }

    /// Every moment of the goal before the end of what is known, oldest first.
    fn moments(&self, known: Instant) -> Result<Vec<Moment>, ExampleError> {
        match (self.goal.unit, self.goal.window) {
            (Unit::UserCampaign, window) => self.campaign_moments(window, known),
            (_, GoalWindow::Micros(window)) => Ok(self.daily_moments(window, known)),
            (_, GoalWindow::Campaign) => Ok(Vec::new()),
        }
    }

    /// Starts of campaigns, with the window's end.
    fn campaign_moments(&self, window: GoalWindow, known: Instant) -> Result<Vec<Moment>, ExampleError> {
        let timeline = self.sources.timeline;
        let moment = |id: &String| {
            let campaign = self.sources.catalogue.campaigns.get(id);
            let at = campaign
                .and_then(|campaign| campaign.window_start)
                .or_else(|| first_targeted(timeline, id))?;
            let until = match window {
                GoalWindow::Campaign => campaign?.window_end?,
                GoalWindow::Micros(micros) => at.plus(micros),
            };
            (at < known && until > at).then(|| Moment { at, campaign: Some(id.clone()), until })
        };
        let targeted = targeted_campaigns(timeline);
        if targeted.is_empty() {
            return Err(self.empty(format!("there is no {TARGETED} event with a campaign_id")));
        }
        let moments: BTreeSet<Moment> = targeted.iter().filter_map(moment).collect();
        if moments.is_empty() {
            return Err(self.empty(
                "no targeted campaign has a window; declare window_start and window_end with `ingest --kind campaigns`".into(),
            ));
        }
        Ok(moments.into_iter().collect())
    }

    /// Midnights of the default zone, a window apart, that leave room for the newest label.
    fn daily_moments(&self, window: i64, known: Instant) -> Vec<Moment> {
        let zone = Zone::find(self.sources.default_time_zone).unwrap_or_else(|_| Zone::utc());
        let timeline = self.sources.timeline;
        let first = (0..timeline.users().len())
            .filter_map(|user| timeline.events(user).first())
            .map(|event| event.at);
        let Some(first) = first.min() else { return Vec::new() };
        let step = (window.max(DAY) + DAY - 1) / DAY;
        let lateness = self.training.allowed_lateness_hours * HOUR;
        let newest = zone.local_day(known.plus(-window - lateness));
        let mut moments = Vec::new();
        let mut day = newest;
        while let Some(at) = zone.instant_of(day.civil().into()) {
            if at <= first || moments.len() > self.training.most_moments {
                break;
            }
            moments.push(Moment { at, campaign: None, until: at.plus(window) });
            day.0 -= step as i32;
        }
        moments.reverse();
        moments
    }

    fn check_events(&self, until: Instant) -> Result<(), ExampleError> {
        let names = self.sources.timeline.names();
        if names.iter().any(|name| self.goal.takes(name)) {
            return Ok(());
        }
        Err(ExampleError::UnknownEvent {
            goal: self.name.to_string(),
            events: self.goal.events.clone(),
            seen: self.most_frequent_names(10),
            until,
        })
    }

    fn most_frequent_names(&self, most: usize) -> Vec<String> {
        let timeline = self.sources.timeline;
        let mut counts = vec![0_usize; timeline.names().len()];
        for user in 0..timeline.users().len() {
            timeline.events(user).iter().for_each(|event| counts[event.name as usize] += 1);
        }
        let mut names: Vec<(usize, &String)> = counts.into_iter().zip(timeline.names()).collect();
        names.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        names.into_iter().take(most).map(|(_, name)| name.clone()).collect()
    }

    fn empty(&self, why: String) -> ExampleError {
        ExampleError::EmptyPopulation { goal: self.name.to_string(), why }
    }
}

/// Ids of the campaigns that anybody was targeted by, sorted.
pub fn targeted_campaigns(timeline: &Timeline) -> BTreeSet<String> {
    let Some(targeted) = timeline.names().iter().position(|name| name == TARGETED) else {
        return BTreeSet::new();
    };
    let events = (0..timeline.users().len()).flat_map(|user| timeline.events(user));
    let campaigns = events.filter(|event| event.name as usize == targeted).filter_map(|event| event.campaign);
    campaigns.map(|campaign| timeline.campaigns()[campaign as usize].clone()).collect()
}

fn first_targeted(timeline: &Timeline, campaign_id: &str) -> Option<Instant> {
    let code = timeline.campaign(campaign_id)? as u32;
    let events = (0..timeline.users().len()).flat_map(|user| timeline.events(user));
    let of_campaign = events
        .filter(|event| event.campaign == Some(code) && timeline.names()[event.name as usize] == TARGETED);
    of_campaign.map(|event| event.at).min()
}

impl Example {
    fn new(row: ExampleRow, label: bool, user: &UserAsOf<'_>, item: Item<'_>) -> Example {
        let inputs = InputBlock::ALL.iter().flat_map(|block| user.block(*block, item)).collect();
        Example { row, label, inputs }
    }
}

impl Examples {
    /// The rows of both, those of the other behind.
    #[must_use]
    pub fn followed_by(mut self, other: Examples) -> Examples {
        let moments = self.moments.len() as u32;
        self.rows.extend(other.rows.iter().map(|row| ExampleRow { moment: row.moment + moments, ..*row }));
        self.moments.extend(other.moments);
        self.labels.extend(other.labels);
        self.columns.iter_mut().zip(other.columns).for_each(|(column, more)| column.extend(more));
        self
    }

    fn push(&mut self, example: Example) {
        self.rows.push(example.row);
        self.labels.push(example.label);
        self.columns.iter_mut().zip(example.inputs).for_each(|(column, value)| column.push(value));
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The moment of a row.
    pub fn moment(&self, row: usize) -> &Moment {
        &self.moments[self.rows[row].moment as usize]
    }

    /// The inputs of a row, blocks in order.
    pub fn inputs_of(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// How many of some rows are positive.
    pub fn positives(&self, rows: &[usize]) -> usize {
        rows.iter().filter(|row| self.labels[**row]).count()
    }
}

/// What the goal asks at a moment: once, or once for each running campaign.
pub(super) fn moments_at(question: &GoalQuestion<'_>, at: Instant) -> Vec<Moment> {
    if question.goal.unit != Unit::UserCampaign {
        return vec![Moment { at, campaign: None, until: at }];
    }
    let campaigns = question.sources.catalogue.campaigns.values();
    let runs = campaigns.filter(|campaign| {
        campaign.window_start.is_none_or(|start| start <= at)
            && campaign.window_end.is_none_or(|end| at < end)
    });
    runs.map(|campaign| Moment { at, campaign: Some(campaign.campaign_id.clone()), until: at }).collect()
}
