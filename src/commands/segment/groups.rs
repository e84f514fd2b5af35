//! `smartpush segment groups`: people of like rhythm, named by when they come more than others do.

use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::{print_json, print_lines, table};
use super::Desk;
use super::count::told;
use super::selection::View;
use curves::named_rhythms::{LEAST_EVIDENCE, NamedRhythms, Stability, stability, weeks};
use domain::rhythm::Rhythm;
use domain::time::hour_of_week_name;
use segments::answers::privacy::{Reader, Shown};
use segments::language::keys::Needs;
use segments::people::People;

/// Draws of the users whose groups are compared.
const DRAWS: u64 = 5;

pub(super) fn run(desk: &Desk, view: &View) -> Result<(), Failure> {
    let (as_of, reader) = (desk.moment(view)?, desk.reader(view));
    let people = People::read(desk.workspace, Some(as_of), &Needs::default(), &desk.zone)?;
    let population = desk.population(as_of)?;
    let weeks = weeks(&population.histories);
    let rhythms = NamedRhythms::learn(&weeks);
    let mut counts = [0; Rhythm::ALL.len()];
    for (id, week) in population.ids.iter().zip(&weeks) {
        let rhythm = rhythms.rhythm_of(week).filter(|_| people.row_of(id).is_some());
        rhythm.into_iter().for_each(|rhythm| counts[rhythm as usize] += 1);
    }
    let unknown = people.len() as u64 - counts.iter().sum::<u64>();
    let listing = Listing { rhythms, shown: reader.show_parts(&[&counts[..], &[unknown]].concat()), reader };
    let stability = stability(&weeks, DRAWS);
    if desk.context.json {
        let mut report = listing.for_machines();
        report["as_of"] = json!(as_of);
        report["users"] = json!(reader.show(people.len() as u64));
        report["stability"] =
            json!({ "draws": stability.draws, "adjusted_rand": stability.mean, "least": stability.least });
        print_json(&report);
    } else {
        let users = told(reader.show(people.len() as u64));
        let mut lines = vec![format!("rhythm groups of {users} users as of {as_of}")];
        lines.extend(listing.for_people(&stability));
        print_lines(&lines);
    }
    Ok(())
}

/// Groups and how many are in each, as the reader may see it; last, how many are in none.
struct Listing {
    rhythms: NamedRhythms,
    shown: Vec<Shown>,
    reader: Reader,
}

impl Listing {
    fn for_machines(&self) -> Value {
        let group = |(rhythm, members): (Rhythm, &Shown)| {
            let peak = self.rhythms.peak(rhythm);
            json!({
                "rhythm_group": rhythm.as_str(), "members": members,
                "peak_hour_of_week": peak.hour_of_week, "times_as_often_as_everybody": peak.times,
            })
        };
        let groups = Rhythm::ALL.into_iter().zip(&self.shown).map(group);
        let mut report = json!({ "groups": groups.collect::<Vec<Value>>(), "unknown": self.shown.last() });
        if let Reader::Marketer { threshold } = self.reader {
            report["hidden_below"] = json!(threshold);
        }
        report
    }

    fn for_people(&self, stability: &Stability) -> Vec<String> {
        let mut rows = vec![["rhythm group", "members", "peak", "× everybody"].map(str::to_string).to_vec()];
        for (rhythm, members) in Rhythm::ALL.into_iter().zip(&self.shown) {
            let peak = self.rhythms.peak(rhythm);
            let (hour, times) = (hour_of_week_name(peak.hour_of_week), format!("{:.1}", peak.times));
            rows.push(vec![rhythm.as_str().to_string(), told(*members), hour, times]);
        }
        let unknown = self.shown.last().map_or_else(String::new, |count| told(*count));
        rows.push(vec!["unknown".to_string(), unknown]);
        let mut lines = table(&rows);
        lines.push(format!("  unknown: fewer than {LEAST_EVIDENCE} active hours, older ones counting less"));
        lines.push(format!(
            "  learned from {} draws of the users, groups agree with an adjusted Rand index of {:.2} (least {:.2})",
            stability.draws, stability.mean, stability.least
        ));
        lines
    }
}
