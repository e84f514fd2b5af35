//! The files that a workspace of the simulation takes in: people, contents, a campaign, and events up to a moment.

use std::path::{Path, PathBuf};

use serde_json::json;

use domain::decision::Decision;
use domain::event::StandardEvent;
use domain::time::{HOUR, Instant};
use files::tables::{self, TableError};
use simulation::Stage;
use simulation::truth::{Push, PushAnswer};
use simulation::world::{Act, WorldContent};

/// The campaign that competes for everybody, every day.
const CAMPAIGN: &str = "daily";
/// What the ids of contents begin with.
const CONTENT_PREFIX: &str = "content-";

/// What was done and pushed, on its way into the workspace.
#[derive(Debug)]
pub(super) struct Records<'a> {
    stage: &'a Stage,
    folder: PathBuf,
    /// How many of each person's own acts were written.
    taken: Vec<usize>,
    /// Events of pushes that were not written yet.
    waiting: Vec<EventLine>,
}

/// An event as a line of a file.
#[derive(Debug)]
struct EventLine {
    at: Instant,
    line: String,
}

/// What came of a push.
#[derive(Debug)]
pub(super) struct Feedback<'a> {
    push: &'a Push,
    decision: Option<&'a Decision>,
    is_clicked: bool,
    opted_out: bool,
}

impl<'a> Feedback<'a> {
    /// Of a push that the engine decided.
    pub(super) fn of_decision(decision: &'a Decision, push: &'a Push, answer: PushAnswer) -> Feedback<'a> {
        let PushAnswer { is_clicked, opted_out } = answer;
        Feedback { push, decision: Some(decision), is_clicked, opted_out }
    }

    /// Of a push before play; people who opted out then are not part of the world.
    pub(super) fn of_past(push: &'a Push, answer: PushAnswer) -> Feedback<'a> {
        Feedback { push, decision: None, is_clicked: answer.is_clicked, opted_out: false }
    }

    /// Its events, all at the moment of the push: in this world an answer is known at once, also to the next question.
    fn events(&self) -> Vec<StandardEvent> {
        let stages = [
            (StandardEvent::PushSent, true),
            (StandardEvent::PushDisplayed, true),
            (StandardEvent::PushClicked, self.is_clicked),
            (StandardEvent::View, self.is_clicked),
            (StandardEvent::PushOptedOut, self.opted_out),
        ];
        stages.into_iter().filter(|(_, came)| *came).map(|(event, _)| event).collect()
    }
}

impl<'a> Records<'a> {
    /// Nothing written yet, of the first so many people.
    pub(super) fn new(stage: &'a Stage, people: usize, folder: &Path) -> Records<'a> {
        Records { stage, folder: folder.to_path_buf(), taken: vec![0; people], waiting: Vec::new() }
    }

    /// Writes the files of people, contents and campaigns.
    pub(super) fn declare(&self) -> Result<[PathBuf; 3], TableError> {
        let campaign = json!({ "campaign_id": CAMPAIGN, "name": "One push a day", "status": "running" });
        Ok([
            self.write("users.csv", &self.users())?,
            self.write("contents.jsonl", &self.contents())?,
            self.write("campaigns.jsonl", &[campaign.to_string()])?,
        ])
    }

    fn users(&self) -> Vec<String> {
        let world = &self.stage.world;
        let since = world.first_midnight(-world.history_days());
        let people = world.people.iter().take(self.taken.len());
        let line = people.map(|person| format!("{},{},granted,{since}", person.id, person.zone.name()));
        std::iter::once("user_id,time_zone,consent,consent_at".to_string()).chain(line).collect()
    }

    fn contents(&self) -> Vec<String> {
        let world = &self.stage.world;
        let content = |(index, content): (usize, &WorldContent)| {
            let life = world.parameters.contents.life_days;
            let id = content_id(index);
            json!({
                "content_id": id,
                "category": format!("category-{}", content.category),
                "published_at": world.first_midnight(content.published).to_string(),
                "expires_at": world.last_midnight(content.published + life).to_string(),
                "message_class": "marketing",
                "variants": [{ "variant_id": "en", "locale": "en", "title": id }],
            })
            .to_string()
        };
        world.contents.iter().enumerate().map(content).collect()
    }

    /// Writes every event before a moment that was not written yet, in order of time, then of its line.
    pub(super) fn write_until(&mut self, now: Instant) -> Result<PathBuf, TableError> {
        let (mut due, waiting): (Vec<EventLine>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|event| event.at < now);
        self.waiting = waiting;
        for (user, taken) in self.taken.iter_mut().enumerate() {
            let acts = self.stage.acts(user)[*taken..].iter();
            let before = due.len();
            due.extend(acts.map(|act| view_of(self.stage, user, act)).take_while(|event| event.at < now));
            *taken += due.len() - before;
        }
        due.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.line.cmp(&other.line)));
        let header = "message_id,user_id,event,content_id,timestamp,campaign_id,decision_id,channel";
        let lines = std::iter::once(header.to_string()).chain(due.into_iter().map(|event| event.line));
        self.write("events.csv", &lines.collect::<Vec<String>>())
    }

    /// Takes note of what came of a push.
    pub(super) fn hear(&mut self, feedback: &Feedback<'_>) {
        let Push { user, content, at, .. } = *feedback.push;
        let user_id = &self.stage.world.people[user].id;
        let decision = feedback.decision;
        let campaign = decision.and_then(|decision| decision.campaign_id.as_deref()).unwrap_or_default();
        let decision_id = decision.map_or("", |decision| decision.decision_id.as_str());
        let channel = decision.and_then(|decision| decision.channel.as_deref()).unwrap_or_default();
        for event in feedback.events() {
            let (event, content) = (event.name(), content_id(content));
            let message = format!("push-{event}-{user_id}-{at}");
            let line =
                format!("{message},{user_id},{event},{content},{at},{campaign},{decision_id},{channel}");
            self.waiting.push(EventLine { at, line });
        }
    }

    /// The content of the world that an id names.
    pub(super) fn content_of(content_id: &str) -> Option<usize> {
        content_id.strip_prefix(CONTENT_PREFIX)?.parse().ok()
    }

    fn write(&self, name: &str, lines: &[String]) -> Result<PathBuf, TableError> {
        let path = self.folder.join(name);
        tables::write_atomically(&path, |file| lines.iter().try_for_each(|line| writeln!(file, "{line}")))?;
        Ok(path)
    }
}

fn view_of(stage: &Stage, user: usize, act: &Act) -> EventLine {
    let world = &stage.world;
    let begin = world.end_of_hour(user, act.day, act.hour).plus(-HOUR);
    let at = begin.plus((f64::from(act.fraction) * HOUR as f64) as i64);
    let (user_id, event, content) =
        (&world.people[user].id, StandardEvent::View.name(), content_id(act.content as usize));
    EventLine { at, line: format!("{event}-{user_id}-{at},{user_id},{event},{content},{at},,,") }
}

fn content_id(content: usize) -> String {
    format!("{CONTENT_PREFIX}{content:06}")
}
