//! `smartpush segment lookalike`: who is like the members of a seed, how sure that is, and what sets them apart.

mod report;

use std::path::PathBuf;

use super::super::output::{print_json, print_lines};
use super::super::{Context, Failure};
use super::selection::{ViewArguments, written};
use files::workspace::Workspace;
use operations::segments::lookalike::{LookalikeRequest, LookalikeSeed, NotKnown, ReachLimit, lookalike};

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
    seed: SeedArguments,
    /// Leave out what this field says; may be repeated, or several with commas between
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Take so many of the most similar, or a share of those who are not in the seed: 100 or 5%
    #[arg(long, value_name = "N|P%", conflicts_with = "similarity", value_parser = parse_reach)]
    reach: Option<ReachLimit>,
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
    view: ViewArguments,
}

/// Who is in the seed.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct SeedArguments {
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

fn parse_reach(text: &str) -> Result<ReachLimit, String> {
    let wanted =
        || "a reach is a number of people, or a share above 0% and up to 100%: 100, 2.5%".to_string();
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.parse().map_err(|_| wanted())?;
            let is_share = percent > 0.0 && percent <= 100.0;
            if is_share { Ok(ReachLimit::Share(percent / 100.0)) } else { Err(wanted()) }
        }
        None => text.parse().ok().filter(|people| *people > 0).map(ReachLimit::People).ok_or_else(wanted),
    }
}

fn parse_similarity(text: &str) -> Result<f64, String> {
    let similarity = text.parse().ok().filter(|similarity| (0.0..=1.0).contains(similarity));
    similarity.ok_or_else(|| "a similarity lies between 0 and 1".to_string())
}

impl SeedArguments {
    fn seed(&self) -> Result<LookalikeSeed, Failure> {
        match (&self.segment, &self.condition, &self.file) {
            (Some(id), _, _) => Ok(LookalikeSeed::Segment(id.clone())),
            (None, Some(condition), _) => Ok(LookalikeSeed::Written(written(condition)?)),
            (None, None, file) => Ok(LookalikeSeed::File(file.clone().unwrap_or_default())),
        }
    }
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &LookalikeArguments,
) -> Result<(), Failure> {
    let asking = arguments.view.asking(context)?;
    let request = LookalikeRequest {
        seed: arguments.seed.seed()?,
        without: arguments.without.clone(),
        reach: arguments.reach,
        similarity: arguments.similarity,
        save: arguments.save.clone(),
        rows: arguments.rows.clone(),
    };
    let found = context.operate(workspace, |context| lookalike(context, asking, &request));
    let not_known = match &found {
        Ok(found) => found.learned.not_known.as_ref(),
        Err(error) => error.not_known(),
    };
    if let Some(NotKnown { unknown, read, file }) = not_known {
        eprintln!("warning: no profile has {unknown} of {read} users of {}", file.display());
    }
    let found = found?;
    if found.is_chance() {
        eprintln!(
            "warning: the 95 % interval of the AUC includes 0.5: nothing shows that the seed differs from others"
        );
    }
    match context.json {
        true => print_json(&report::for_machines(&found)),
        false => print_lines(&report::for_people(&found)),
    }
    Ok(())
}
