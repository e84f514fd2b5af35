//! `smartpush plan`: campaigns planned together for everybody, and handed off.

mod report;

use std::path::PathBuf;

use super::output::{print_json, print_lines};
use super::{Context, Failure};
use domain::time::Day;
use operations::plan::{CampaignChoice, PlanRequest, plan};

/// Plan campaigns together for everybody, and write what a sender needs
///
/// Picks content, channel and minute for every user and all campaigns at once, so that the sum of expected values is as
/// large as it can be made while every rule holds: consent, quiet hours, caps, gaps and frequency rules across campaigns,
/// vendors' quotas, campaign windows and max_sends, a campaign's throttle_per_minute, and what all campaigns share
/// (planning.throttle_per_minute, planning.most_per_hour). Two campaigns never spend one cap twice; the campaign's priority
/// weighs. The gap says how far the plan can lie below the best there is, at most.
///
/// --out NAME.parquet|.csv|.jsonl writes one hand-off file, sorted by minute and shard, and NAME.….manifest.json; a name
/// without an extension writes a directory minute=…/shard=….jsonl with _manifest.json, which comes last. Every decision, also
/// each that sends nothing, is in the decision log: `replay` makes it again. data/plans/ID/ keeps the report and who was in
/// which audience.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush plan --campaigns spring-sale,newsletter --out handoff.parquet
  smartpush plan --due 2018-01-01 --out handoff
  smartpush plan --campaigns spring-sale,newsletter --what-if cap=1/day --what-if quiet=21:00-09:00,without=newsletter
What-ifs are planned in full and shown beside the plan; nothing of them is logged or handed off. Without --out the plan itself
is only shown. Users who set a daily cap or quiet hours of their own keep them, whatever settings and what-ifs say; a campaign's
quiet hours also win over those of a what-if. \"Reach the goal\" counts users who do so anyway or because of the push; its bounds
hold 95 % of outcomes and what the model cannot know of its own level. What the push adds is known only from a holdout
(holdout_percent). Opt-outs rest on the setting decisions.opt_out_probability.

Without --as-of a plan is made as of now. One whose moment lies more than an hour back carries the warning stale_plan in the
report, in --json and in the manifest: its send_at and expires_at may have passed.")]
pub(super) struct PlanArguments {
    /// Campaigns to plan, separated by commas
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        required_unless_present = "due",
        conflicts_with = "due"
    )]
    campaigns: Vec<String>,
    /// Plan all campaigns that may send on this date of default_time_zone
    #[arg(long, value_name = "DATE")]
    due: Option<String>,
    /// Where the hand-off goes: a file (.parquet, .csv, .jsonl), or a directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan also under a change: cap=2/day, cap=5/week, quiet=22:00-08:00, quiet=none, without=CAMPAIGN; may be given several
    /// times
    #[arg(long, value_name = "CHANGE")]
    what_if: Vec<String>,
    /// The moment of the plan; events before it count [default: now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
}

impl PlanArguments {
    fn request(&self, context: &Context) -> Result<PlanRequest, Failure> {
        let campaigns = match &self.due {
            Some(text) => {
                let bad = || Failure::caller("bad_due", format!("{text:?} is no date (2018-01-01)"));
                CampaignChoice::Due(Day::parse(text).ok_or_else(bad)?)
            }
            None => CampaignChoice::Named(self.campaigns.iter().map(|id| id.trim().to_string()).collect()),
        };
        let as_of = context.given_moment(self.as_of.as_deref())?;
        Ok(PlanRequest { campaigns, out: self.out.clone(), what_if: self.what_if.clone(), as_of })
    }
}

pub(super) fn run(context: &Context, arguments: &PlanArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let request = arguments.request(context)?;
    let made = context.operate(&workspace, |context| plan(context, &request))?;
    match context.json {
        true => print_json(&made.to_json()),
        false => print_lines(&report::lines(&made)),
    }
    Ok(())
}
