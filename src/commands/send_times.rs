//! `smartpush send-times`: every user's curve as a file.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::output::{print_json, print_lines, progress_bar, thousands, warn_of_zones};
use super::{Context, Failure};
use curves::SendTimeModel;
use curves::export::{CurveFrames, Layout};
use curves::population::{Cut, Population};
use files::tables::{self, TableError};
use profiles::declared::Declared;

/// Write every user's send-time curve, learned from events before T
///
/// Users with an event before T; one who has not been active yet is taken for the mean of his zone and platform.
/// One row for each of the 168 hours of the week on the user's own clock (0 = Monday 00:00): probability with its
/// interval (90 % unless send_time.interval is set), evidence (effective active hours), shrinkage, and the level that
/// speaks most.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush send-times --as-of 2017-12-01T05:00:00Z --out curves.parquet
  smartpush send-times --out best-hours.csv --layout best")]
pub(super) struct SendTimesArguments {
    /// Learn from events before this moment only
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// File to write; .parquet, .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// long: a row an hour · best: a row a user · wide: a row a user, a column an hour
    #[arg(long, value_enum, default_value = "long")]
    layout: LayoutArgument,
}

#[derive(Clone, Copy, ValueEnum)]
enum LayoutArgument {
    Long,
    Best,
    Wide,
}

impl From<LayoutArgument> for Layout {
    fn from(layout: LayoutArgument) -> Layout {
        match layout {
            LayoutArgument::Long => Layout::Long,
            LayoutArgument::Best => Layout::Best,
            LayoutArgument::Wide => Layout::Wide,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &SendTimesArguments) -> Result<(), Failure> {
    tables::check_extension(&arguments.out)?;
    let workspace = context.open()?;
    if workspace.owns(&arguments.out) {
        let place = arguments.out.display();
        let message = format!("{place}: the workspace keeps its own tables there");
        return Err(Failure::caller("bad_out", message));
    }
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(arguments.as_of.as_deref(), &lake)?;
    let declared = Declared::read(&workspace, &context.config.default_time_zone)?;
    let bar = progress_bar();
    bar.set_message("reading activity");
    let show = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let population = Population::read(&lake, &declared, Cut::At(as_of), &show)?;
    bar.set_message("learning curves");
    let model = SendTimeModel::fit(&population.histories, context.config.send_time.interval);
    bar.set_message("writing curves");
    let mut frames = CurveFrames::new(&model, &population, arguments.layout.into());
    let rows = tables::write_table(&arguments.out, || {
        let frame = frames.next_frame().map_err(TableError::parquet(Path::new("curves")))?;
        let (done, total) = frames.progress();
        show(done, total);
        Ok::<_, Failure>(frame)
    })?;
    bar.finish_and_clear();
    let users = population.ids.len() as u64;
    warn_of_zones(population.without_zone as u64, users, &context.config.default_time_zone);
    if context.json {
        print_json(&serde_json::json!({
            "as_of": as_of.to_string(), "users": users, "rows": rows, "path": arguments.out,
            "users_without_zone": population.without_zone, "learned": model.learned(),
        }));
    } else {
        let place = arguments.out.display();
        print_lines(&[format!("{} curves as of {as_of} in {place}", thousands(users))]);
    }
    Ok(())
}
