//! What a look-alike came to, for machines and for people.

use serde_json::{Value, json};

use super::super::super::charts::bar;
use super::super::super::output::thousands;
use super::super::count::told;
use super::super::storage::saved_line;
use ::models::lookalike::Reach;
use ::segments::answers::lookalike::Input;
use ::segments::answers::privacy::Reader;
use operations::segments::lookalike::{LearnedLookalike, LookalikeReport, shortened};

/// Cells of the curve's bars.
const CELLS: usize = 30;

pub(super) fn for_machines(found: &LookalikeReport) -> Value {
    let LearnedLookalike {
        as_of, seed, ids, members, not_looked_at, inputs, defined_by, without, model, ..
    } = &found.learned;
    let input = |(input, weight): (&Input, f64)| {
        json!({
            "input": input.name, "standardised_weight": weight,
            "seed_mean": input.seed_mean, "others_mean": input.others_mean,
        })
    };
    let show = |count: usize| found.reader.show(count as u64);
    let point = |point: &Reach| {
        json!({
            "share": point.share, "people": show(point.people), "similarity": point.similarity,
            "seed_found": point.found, "lift": point.lift,
        })
    };
    let mut report = json!({
        "as_of": as_of, "seed": seed, "seed_members": found.reader.show(found.seed_members()),
        "others": show(members.len() - found.seed_members() as usize), "not_looked_at": show(*not_looked_at),
        "people": show(ids.len()), "inputs": inputs.len(), "without": without, "seed_defined_by": defined_by,
        "penalty": model.penalty, "fold_penalties": model.penalties, "auc": model.auc, "tells_apart": !found.is_chance(),
        "curve": found.curve.iter().map(point).collect::<Vec<Value>>(),
        "sets_apart": found.strongest().into_iter().map(input).collect::<Vec<Value>>(),
        "sentence": found.sentence(),
    });
    if let Some(taken) = &found.taken {
        report["reached"] = json!({ "people": show(taken.len()), "similarity": found.least_similarity() });
    }
    if let Some(saved) = &found.saved {
        report["segment"] = json!(saved.segment.card.segment_id);
        report["version"] = json!(saved.segment.card.version);
        report["changed"] = json!(saved.is_changed);
    }
    report
}

pub(super) fn for_people(found: &LookalikeReport) -> Vec<String> {
    let LearnedLookalike { as_of, seed, members, not_looked_at, inputs, defined_by, model, .. } =
        &found.learned;
    let show = |count: usize| told(found.reader.show(count as u64));
    let (seeds, others) = (found.seed_members() as usize, members.len() - found.seed_members() as usize);
    let mut lines = vec![
        format!("like {seed}"),
        format!("{} in the seed, {} others, as of {as_of}", show(seeds), show(others)),
    ];
    if *not_looked_at > 0 {
        lines.push(format!("  {} more have personalisation off and are not looked at", show(*not_looked_at)));
    }
    if !defined_by.is_empty() {
        let names = defined_by.join(", ");
        lines.push(format!(
            "  the seed is defined by {names}, which the model reads too: --without leaves it out"
        ));
    }
    let auc = model.auc;
    lines.push(format!(
        "AUC {:.3} [{:.3} {:.3}] from {} inputs, on people not learned from (0.5 is chance)",
        auc.value,
        auc.low,
        auc.high,
        inputs.len()
    ));
    lines.push("share of the seed that each reach would have found".to_string());
    lines.extend(found.curve.iter().map(|point| curve_line(found, point)));
    lines.push("what sets the seed apart".to_string());
    lines.extend(input_lines(found));
    lines.push(format!("  {}", found.sentence()));
    if let Some(taken) = &found.taken {
        let least = found.least_similarity();
        lines.push(format!("reached {}, similarity from {least:.3} on", show(taken.len())));
    }
    lines.extend(found.saved.as_ref().map(saved_line));
    lines
}

fn curve_line(found: &LookalikeReport, point: &Reach) -> String {
    let people = match found.reader {
        Reader::DataTeam => thousands(point.people as u64),
        Reader::Marketer { .. } => told(found.reader.show(point.people as u64)),
    };
    format!(
        "  {:>4.0} %  {:<CELLS$}  {:>5.1} %  {:>4.1} × chance  {people:>15} people, similarity from {:.3} on",
        point.share * 100.0,
        bar(point.found, CELLS),
        point.found * 100.0,
        point.lift,
        point.similarity
    )
}

fn input_lines(found: &LookalikeReport) -> Vec<String> {
    let strongest = found.strongest();
    let width = strongest.iter().map(|(input, _)| input.name.chars().count()).max().unwrap_or_default();
    let head = format!("  {:<width$}  {:>6}  {:>10}  {:>10}", "", "weight", "seed", "others");
    let line = |(input, weight): &(&Input, f64)| {
        let (seed, others) = (shortened(input.seed_mean), shortened(input.others_mean));
        format!("  {:<width$}  {weight:>+6.2}  {seed:>10}  {others:>10}", input.name)
    };
    std::iter::once(head).chain(strongest.iter().map(line)).collect()
}
