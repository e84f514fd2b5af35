//! `smartpush models`: what has been trained, which model is in use, and how to go back.

mod drift;

use super::output::{print_json, print_lines, print_text};
use super::{Context, Failure};
use drift::{Measured, measure};
use files::workspace::Workspace;
use registry::model::ModelKind;
use registry::versions::{Change, ChangeAction, Promotion, Registered, Registry, RegistryError};

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
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
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
        /// Look at the champion's drift with what was known before this moment; default: 1 µs after the newest event
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
    let registry = Registry::of(&workspace);
    match &arguments.action {
        Action::List { goal } => list(context, &registry, goal.as_deref()),
        Action::Show { goal, version, as_of } => {
            show(context, &workspace, goal, version.as_deref(), as_of.as_deref())
        }
        Action::Promote { goal, version, force } => {
            let _lock = workspace.lock()?;
            let promotion = registry.promote(goal, version, *force, context.now)?;
            if !promotion.forced.is_empty() {
                eprintln!("forced past: {}", promotion.forced.join(", "));
            }
            let is_champion = promotion.from.as_deref() == Some(version);
            let done = if is_champion { "the champion is already" } else { "promoted" };
            report(context, goal, done, version, &promotion);
            Ok(())
        }
        Action::Shadow { goal, version, .. } => {
            let _lock = workspace.lock()?;
            if version.is_some() && *version == registry.champion(goal) {
                let message = "it is the champion, which is scored already";
                return Err(Failure::conflict("bad_shadow", message));
            }
            registry.set_shadow(goal, version.as_deref())?;
            if context.json {
                print_json(&serde_json::json!({ "goal": goal, "shadow": version }));
            } else {
                print_lines(&[match version {
                    Some(version) => format!("{goal}: the shadow is {version}; decisions log what it says"),
                    None => format!("{goal}: there is no shadow now"),
                }]);
            }
            Ok(())
        }
        Action::Rollback { goal } => {
            let _lock = workspace.lock()?;
            let (version, from) = registry.rollback(goal, context.now)?;
            report(context, goal, "rolled back to", &version, &Promotion { from, forced: Vec::new() });
            Ok(())
        }
    }
}

fn report(context: &Context, goal: &str, done: &str, version: &str, promotion: &Promotion) {
    if context.json {
        let mut said = serde_json::json!({ "goal": goal, "champion": version, "former": promotion.from });
        if !promotion.forced.is_empty() {
            said["forced"] = serde_json::json!(promotion.forced);
        }
        print_json(&said);
    } else {
        let former = promotion.from.as_ref().filter(|from| *from != version);
        let former = former.map(|from| format!(" (was {from})")).unwrap_or_default();
        print_lines(&[format!("{goal}: {done} {version}{former}")]);
    }
}

fn list(context: &Context, registry: &Registry, goal: Option<&str>) -> Result<(), Failure> {
    let goals = match goal {
        Some(goal) if !registry.goals().contains(&goal.to_string()) => {
            super::learning::goal_of(context, goal)?;
            return Err(RegistryError::NoModel { goal: goal.to_string(), before: None }.into());
        }
        Some(goal) => vec![goal.to_string()],
        None => registry.goals(),
    };
    let (mut entries, mut lines) = (Vec::new(), Vec::new());
    for goal in &goals {
        let (champion, shadow) = (registry.champion(goal), registry.shadow(goal));
        for version in registry.versions(goal) {
            let is_champion = champion.as_ref() == Some(&version);
            let is_shadow = shadow.as_ref() == Some(&version);
            match registry.read(goal, &version) {
                Ok(found) => {
                    lines.push(line(goal, &found, is_champion, is_shadow));
                    entries.push(entry(goal, &found, is_champion, is_shadow));
                }
                // A list shows what is broken instead of ending there.
                Err(error) => {
                    lines.push(format!("! {goal:<14} {version}  {error}"));
                    entries.push(serde_json::json!({
                        "goal": goal, "version": version, "champion": is_champion, "error": error.to_string(),
                    }));
                }
            }
        }
    }
    if context.json {
        print_json(&serde_json::json!({ "models": entries }));
    } else if lines.is_empty() {
        print_lines(&["no models yet; `smartpush train` makes some".to_string()]);
    } else {
        print_lines(&lines);
    }
    Ok(())
}

fn line(goal: &str, found: &Registered, is_champion: bool, is_shadow: bool) -> String {
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
    let kind = standing(found);
    format!("{star} {goal:<14} {}  as of {}  {figures}{kind}", found.version, found.model.as_of)
}

/// When a version took the champion's place, and past what.
fn history(journal: &[Change], version: &str) -> Vec<String> {
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

/// What keeps a model from being served, in a word.
fn standing(found: &Registered) -> &'static str {
    let gate = found.card.as_ref().and_then(|card| card.gate.as_ref());
    match (found.model.kind, gate) {
        (ModelKind::BaseRate, _) => "  not served",
        (_, Some(gate)) if !gate.is_passed() => "  refused by the gate",
        (ModelKind::Imported, _) => "  imported: never served",
        _ => "",
    }
}

fn entry(goal: &str, found: &Registered, is_champion: bool, is_shadow: bool) -> serde_json::Value {
    serde_json::json!({
        "goal": goal, "version": found.version, "champion": is_champion, "shadow": is_shadow, "kind": found.model.kind.as_str(),
        "as_of": found.model.as_of, "metrics": found.card.as_ref().map(|card| &card.metrics),
    })
}

fn show(
    context: &Context,
    workspace: &Workspace,
    goal: &str,
    version: Option<&str>,
    as_of: Option<&str>,
) -> Result<(), Failure> {
    let registry = Registry::of(workspace);
    let found = match version {
        Some(version) => registry.read(goal, version)?,
        None => registry.read_champion(goal)?,
    };
    let Some(card) = &found.card else {
        let place = registry.place(goal, &found.version);
        return Err(RegistryError::LostCard(place.join("card.json")).into());
    };
    let (champion, journal) = (registry.champion(goal), registry.journal(goal)?);
    let drift = match champion.as_ref() == Some(&found.version) {
        true => measure(context, workspace, &found, as_of)?,
        false => Measured::Nothing,
    };
    let refusal = drift.refusal(goal, &found.version);
    if context.json {
        let mut object = serde_json::json!({
            "goal": goal, "version": found.version, "champion": champion, "card": card,
            "model": found.model, "journal": journal,
        });
        drift.add_to(&mut object);
        if let Some(failure) = &refusal {
            failure.add_to(&mut object);
        }
        print_json(&object);
    } else {
        print_text(&card.to_markdown(&found.model, &found.version));
        print_lines(&history(&journal, &found.version));
        print_lines(&drift.to_lines());
    }
    match refusal {
        None => Ok(()),
        Some(failure) => Err(failure.reported()),
    }
}
