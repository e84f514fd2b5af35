//! What a look-alike came to, for machines and for people.

use serde_json::{Value, json};

use super::super::super::charts::bar;
use super::super::super::output::{print_json, print_lines, thousands};
use super::super::count::told;
use super::super::storage::saved_line;
use super::Learned;
use models::lookalike::Reach;
use segments::answers::lookalike::Input;
use segments::answers::privacy::Reader;
use segments::saved::versions::Card;

/// Inputs that are shown.
const MOST_INPUTS: usize = 10;
/// Inputs of the sentence.
const MOST_SAID: usize = 3;
/// Cells of the curve's bars.
const CELLS: usize = 30;

/// A learned model, what reaches come to, and whom the arguments took.
pub(super) struct Report<'a> {
    pub(super) learned: &'a Learned,
    pub(super) curve: Vec<Reach>,
    pub(super) taken: Option<&'a Vec<String>>,
    pub(super) reader: Reader,
    pub(super) saved: Option<(Card, bool)>,
}

impl Report<'_> {
    /// Could the AUC be that of chance?
    pub(super) fn is_chance(&self) -> bool {
        self.learned.model.auc.low <= 0.5
    }

    /// How a saved list came about, for its card.
    pub(super) fn recipe(&self) -> String {
        let Learned { seed, as_of, model, without, .. } = self.learned;
        let without = match without.is_empty() {
            true => String::new(),
            false => format!(", without {}", without.join(", ")),
        };
        let least = self.least_similarity();
        format!(
            "like {seed} as of {as_of}: similarity from {least:.4} on, AUC {:.3} [{:.3} {:.3}] out of fold, logistic \
             regression, penalty {}{without}",
            model.auc.value, model.auc.low, model.auc.high, model.penalty
        )
    }

    /// Similarity of the last who was taken.
    fn least_similarity(&self) -> f64 {
        let Learned { ids, model, .. } = self.learned;
        let taken = self.taken.into_iter().flatten().filter_map(|id| ids.binary_search(id).ok());
        taken.map(|row| model.similarity[row]).fold(1.0, f64::min)
    }

    /// Inputs with the largest weights, and the weights.
    fn strongest(&self) -> Vec<(&Input, f64)> {
        let weights = self.learned.model.weights.iter().copied();
        let mut all: Vec<(&Input, f64)> = self.learned.inputs.iter().zip(weights).collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        all.truncate(MOST_INPUTS);
        all
    }

    pub(super) fn print(&self, is_json: bool) {
        match is_json {
            true => print_json(&self.for_machines()),
            false => print_lines(&self.for_people()),
        }
    }

    fn seed_members(&self) -> u64 {
        self.learned.members.iter().filter(|member| **member).count() as u64
    }

    fn for_machines(&self) -> Value {
        let Learned { as_of, seed, ids, members, not_looked_at, inputs, defined_by, without, model } =
            self.learned;
        let input = |(input, weight): (&Input, f64)| {
            json!({
                "input": input.name, "standardised_weight": weight,
                "seed_mean": input.seed_mean, "others_mean": input.others_mean,
            })
        };
        let show = |count: usize| self.reader.show(count as u64);
        let point = |point: &Reach| {
            json!({
                "share": point.share, "people": show(point.people), "similarity": point.similarity,
                "seed_found": point.found, "lift": point.lift,
            })
        };
        let mut report = json!({
            "as_of": as_of, "seed": seed, "seed_members": self.reader.show(self.seed_members()),
            "others": show(members.len() - self.seed_members() as usize), "not_looked_at": show(*not_looked_at),
            "people": show(ids.len()), "inputs": inputs.len(), "without": without, "seed_defined_by": defined_by,
            "penalty": model.penalty, "fold_penalties": model.penalties, "auc": model.auc, "tells_apart": !self.is_chance(),
            "curve": self.curve.iter().map(point).collect::<Vec<Value>>(),
            "sets_apart": self.strongest().into_iter().map(input).collect::<Vec<Value>>(),
            "sentence": self.sentence(),
        });
        if let Some(taken) = self.taken {
            report["reached"] = json!({ "people": show(taken.len()), "similarity": self.least_similarity() });
        }
        if let Some((card, is_changed)) = &self.saved {
            report["segment"] = json!(card.segment_id);
            report["version"] = json!(card.version);
            report["changed"] = json!(is_changed);
        }
        report
    }

    fn for_people(&self) -> Vec<String> {
        let Learned { as_of, seed, members, not_looked_at, inputs, defined_by, model, .. } = self.learned;
        let show = |count: usize| told(self.reader.show(count as u64));
        let (seeds, others) = (self.seed_members() as usize, members.len() - self.seed_members() as usize);
        let mut lines = vec![
            format!("like {seed}"),
            format!("{} in the seed, {} others, as of {as_of}", show(seeds), show(others)),
        ];
        if *not_looked_at > 0 {
            lines.push(format!(
                "  {} more have personalisation off and are not looked at",
                show(*not_looked_at)
            ));
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
        lines.extend(self.curve.iter().map(|point| self.curve_line(point)));
        lines.push("what sets the seed apart".to_string());
        lines.extend(self.input_lines());
        lines.push(format!("  {}", self.sentence()));
        if let Some(taken) = self.taken {
            let least = self.least_similarity();
            lines.push(format!("reached {}, similarity from {least:.3} on", show(taken.len())));
        }
        lines.extend(self.saved.as_ref().map(|(card, is_changed)| saved_line(card, *is_changed)));
        lines
    }

    fn curve_line(&self, point: &Reach) -> String {
        let people = match self.reader {
            Reader::DataTeam => thousands(point.people as u64),
            Reader::Marketer { .. } => told(self.reader.show(point.people as u64)),
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

    fn input_lines(&self) -> Vec<String> {
        let strongest = self.strongest();
        let width = strongest.iter().map(|(input, _)| input.name.chars().count()).max().unwrap_or_default();
        let head = format!("  {:<width$}  {:>6}  {:>10}  {:>10}", "", "weight", "seed", "others");
        let line = |(input, weight): &(&Input, f64)| {
            let (seed, others) = (shortened(input.seed_mean), shortened(input.others_mean));
            format!("  {:<width$}  {weight:>+6.2}  {seed:>10}  {others:>10}", input.name)
        };
        std::iter::once(head).chain(strongest.iter().map(line)).collect()
    }

    /// The strongest inputs of which the means say the same as the weights, in words.
    fn sentence(&self) -> String {
        let says_so = |(input, weight): &(&Input, f64)| (input.seed_mean - input.others_mean) * weight > 0.0;
        let said = self.strongest().into_iter().filter(says_so).take(MOST_SAID).map(|(input, weight)| {
            let word = if weight > 0.0 { "more" } else { "less" };
            let (seed, others) = (shortened(input.seed_mean), shortened(input.others_mean));
            format!("{word} {} ({seed} beside {others})", input.said())
        });
        let said: Vec<String> = said.collect();
        match said.is_empty() {
            true => "No single thing sets the seed apart.".to_string(),
            false => format!("The seed has {}.", said.join("; ")),
        }
    }
}

/// A number of about three digits.
fn shortened(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}
