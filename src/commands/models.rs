//! `smartpush models`: what has been trained, which model is in use, and how to go back.

mod drift;

use serde_json::{Value, json};

use super::output::{print_json, print_lines, print_text};
use super::{Context, Failure};
use operations::context::Context as Operation;
use operations::models::{Hindrance, ListedModel, ShownModel, list, show};
use operations::promote::{ChampionReport, PromoteRequest, promote, rollback};
use operations::shadow::shadow;
use registry::versions::{ChampionChange, ChangeAction};

/// List models, look at one, choose the champion, go back to the former one
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush models list
  smartpush models show --goal redeem
  smartpush models promote --goal redeem 1f2e3d4c5b6a
  smartpush models shadow --goal redeem 1f2e3d4c5b6a
  smartpush models rollback --goal redeem")]
pub(super) struct ModelsArguments {
    #[command(subcommand)]
    action: ModelsAction,
}

#[derive(clap::Subcommand)]
enum ModelsAction {
    /// List every model of every goal (or of one); the champion has a star, the shadow a tilde
    List {
        /// Only this goal
        #[arg(long, value_name = "NAME")]
        goal: Option<String>,
    },
    /// Show a model's card: the champion's, or that of a version
    Show {
        /// The goal
        #[arg(long, value_name = "NAME")]
        goal: String,
        /// The version; default: the champion, with its drift when there are events since
        version: Option<String>,
        /// Look at the champion's drift with what was known before this moment [default: 1 µs after the newest event, at
        /// most now]
        #[arg(long, value_name = "T")]
        as_of: Option<String>,
    },
    /// Make a version the champion
    Promote {
        /// The goal
        #[arg(long, value_name = "NAME")]
        goal: String,
        /// The version
        version: String,
        /// Go past the gate; which lines did not hold is kept in the journal
        #[arg(long)]
        force: bool,
    },
    /// Score and log a challenger beside the champion, without serving it
    Shadow {
        /// The goal
        #[arg(long, value_name = "NAME")]
        goal: String,
        /// The version
        #[arg(required_unless_present = "off")]
        version: Option<String>,
        /// Take the goal's shadow away
        #[arg(long, conflicts_with = "version")]
        off: bool,
    },
    /// Bring the former champion back and withdraw the present one
    Rollback {
        /// The goal
        #[arg(long, value_name = "NAME")]
        goal: String,
    },
}

pub(super) fn run(context: &Context, arguments: &ModelsArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    match &arguments.action {
        ModelsAction::List { goal } => {
            let models = context.operate(&workspace, |operation| list(operation, goal.as_deref()))?;
            print_list(context, &models);
            Ok(())
        }
        ModelsAction::Show { goal, version, as_of } => {
            let as_of = context.given_moment(as_of.as_deref())?;
            let show = |operation: &Operation<'_>| show(operation, goal, version.as_deref(), as_of);
            print_shown(context, context.operate(&workspace, show)?)
        }
        ModelsAction::Promote { goal, version, force } => {
            let request = PromoteRequest { goal: goal.clone(), version: version.clone(), is_forced: *force };
            let promoted = context.operate(&workspace, |operation| promote(operation, &request))?;
            if !promoted.forced.is_empty() {
                eprintln!("forced past: {}", promoted.forced.join(", "));
            }
            let done = if promoted.is_unchanged() { "the champion is already" } else { "promoted" };
            print_champion(context, done, &promoted);
            Ok(())
        }
        ModelsAction::Shadow { goal, version, .. } => {
            context.operate(&workspace, |operation| shadow(operation, goal, version.as_deref()))?;
            print_shadow(context, goal, version.as_deref());
            Ok(())
        }
        ModelsAction::Rollback { goal } => {
            let champion = context.operate(&workspace, |operation| rollback(operation, goal))?;
            print_champion(context, "rolled back to", &champion);
            Ok(())
        }
    }
}

fn print_champion(context: &Context, done: &str, report: &ChampionReport) {
    let ChampionReport { goal, champion, former, forced } = report;
    if context.json {
        let mut said = json!({ "goal": goal, "champion": champion, "former": former });
        if !forced.is_empty() {
            said["forced"] = json!(forced);
        }
        print_json(&said);
    } else {
        let former = former.as_ref().filter(|former| *former != champion);
        let former = former.map(|former| format!(" (was {former})")).unwrap_or_default();
        print_lines(&[format!("{goal}: {done} {champion}{former}")]);
    }
}

fn print_shadow(context: &Context, goal: &str, version: Option<&str>) {
    if context.json {
        print_json(&json!({ "goal": goal, "shadow": version }));
    } else {
        print_lines(&[match version {
            Some(version) => format!("{goal}: the shadow is {version}; decisions log what it says"),
            None => format!("{goal}: there is no shadow now"),
        }]);
    }
}

fn print_list(context: &Context, models: &[ListedModel]) {
    if context.json {
        print_json(&json!({ "models": models.iter().map(entry).collect::<Vec<Value>>() }));
    } else if models.is_empty() {
        print_lines(&["no models yet; `smartpush train` makes some".to_string()]);
    } else {
        print_lines(&models.iter().map(line).collect::<Vec<String>>());
    }
}

fn line(listed: &ListedModel) -> String {
    let ListedModel { goal, version, is_champion, is_shadow, found } = listed;
    let found = match found {
        Ok(found) => found,
        Err(error) => return format!("! {goal:<14} {version}  {error}"),
    };
    let star = match (is_champion, is_shadow) {
        (true, _) => '*',
        (false, true) => '~',
        (false, false) => ' ',
    };
    let metrics = found.card.as_ref().map(|card| &card.metrics);
    let figures = metrics.map_or("no card".to_string(), |metrics| {
        format!(
            "log-loss {:.4} (base rate {:.4})  AUC {:.3}  ECE {:.4}",
            metrics.log_loss.value, metrics.base_rate_log_loss.value, metrics.auc.value, metrics.ece.value
        )
    });
    let hindrance = match listed.hindrance() {
        Some(Hindrance::BaseRate) => "  not served",
        Some(Hindrance::RefusedByGate) => "  refused by the gate",
        Some(Hindrance::Imported) => "  imported: never served",
        None => "",
    };
    format!("{star} {goal:<14} {version}  as of {}  {figures}{hindrance}", found.model.as_of)
}

fn entry(listed: &ListedModel) -> Value {
    let ListedModel { goal, version, is_champion, is_shadow, found } = listed;
    match found {
        Ok(found) => json!({
            "goal": goal, "version": version, "champion": is_champion, "shadow": is_shadow,
            "kind": found.model.kind.as_str(), "as_of": found.model.as_of,
            "metrics": found.card.as_ref().map(|card| &card.metrics),
        }),
        Err(error) => json!({
            "goal": goal, "version": version, "champion": is_champion, "error": error.to_string(),
        }),
    }
}

/// When a version became the champion, and past what.
fn history(journal: &[ChampionChange], version: &str) -> Vec<String> {
    let own = journal.iter().filter(|change| change.to == version);
    own.map(|change| {
        let done = match change.action {
            ChangeAction::Promote if change.forced.is_empty() => "promoted".to_string(),
            ChangeAction::Promote => format!("promoted by force past {}", change.forced.join(", ")),
            ChangeAction::Rollback => "brought back".to_string(),
        };
        format!("{done} {}", change.at)
    })
    .collect()
}

fn print_shown(context: &Context, shown: ShownModel) -> Result<(), Failure> {
    let ShownModel { goal, found, card, champion, journal, drift, refusal } = shown;
    let refusal = refusal.map(Failure::from);
    if context.json {
        let mut object = json!({
            "goal": goal, "version": found.version, "champion": champion, "card": card,
            "model": found.model, "journal": journal,
        });
        drift::add_to(&drift, &mut object);
        if let Some(failure) = &refusal {
            failure.add_to(&mut object);
        }
        print_json(&object);
    } else {
        print_text(&card.to_markdown(&found.model, &found.version));
        print_lines(&history(&journal, &found.version));
        print_lines(&drift::to_lines(&drift));
    }
    Failure::after_report(refusal)
}
