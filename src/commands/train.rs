//! `smartpush train`: examples → a model, its card, and a champion if it beats the base rate.

mod table;

use serde_json::{Value, json};

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use evaluation::bootstrap::Figure;
use operations::train::{GoalChoice, ModelStanding, NotTrained, TrainRequest, TrainedModel, train};
use registry::card::Card;
use registry::gate::Gate;

/// Train a model of each goal (or of one) on examples whose outcome was known before T
///
/// Examples are split by time: the oldest train, the next calibrate, the newest test. Intervals are 95 %, by drawing users.
/// The model goes to models/GOAL/VERSION/ with a card; it becomes the champion only if every line of the gate holds
/// (`smartpush models show` lists them), otherwise it is kept and the command ends with exit code 3. Goals are declared in smartpush.toml ([goals.NAME]); `smartpush config check` shows them.
///
/// --table makes a column of any table a goal of its own, named --goal or like the file. Numbers and categories become
/// inputs; rare categories share one, missing cells are known as such. Rows are split by --time: methods are compared on
/// later parts of the first 80 %, the rest tests: before each block of it the chosen method is learned anew from all rows
/// before, its newest rows giving intercept and slope. `score --table` scores other rows.
///
/// --treatment names a column of a randomised table that says which rows were treated: the model also learns whom the
/// treatment changes, and is promoted only if its ranking has a Qini above 0 and above that of a ranking by propensity.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush train
  smartpush train --goal redeem --as-of 2017-08-01
  smartpush train --table bank.csv --label y --time row --exclude duration
  smartpush train --table calls.parquet --label bought --time called_at --id customer --goal bought
  smartpush train --table mailing.csv --label visit --treatment mailed --goal visit_uplift
  smartpush models show --goal redeem")]
pub(super) struct TrainArguments {
    /// The goal; without it every declared goal whose events and audience exist
    #[arg(long, value_name = "NAME")]
    goal: Option<String>,
    /// Use what was known before this moment only [default: 1 µs after the newest event, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Go on from the goal's champion, which was learned online (ftrl), with the outcomes known since
    #[arg(long, requires = "goal")]
    online: bool,
    /// Seed of draws; default: training.seed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    table: table::TableArguments,
}

pub(super) fn run(context: &Context, arguments: &TrainArguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.table.table {
        return table::run(context, arguments, file);
    }
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let request = TrainRequest { goals: arguments.goals(), as_of, seed: arguments.seed };
    let trained = context.operate(&workspace, |operation| train(operation, &request));
    let report = trained.inspect_err(|error| tell_skipped(error.skipped()))?;
    tell_skipped(&report.skipped);
    report.failed.iter().for_each(|failed| eprintln!("failed: {}: {}", failed.goal, failed.error));
    let not_promoted = report.refusal().map(Failure::from);
    let refusal = report.failed.into_iter().next().map(|failed| Failure::from(failed.error)).or(not_promoted);
    match (&request.goals, context.json) {
        (_, false) => report.models.iter().for_each(|learned| print_lines(&to_lines(learned))),
        (GoalChoice::Every, true) => {
            let models: Vec<Value> = report.models.iter().map(to_json).collect();
            let mut object = json!({ "as_of": report.as_of.to_string(), "models": models });
            if let Some(failure) = &refusal {
                failure.add_to(&mut object);
            }
            print_json(&object);
        }
        (GoalChoice::One(_) | GoalChoice::Online(_), true) => {
            for learned in &report.models {
                let mut object = to_json(learned);
                refusal.iter().for_each(|failure| failure.add_to(&mut object));
                print_json(&object);
            }
        }
    }
    Failure::after_report(refusal)
}

impl TrainArguments {
    fn goals(&self) -> GoalChoice {
        match &self.goal {
            None => GoalChoice::Every,
            Some(goal) if self.online => GoalChoice::Online(goal.clone()),
            Some(goal) => GoalChoice::One(goal.clone()),
        }
    }
}

fn tell_skipped(skipped: &[NotTrained]) {
    skipped.iter().for_each(|skipped| eprintln!("skipped: {}", skipped.error));
}

/// The contract's keys, and what else a program may want.
pub(super) fn to_json(learned: &TrainedModel) -> Value {
    let (card, model) = (&learned.trained.card, &learned.trained.model);
    json!({
        "goal": learned.goal, "version": learned.version, "champion": model.kind.as_str(),
        "promoted": learned.is_promoted(), "as_of": model.as_of, "seed": model.seed, "penalty": model.penalty,
        "metrics": card.metrics, "split": card.split, "fitted_on": card.fitted_on,
        "immature_moments": card.immature_moments, "data_sha256": card.data_sha256,
        "gate": card.gate.as_ref().map(|gate| &gate.lines),
    })
}

fn to_lines(learned: &TrainedModel) -> Vec<String> {
    let card = &learned.trained.card;
    let verdict = match learned.standing {
        ModelStanding::BelowBaseRate => "does not beat the base rate: kept, not promoted",
        ModelStanding::Promoted => "passes the gate: promoted",
        ModelStanding::ChampionKnowsMore => "passes the gate; the champion knows a later day and stays",
        ModelStanding::RefusedByGate => "refused by the gate: kept, not promoted",
        ModelStanding::Registered => "kept, not promoted",
    };
    let mut lines = vec![format!("{} {}: {verdict}", learned.goal, learned.version)];
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
