//! `smartpush score --table`: the rows of a table by a model of one of its columns.

use super::super::output::{print_json, print_lines, thousands};
use super::super::{Context, Failure};
use operations::table::{TableScoreRequest, score};

pub(super) fn run(context: &Context, request: &TableScoreRequest) -> Result<(), Failure> {
    let workspace = context.open()?;
    let report = context.operate(&workspace, |operation| score(operation, request))?;
    if context.json {
        let mut object = serde_json::json!({
            "goal": request.goal, "version": report.version, "rows": report.rows, "path": request.out,
            "mean_propensity": report.mean_propensity,
        });
        if let Some(uplift) = report.mean_uplift {
            object["mean_uplift"] = uplift.into();
        }
        print_json(&object);
    } else {
        let uplift =
            report.mean_uplift.map(|uplift| format!(", mean uplift {uplift:.4}")).unwrap_or_default();
        print_lines(&[format!(
            "{} rows of {} scored for {} by model {} in {}: mean propensity {:.4}{uplift}",
            thousands(report.rows),
            request.table.display(),
            request.goal,
            report.version,
            request.out.display(),
            report.mean_propensity
        )]);
    }
    Ok(())
}
