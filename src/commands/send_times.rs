//! `smartpush send-times`: every user's curve as a file.

use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{print_json, print_lines, thousands, warn_of_zones};
use super::{Context, Failure};
use curves::export::Layout;
use files::tables::check_extension;
use operations::send_times::{SendTimesRequest, send_times};

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
    /// Learn from events before this moment only [default: 1 µs after the newest event, at most now]
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
    check_extension(&arguments.out)?;
    let workspace = context.open()?;
    let request = SendTimesRequest {
        as_of: context.given_moment(arguments.as_of.as_deref())?,
        layout: arguments.layout.into(),
        out: arguments.out.clone(),
    };
    let report = context.operate(&workspace, |operation| send_times(operation, &request))?;
    let (users, users_without_zone) = (report.users, report.users_without_zone);
    warn_of_zones(users_without_zone, users, &context.config.default_time_zone);
    if context.json {
        print_json(&serde_json::json!({
            "as_of": report.as_of.to_string(), "users": users, "rows": report.rows, "path": arguments.out,
            "users_without_zone": users_without_zone, "learned": report.learned,
        }));
    } else {
        let out = arguments.out.display();
        print_lines(&[format!("{} curves as of {} in {out}", thousands(users), report.as_of)]);
    }
    Ok(())
}
