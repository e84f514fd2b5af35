//! `smartpush segment lookalike`: who is like the members of a seed, how sure that is, and what sets them apart.

mod report;

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::Failure;
use super::super::evaluate_policy::Scratch;
use super::Desk;
use super::selection::View;
use super::upload::limits;
use domain::time::Instant;
use files::tables;
use models::lookalike::LookAlike;
use report::Report;
use segments::answers::desk::Asked;
use segments::answers::lookalike::{
    Input, defining, eligible, first_needed, frame_of, inputs, name_of, then_needed,
};
use segments::answers::privacy::{PrivacyError, Reader};
use segments::language::expression::Expression;
use segments::language::keys::{Key, Needs, needs};
use segments::language::predicate::Predicate;
use segments::people::People;
use segments::saved::upload::read;

/// Shares of the others that the curve shows.
const SHARES: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/// Find people who are like the members of a seed: another segment, a condition, or a list of users
///
/// A model learns to tell the seed from everybody else by what profiles and attributes say, and is judged on people it did not
/// learn from: by the area under the curve (AUC: 0.5 is chance, 1 is perfect), and by how many of the seed each reach would have
/// found. A seed that is defined by a field is told by that field: --without leaves it out. People whose personalisation is off
/// are not looked at.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush segment lookalike --seed ready:champions
  smartpush segment lookalike --where 'count(\"purchase\", 30d) >= 60' --without purchases_30d --reach 5%
  smartpush segment lookalike --file vips.csv --reach 100 --save like-vips")]
pub(super) struct LookalikeArguments {
    #[command(flatten)]
    seed: Seed,
    /// Leave out what this field says; may be repeated, or several with commas between
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Take so many of the most similar, or a share of those who are not in the seed: 100 or 5%
    #[arg(long, value_name = "N|P%", conflicts_with = "similarity", value_parser = parse_reach)]
    reach: Option<Reached>,
    /// Take whoever is at least so similar
    #[arg(long, value_name = "P", value_parser = parse_similarity)]
    similarity: Option<f64>,
    /// Save whom that takes, without the seed, as a list under this id
    #[arg(long, value_name = "ID")]
    save: Option<String>,
    /// Write what the model read, with folds and similarities: one row a person (.csv, .jsonl, .parquet)
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    #[command(flatten)]
    view: View,
}

/// Who is in the seed.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Seed {
    /// A saved or ready-made segment
    #[arg(long = "seed", value_name = "SEGMENT")]
    segment: Option<String>,
    /// A segment as text or JSON, or a file that holds it
    #[arg(long = "where", value_name = "TEXT|FILE")]
    condition: Option<String>,
    /// A list of users: a file with a column user_id (CSV, JSON lines or Parquet, also gzipped)
    #[arg(long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
}

/// How many of the most similar are taken.
#[derive(Clone, Copy, Debug)]
enum Reached {
    People(usize),
    Share(f64),
}

fn parse_reach(text: &str) -> Result<Reached, String> {
    let wanted =
        || "a reach is a number of people, or a share above 0% and up to 100%: 100, 2.5%".to_string();
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.parse().map_err(|_| wanted())?;
            let is_share = percent > 0.0 && percent <= 100.0;
            if is_share { Ok(Reached::Share(percent / 100.0)) } else { Err(wanted()) }
        }
        None => text.parse().ok().filter(|people| *people > 0).map(Reached::People).ok_or_else(wanted),
    }
}

fn parse_similarity(text: &str) -> Result<f64, String> {
    let similarity = text.parse().ok().filter(|similarity| (0.0..=1.0).contains(similarity));
    similarity.ok_or_else(|| "a similarity lies between 0 and 1".to_string())
}

/// Everybody who may be looked at, as the model saw them.
struct Learned {
    as_of: Instant,
    /// The seed as it was asked for.
    seed: String,
    ids: Vec<String>,
    members: Vec<bool>,
    /// People who are left out since their personalisation is off.
    not_looked_at: usize,
    inputs: Vec<Input>,
    /// Inputs that the seed is defined by.
    defined_by: Vec<String>,
    /// Fields that were left out.
    without: Vec<String>,
    model: LookAlike,
}

pub(super) fn run(desk: &Desk, arguments: &LookalikeArguments) -> Result<(), Failure> {
    let reader = desk.reader(&arguments.view);
    check(desk, arguments, reader)?;
    let learned = learn(desk, arguments, reader)?;
    if let Some(path) = &arguments.rows {
        let frame = frame_of(&learned.ids, &learned.members, &learned.model, &learned.inputs)?;
        tables::write_frame(path, frame)?;
    }
    let taken = taken(&learned, arguments);
    let is_asked = arguments.reach.is_some() || arguments.similarity.is_some();
    let curve = learned.model.curve(&learned.members, &SHARES);
    let mut report =
        Report { learned: &learned, curve, taken: is_asked.then_some(&taken), reader, saved: None };
    if report.is_chance() {
        eprintln!(
            "warning: the 95 % interval of the AUC includes 0.5: nothing shows that the seed differs from others"
        );
    }
    if let Some(id) = &arguments.save {
        if taken.is_empty() {
            return Err(Failure::caller("nobody_reached", "nobody outside the seed is so similar"));
        }
        let lock = desk.workspace.lock()?;
        let (now, recipe) = (desk.context.now, report.recipe());
        report.saved = Some(desk.saved.save_list(id, &taken, Some(&recipe), now, &lock)?);
    }
    report.print(desk.context.json);
    Ok(())
}

/// What is wrong with the arguments, before any work.
fn check(desk: &Desk, arguments: &LookalikeArguments, reader: Reader) -> Result<(), Failure> {
    if arguments.save.is_some() && arguments.reach.is_none() && arguments.similarity.is_none() {
        let message = "--save takes whom --reach or --similarity takes; name one of them";
        return Err(Failure::caller("missing_reach", message));
    }
    match (&arguments.rows, reader) {
        (Some(_), Reader::Marketer { .. }) => Err(PrivacyError::NamesPeople.into()),
        (Some(path), Reader::DataTeam) => desk.context.check_out(desk.workspace, path),
        _ => Ok(()),
    }
}

fn learn(desk: &Desk, arguments: &LookalikeArguments, reader: Reader) -> Result<Learned, Failure> {
    let as_of = desk.moment(&arguments.view)?;
    let without = without(desk, arguments, as_of, reader)?;
    let asked = seed(desk, &arguments.seed, as_of)?;
    let evaluated =
        desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &first_needed(&desk.catalogue))?;
    let keys = then_needed(&evaluated.people)?;
    let people = evaluated.people.look_up(desk.workspace, &Needs { keys }, &desk.zone)?;
    let is_listed = listed(&arguments.seed, desk, &people)?;
    let mask = is_listed.unwrap_or_else(|| evaluated.masks[0].clone());
    let rows: Vec<usize> =
        (0..people.len()).zip(eligible(&people)?).filter(|row| row.1).map(|row| row.0).collect();
    let members: Vec<bool> = rows.iter().map(|row| mask[*row]).collect();
    reader.check_members(members.iter().filter(|member| **member).count() as u64)?;
    let inputs = inputs(&people, &rows, &members, &without);
    let ids: Vec<String> = rows.iter().filter_map(|row| people.ids().get(*row).map(str::to_string)).collect();
    let columns: Vec<&[f64]> = inputs.iter().map(|input| input.values.as_slice()).collect();
    let model = LookAlike::learn(&ids.iter().map(String::as_str).collect::<Vec<&str>>(), &columns, &members)?;
    let defining = defining(&needs(&asked.predicate).keys);
    let read: BTreeSet<&Key> = inputs.iter().map(|input| &input.key).collect();
    let defined_by = defining.iter().filter(|key| read.contains(key)).map(name_of).collect();
    let seed = described(&arguments.seed, &asked);
    let not_looked_at = people.len() - rows.len();
    let without = without.iter().map(name_of).collect();
    Ok(Learned { as_of, seed, ids, members, not_looked_at, inputs, defined_by, without, model })
}

/// What the model must not read.
fn without(
    desk: &Desk,
    arguments: &LookalikeArguments,
    as_of: Instant,
    reader: Reader,
) -> Result<BTreeSet<Key>, Failure> {
    Ok(arguments.without.iter().map(|field| desk.field(field, as_of, reader)).collect::<Result<_, _>>()?)
}

/// The seed as a segment; of a list, everybody, of whom the list then says who.
fn seed(desk: &Desk, seed: &Seed, as_of: Instant) -> Result<Asked, Failure> {
    match (&seed.segment, &seed.condition) {
        (Some(id), _) => Ok(desk.saved_one(id, as_of)?),
        (None, Some(condition)) => {
            let (expression, predicate) = desk.compiled(condition, as_of, None)?;
            Ok(Asked { card: None, expression, predicate })
        }
        (None, None) => {
            Ok(Asked { card: None, expression: Expression::Everybody, predicate: Predicate::Everybody })
        }
    }
}

fn described(seed: &Seed, asked: &Asked) -> String {
    match (&seed.file, &asked.card) {
        (Some(path), _) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        (None, Some(card)) => format!("{} version {}", card.segment_id, card.version),
        (None, None) => asked.expression.to_string(),
    }
}

/// Of a list, who is on it.
fn listed(seed: &Seed, desk: &Desk, people: &People) -> Result<Option<Vec<bool>>, Failure> {
    let Some(path) = &seed.file else { return Ok(None) };
    let scratch = Scratch::make()?;
    let upload = read(path, limits(desk), &scratch.0, |id| people.row_of(id).is_some())?;
    if upload.of_unknown > 0 {
        eprintln!(
            "warning: no profile has {} of {} users of {}",
            upload.of_unknown,
            upload.read,
            path.display()
        );
    }
    let is_listed = |id: Option<&str>| id.is_some_and(|id| upload.members.contains(id));
    Ok(Some(people.ids().iter().map(is_listed).collect()))
}

/// Ids of whom the arguments take, sorted: the most similar of those outside the seed, equals in the order of their ids.
fn taken(learned: &Learned, arguments: &LookalikeArguments) -> Vec<String> {
    let similarity = &learned.model.similarity;
    let mut others: Vec<usize> = (0..learned.ids.len()).filter(|row| !learned.members[*row]).collect();
    others.sort_by(|one, other| similarity[*other].total_cmp(&similarity[*one]));
    let most = match arguments.reach {
        Some(Reached::People(people)) => people,
        Some(Reached::Share(share)) => libm::round(share * others.len() as f64).max(1.0) as usize,
        None => others.len(),
    };
    let least = arguments.similarity.unwrap_or(0.0);
    others.truncate(most);
    others.retain(|row| similarity[*row] >= least);
    others.sort_unstable();
    others.into_iter().map(|row| learned.ids[row].clone()).collect()
}
