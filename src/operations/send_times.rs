//! Writes every user's send-time curve, learned from events before a moment.

use std::path::{Path, PathBuf};

use super::context::{Context, ContextError};
use curves::export::{CurveFrames, Layout};
use curves::population::{Cut, Population};
use curves::{LearnedConstants, SendTimeModel};
use domain::time::Instant;
use files::tables::{self, TableError};
use profiles::declared::Declared;

/// Which curves, and where the file goes.
#[derive(Clone, Debug)]
pub struct SendTimesRequest {
    /// Events before this moment count; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// How the file is laid out.
    pub layout: Layout,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct SendTimesReport {
    /// The moment.
    pub as_of: Instant,
    /// Users with a curve.
    pub users: u64,
    /// Users without a time zone of their own.
    pub users_without_zone: u64,
    /// Rows of the file.
    pub rows: u64,
    /// What the curves have in common.
    pub learned: LearnedConstants,
}

/// Fits the curves and writes those of all users with an event before the moment.
///
/// # Errors
/// When there is no event before the moment, or a file cannot be read or written.
pub fn send_times(
    context: &Context<'_>,
    request: &SendTimesRequest,
) -> Result<SendTimesReport, ContextError> {
    context.check_out(&request.out)?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let declared = Declared::read(context.workspace, &context.config.default_time_zone)?;
    let watch = context.counting();
    context.progress.step("reading activity");
    let population = Population::read(&lake, &declared, Cut::At(as_of), &watch)?;
    context.progress.step("learning curves");
    let model = SendTimeModel::fit(&population.histories, context.config.send_time.interval);
    context.progress.step("writing curves");
    let mut frames = CurveFrames::new(&model, &population, request.layout);
    let rows = tables::write_table(&request.out, || {
        let frame = frames.next_frame().map_err(TableError::parquet(Path::new("curves")))?;
        let (done, total) = frames.progress();
        watch(done, total);
        Ok::<_, TableError>(frame)
    })?;
    Ok(SendTimesReport {
        as_of,
        users: population.ids.len() as u64,
        users_without_zone: population.without_zone as u64,
        rows,
        learned: *model.learned(),
    })
}
