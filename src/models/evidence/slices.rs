//! Parts of the population that a model may rank wrongly while its overall figure looks well.

use std::collections::BTreeMap;

use super::Evidence;
use domain::zone::Zone;
use evaluation::classification::Intervals;
use registry::gate::facts::Slice;

/// Largest values of a dimension that are looked at.
const LARGEST: usize = 12;
/// Draws for the interval of a slice.
const DRAWS: usize = 200;

/// What a row belongs to in a dimension; `None` leaves it out.
type Dimension = fn(&Evidence<'_>, usize) -> Option<String>;

const DIMENSIONS: &[(&str, Dimension)] = &[
    ("country", country),
    ("locale", locale),
    ("platform", platform),
    ("time_zone", time_zone),
    ("campaign", campaign),
    ("category", category),
    ("weekday", weekday),
];

/// Every slice with enough rows of either outcome, dimensions in order, the largest slices first.
pub(super) fn slices(evidence: &Evidence<'_>) -> Vec<Slice> {
    let parts = parallel::map_each(DIMENSIONS.len(), |index| {
        let (name, dimension) = DIMENSIONS[index];
        slices_of(evidence, name, dimension)
    });
    parts.concat()
}

fn slices_of(evidence: &Evidence<'_>, name: &str, dimension: Dimension) -> Vec<Slice> {
    let mut by_value: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in evidence.test {
        if let Some(value) = dimension(evidence, *row) {
            by_value.entry(value).or_default().push(*row);
        }
    }
    let mut largest: Vec<(String, Vec<usize>)> = by_value.into_iter().collect();
    largest.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    let least = evidence.config.gates.least_positives;
    let is_large = |rows: &Vec<usize>| {
        let positives = evidence.examples.positives(rows);
        positives.min(rows.len() - positives) >= least
    };
    let judged = largest.into_iter().take(LARGEST).filter(|(_, rows)| is_large(rows));
    judged.map(|(value, rows)| slice(evidence, name, value, &rows)).collect()
}

fn slice(evidence: &Evidence<'_>, name: &str, value: String, rows: &[usize]) -> Slice {
    let (labels, users) = evidence.labels_and_users(rows);
    let intervals = Intervals::new(&labels, &users, DRAWS, evidence.config.evaluation.seed)
        .with_one_negative_of(evidence.examples.one_kept_of);
    let auc = intervals.auc(&evidence.probabilities_of(rows));
    let positives = evidence.examples.positives(rows);
    Slice { name: name.to_string(), value, rows: rows.len(), positives, auc }
}

fn user_id<'a>(evidence: &Evidence<'a>, row: usize) -> &'a str {
    &evidence.question.sources.timeline.users()[evidence.examples.rows[row].user as usize]
}

fn country(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    evidence.question.sources.declared.users().get(user_id(evidence, row))?.country.clone()
}

fn locale(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    evidence.question.sources.declared.users().get(user_id(evidence, row))?.locale.clone()
}

fn platform(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    evidence.question.sources.declared.users().get(user_id(evidence, row))?.platform.clone()
}

fn time_zone(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    let declared = evidence.question.sources.declared;
    let zone = declared.zone_of(user_id(evidence, row))?;
    Some(declared.zones().zone(zone).name().to_string())
}

fn campaign(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    evidence.examples.moment(row).campaign.clone()
}

fn category(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    let sources = evidence.question.sources;
    let content = evidence.examples.rows[row].content?;
    let id = &sources.timeline.contents()[content as usize];
    sources.catalogue.contents.get(id)?.category.clone()
}

fn weekday(evidence: &Evidence<'_>, row: usize) -> Option<String> {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let zone = Zone::find(evidence.question.sources.default_time_zone).ok()?;
    let hour_of_week = zone.local_hour(evidence.examples.moment(row).at).hour_of_week();
    Some(DAYS[hour_of_week / 24 % 7].to_string())
}
