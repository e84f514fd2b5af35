//! `smartpush train`: examples → a model, its card, and a champion if it beats the base rate.

use super::learning::{goal_of, health_lines, read_before};
use super::output::{print_json, print_lines, progress_bar, thousands};
use super::{Context, Failure};
use config::TrainingConfig;
use domain::time::Instant;
use evaluation::bootstrap::Figure;
use files::workspace::Workspace;
use models::examples::Question;
use models::material::Material;
use models::train::online::{OnlineError, go_on};
use models::train::{Request, Trained, train};
use registry::card::Card;
use registry::gate::{Gate, GateLine};
use registry::model::ModelKind;
use registry::versions::Registry;

/// Train a model of each goal (or of one) on examples whose outcome was known before T
///
/// Examples are split by time: the oldest train, the next calibrate, the newest test. Intervals are 95 %, by drawing users.
/// The model goes to models/GOAL/VERSION/ with a card; it becomes the champion only if every line of the gate holds
/// (`smartpush models show` lists them). Goals are declared in smartpush.toml ([goals.NAME]); `smartpush config check` shows them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush train
  smartpush train --goal redeem --as-of 2017-08-01
  smartpush models show --goal redeem")]
pub(super) struct TrainArguments {
    /// The goal; without it every declared goal whose events and audience exist
    #[arg(long, value_name = "NAME")]
    goal: Option<String>,
    /// Use what was known before this moment only
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Go on from the goal's champion, which was learned online (ftrl), with the outcomes known since
    #[arg(long, requires = "goal")]
    online: bool,
    /// Seed of draws; default: training.seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// A trained model and where it went.
pub(super) struct Outcome {
    pub(super) goal: String,
    pub(super) version: String,
    pub(super) promoted: bool,
    pub(super) trained: Trained,
}

pub(super) fn run(context: &Context, arguments: &TrainArguments) -> Result<(), Failure> {
    if let Some(name) = &arguments.goal {
        goal_of(context, name)?;
    }
    let workspace = context.open()?;
    let _lock = workspace.lock()?;
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(arguments.as_of.as_deref(), &lake)?;
    let material = read_before(context, &workspace, &lake, as_of)?;
    let learning = Learning {
        context,
        workspace: &workspace,
        material: &material,
        lake_sha256: lake.content_sha256(),
        health: health_lines(context, &workspace, &lake, as_of)?,
    };
    let seed = arguments.seed.unwrap_or(context.config.training.seed);
    if let Some(name) = &arguments.goal {
        let outcome = match arguments.online {
            true => learning.go_on(name, seed)?,
            false => learning.train_goal(name, seed)?,
        };
        show(context, &outcome);
        return Ok(());
    }
    let mut outcomes = Vec::new();
    for name in context.config.goals.keys() {
        match learning.train_goal(name, seed) {
            Ok(outcome) => outcomes.push(outcome),
            // A shipped goal that this data says nothing of is no failure of the others.
            Err(failure) => eprintln!("skipped: {failure}"),
        }
    }
    if outcomes.is_empty() {
        let message = "no declared goal could be trained; see the lines above";
        return Err(Failure::caller("nothing_to_learn", message));
    }
    if context.json {
        let models: Vec<serde_json::Value> = outcomes.iter().map(to_json).collect();
        print_json(&serde_json::json!({ "as_of": material.as_of.to_string(), "models": models }));
    } else {
        outcomes.iter().for_each(|outcome| print_lines(&to_lines(outcome)));
    }
    Ok(())
}

/// What every goal of one run is trained from.
pub(super) struct Learning<'a> {
    pub(super) context: &'a Context,
    pub(super) workspace: &'a Workspace,
    pub(super) material: &'a Material,
    pub(super) lake_sha256: String,
    /// What the data checks say, as lines of the gate.
    pub(super) health: Vec<GateLine>,
}

impl Learning<'_> {
    /// Trains, registers and, if it is worth it, promotes.
    pub(super) fn train_goal(&self, name: &str, seed: u64) -> Result<Outcome, Failure> {
        self.promoted(self.train_only(name, seed)?)
    }

    /// Trains and registers.
    pub(super) fn train_only(&self, name: &str, seed: u64) -> Result<Outcome, Failure> {
        self.learn(name, seed, |question, request, watch| Ok(train(question, request, &watch)?))
    }

    /// Makes a model the champion if every line of the gate holds and the champion knows no later day.
    fn promoted(&self, outcome: Outcome) -> Result<Outcome, Failure> {
        let registry = Registry::of(self.workspace);
        let promoted =
            is_worth_it(&outcome.trained) && is_newest(&registry, &outcome.goal, outcome.trained.model.as_of);
        if promoted {
            registry.promote(&outcome.goal, &outcome.version, false, self.context.now)?;
        }
        Ok(Outcome { promoted, ..outcome })
    }

    /// The same, from where the champion stopped.
    fn go_on(&self, name: &str, seed: u64) -> Result<Outcome, Failure> {
        let registry = Registry::of(self.workspace);
        let champion = registry.read_champion(name)?;
        let state = registry
            .read_online(name, &champion.version)
            .ok_or_else(|| OnlineError::NotOnline { goal: name.to_string() })?;
        let learned = self.learn(name, seed, |question, request, watch| {
            Ok(go_on(question, request, &champion.model, &state, &watch)?)
        });
        self.promoted(learned?)
    }

    fn learn(
        &self,
        name: &str,
        seed: u64,
        learn: impl FnOnce(&Question<'_>, &Request<'_>, &dyn Fn(usize, usize)) -> Result<Trained, Failure>,
    ) -> Result<Outcome, Failure> {
        let context = self.context;
        let goal = goal_of(context, name)?;
        let sources = self.material.sources(&context.config.profiles);
        let training = TrainingConfig { seed, ..context.config.training.clone() };
        let question = Question { name, goal, sources: &sources, training: &training };
        let registry = Registry::of(self.workspace);
        // A champion that cannot be read is named by whoever serves it; training is the way out.
        let champion = registry.read_champion(name).ok();
        let request = Request {
            lake_sha256: &self.lake_sha256,
            champion: champion.as_ref(),
            others: &self.health,
            ..Request::new(self.material.as_of, &context.config, context.now)
        };
        let bar = progress_bar();
        bar.set_message(format!("examples of {name}"));
        let trained = learn(&question, &request, &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            if done == total {
                bar.set_message(format!("fitting {name}"));
            }
        })?;
        bar.finish_and_clear();
        let version = registry.write_with(&trained.model, &trained.card, trained.online.as_ref())?;
        Ok(Outcome { goal: name.to_string(), version, promoted: false, trained })
    }
}

/// Does it beat the base rate, and hold in every line of the gate?
fn is_worth_it(trained: &Trained) -> bool {
    trained.card.beats_base_rate && trained.card.gate.as_ref().is_some_and(Gate::is_passed)
}

/// A model of the past does not take the place of a champion that knows more.
fn is_newest(registry: &Registry, goal: &str, as_of: Instant) -> bool {
    registry.read_champion(goal).map_or(true, |champion| champion.model.as_of <= as_of)
}

fn show(context: &Context, outcome: &Outcome) {
    if context.json {
        print_json(&to_json(outcome));
    } else {
        print_lines(&to_lines(outcome));
    }
}

/// The contract's keys, and what else a program may want.
pub(super) fn to_json(outcome: &Outcome) -> serde_json::Value {
    let (card, model) = (&outcome.trained.card, &outcome.trained.model);
    serde_json::json!({
        "goal": outcome.goal, "version": outcome.version, "champion": model.kind.as_str(),
        "promoted": outcome.promoted, "as_of": model.as_of, "seed": model.seed, "penalty": model.penalty,
        "metrics": card.metrics, "split": card.split, "fitted_on": card.fitted_on,
        "immature_moments": card.immature_moments, "data_sha256": card.data_sha256,
        "gate": card.gate.as_ref().map(|gate| &gate.lines),
    })
}

pub(super) fn to_lines(outcome: &Outcome) -> Vec<String> {
    let (card, model) = (&outcome.trained.card, &outcome.trained.model);
    let verdict = match (model.kind, outcome.promoted) {
        (ModelKind::BaseRate | ModelKind::Imported, _) => "does not beat the base rate: kept, not promoted",
        (_, true) => "passes the gate: promoted",
        (_, false) if is_worth_it(&outcome.trained) => {
            "passes the gate; the champion knows a later day and stays"
        }
        (_, false) => "refused by the gate: kept, not promoted",
    };
    let mut lines = vec![format!("{} {}: {verdict}", outcome.goal, outcome.version)];
    let failed = card.gate.iter().flat_map(Gate::failed);
    lines.extend(failed.map(|line| format!("  ✗ {line}")));
    lines.extend(figures(card).into_iter().map(|line| format!("  {line}")));
    lines
}

/// The figures of a card as lines.
pub(super) fn figures(card: &Card) -> Vec<String> {
    let figure = |name: &str, figure: &Figure| {
        format!("{name:<22} {:.4}  [{:.4} {:.4}]", figure.value, figure.low, figure.high)
    };
    let metrics = &card.metrics;
    let test = &card.split.test;
    vec![
        format!(
            "tested on {} rows of {} moments, {} positive; learned from {} rows, {} positive",
            thousands(test.rows as u64),
            test.moments,
            thousands(test.positives as u64),
            thousands(card.split.train.rows as u64),
            thousands(card.split.train.positives as u64)
        ),
        figure("log-loss", &metrics.log_loss),
        figure("base rate's log-loss", &metrics.base_rate_log_loss),
        figure("difference (paired)", &metrics.difference),
        figure("AUC", &metrics.auc),
        figure("calibration error", &metrics.ece),
    ]
}
