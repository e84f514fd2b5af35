//! `smartpush train --table`: a column of any table → a model, its card, and a champion if the gate lets it.

use serde_json::{Value, json};

use super::super::output::{print_json, print_lines, table, thousands};
use super::super::{Context, Failure};
use super::{TrainArguments, figures};
use ::models::table::{TableRoles, TriedRecipe, UpliftFigures};
use files::workspace::Workspace;
use operations::table::{TableTrainReport, TableTrainRequest, train};
use operations::train::ModelStanding;
use registry::gate::Gate;

/// Options of a table.
#[derive(clap::Args)]
pub(super) struct TableArguments {
    /// Learn a column of this table (csv, jsonl or parquet) instead of a declared goal
    #[arg(long, value_name = "FILE", requires = "label", conflicts_with_all = ["as_of", "online"])]
    pub(super) table: Option<std::path::PathBuf>,
    /// The column to predict: yes or no, true or false, 1 or 0
    #[arg(long, value_name = "COLUMN", requires = "table")]
    label: Option<String>,
    /// The column with each row's time (stamps, dates or rising numbers), or row: the file is in order, oldest row first
    #[arg(long, value_name = "COLUMN|row", requires = "table", default_value = "row")]
    time: String,
    /// The column that names a row or its user: no input, carried into scores
    #[arg(long, value_name = "COLUMN", requires = "table")]
    id: Option<String>,
    /// Columns that are no inputs, such as those that are known only after the outcome
    #[arg(long, value_name = "COLUMN,…", requires = "table", value_delimiter = ',')]
    exclude: Vec<String>,
    /// The column that says which rows were treated, by chance: learns uplift as well, behind a gate on its Qini
    #[arg(long, value_name = "COLUMN", requires = "table")]
    treatment: Option<String>,
}

impl TableArguments {
    fn roles(&self) -> TableRoles {
        TableRoles {
            label: self.label.clone().unwrap_or_default(),
            time: (self.time != "row").then(|| self.time.clone()),
            id: self.id.clone(),
            excluded: self.exclude.iter().map(|name| name.trim().to_string()).collect(),
            treatment: self.treatment.clone(),
        }
    }
}

pub(super) fn run(
    context: &Context,
    arguments: &TrainArguments,
    file: &std::path::Path,
) -> Result<(), Failure> {
    let workspace = Workspace::create(&context.workspace)?;
    let request = TableTrainRequest {
        table: file.to_path_buf(),
        goal: arguments.goal.clone(),
        roles: arguments.table.roles(),
        seed: arguments.seed,
    };
    let report = context.operate(&workspace, |operation| train(operation, &request))?;
    let refusal = report.refusal().map(Failure::from);
    match context.json {
        true => {
            let mut object = to_json(&report);
            refusal.iter().for_each(|failure| failure.add_to(&mut object));
            print_json(&object);
        }
        false => print_lines(&to_lines(&report)),
    }
    Failure::after_report(refusal)
}

/// The contract's keys, and what else a program may want.
fn to_json(report: &TableTrainReport) -> Value {
    let trained = &report.trained;
    let (card, model) = (&trained.card, &trained.model);
    let left_out =
        trained.left_out.iter().map(|left| json!({ "column": left.column, "reason": left.reason }));
    let mut object = json!({
        "goal": report.goal, "version": report.version, "champion": model.kind.as_str(),
        "promoted": report.standing == ModelStanding::Promoted, "as_of": model.as_of, "seed": model.seed,
        "penalty": model.penalty, "metrics": card.metrics, "split": card.split, "fitted_on": card.fitted_on,
        "data_sha256": card.data_sha256, "gate": card.gate.as_ref().map(|gate| &gate.lines),
        "tried": trained.tried, "blocks": trained.blocks, "frozen": trained.frozen,
        "left_out": left_out.collect::<Vec<_>>(), "rows_without_label": trained.without_label,
        "inputs": model.inputs.len(),
    });
    if let Some(uplift) = &trained.uplift {
        object["uplift"] = json!(uplift);
    }
    object
}

fn to_lines(report: &TableTrainReport) -> Vec<String> {
    let trained = &report.trained;
    let verdict = match report.standing {
        ModelStanding::BelowBaseRate => "does not beat the base rate: kept, not promoted",
        ModelStanding::Promoted => "passes the gate: promoted",
        ModelStanding::ChampionKnowsMore => "passes the gate; the champion knows a later day and stays",
        ModelStanding::RefusedByGate => "refused by the gate: kept, not promoted",
        ModelStanding::Registered => "kept, not promoted",
    };
    let mut lines = vec![format!("{} {}: {verdict}", report.goal, report.version)];
    let failed = trained.card.gate.iter().flat_map(Gate::failed);
    lines.extend(failed.map(|line| format!("  ✗ {line}")));
    lines.extend(figures(&trained.card).into_iter().map(|line| format!("  {line}")));
    lines.push(format!(
        "  learned anew {} times over the test part, each time from all rows before; learned only once, before it: \
         log-loss {:.4}, AUC {:.4}, calibration error {:.4}",
        trained.blocks, trained.frozen.log_loss.value, trained.frozen.auc.value, trained.frozen.ece.value
    ));
    if trained.without_label > 0 {
        lines.push(format!(
            "  {} rows have no label and are left out",
            thousands(trained.without_label as u64)
        ));
    }
    lines.extend(trained.uplift.iter().flat_map(uplift_lines));
    for left in &trained.left_out {
        lines.push(format!("  column {} is no input: {}", left.column, left.reason));
    }
    lines.push("  tried, on four later parts of the rows before the test part:".to_string());
    lines.extend(tried_lines(&trained.tried).into_iter().map(|line| format!("  {line}")));
    lines
}

fn uplift_lines(uplift: &UpliftFigures) -> Vec<String> {
    let figure = |figure: &evaluation::bootstrap::Figure| {
        format!("{:.5}  [{:.5} {:.5}]", figure.value, figure.low, figure.high)
    };
    vec![
        format!("  {} changes the rate by    {}", uplift.treatment, figure(&uplift.lift.difference)),
        format!("  Qini of uplift          {} ({})", figure(&uplift.qini), uplift.learner),
        format!("  Qini of propensity      {}", figure(&uplift.qini_of_propensity)),
        format!("  difference (paired)     {}", figure(&uplift.qini_difference)),
    ]
}

fn tried_lines(tried: &[TriedRecipe]) -> Vec<String> {
    let mut rows = vec![
        ["", "method", "strength", "half-life", "log-loss", "of base rate's", "AUC", "worst AUC"]
            .map(str::to_string)
            .to_vec(),
    ];
    for tried in tried {
        let strength = match (tried.trees, tried.leaves) {
            (Some(trees), Some(leaves)) => format!("{trees} trees of {leaves} leaves"),
            _ => format!("penalty {}", tried.penalty),
        };
        rows.push(vec![
            if tried.chosen { "*" } else { "" }.to_string(),
            tried.method.to_string(),
            strength,
            tried.half_life.map_or("–".to_string(), |share| format!("{share} of the rows")),
            format!("{:.4}", tried.log_loss),
            format!("{:.3}", tried.relative_log_loss),
            format!("{:.4}", tried.auc),
            format!("{:.4}", tried.worst_auc),
        ]);
    }
    table(&rows)
}
