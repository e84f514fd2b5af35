//! A plan on record: its decisions in the log, its pushes for the hand-off, and who was in which audience.

use std::ops::Range;
use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame};

use super::decided::DecisionSink;
use super::handoff::HandoffRow;
use domain::identity::sha256_hex;
use files::tables::{self, TableError};
use parallel::in_chunks_on;
use store::batch_log::{BatchLog, frame_of};
use store::decision_log::{LogError, Record};

/// Records of one compressed frame.
const FRAME: usize = 256;

/// Takes every decision of a plan down.
#[derive(Debug)]
pub struct Recorder {
    log: BatchLog,
    log_directory: PathBuf,
    threads: usize,
    shards: u32,
    rows: Vec<HandoffRow>,
    decisions: u64,
    /// For each campaign the members of its audience, in order.
    members: Vec<Vec<String>>,
}

/// A plan that was taken down.
#[derive(Debug)]
pub struct Recorded {
    /// The pushes to hand off.
    pub rows: Vec<HandoffRow>,
    /// The log file.
    pub log: PathBuf,
    /// Decisions in it.
    pub decisions: u64,
    /// For each campaign the members of its audience, in order.
    pub members: Vec<Vec<String>>,
}

impl Recorder {
    /// Begins a plan's log file in the directory of the decision log.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn begin(
        log_directory: &Path,
        plan_id: &str,
        campaigns: usize,
        shards: u32,
        threads: usize,
    ) -> Result<Recorder, LogError> {
        Ok(Recorder {
            log: BatchLog::create(log_directory, plan_id)?,
            log_directory: log_directory.to_path_buf(),
            threads,
            shards,
            rows: Vec::new(),
            decisions: 0,
            members: vec![Vec::new(); campaigns],
        })
    }

    /// Gives the log file its name.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn finish(self) -> Result<Recorded, LogError> {
        let Recorder { log, rows, decisions, members, .. } = self;
        Ok(Recorded { rows, log: log.finish()?, decisions, members })
    }
}

impl DecisionSink for Recorder {
    type Error = LogError;

    fn take(&mut self, records: Vec<(usize, Record)>) -> Result<(), LogError> {
        let frame = |part: Range<usize>| {
            frame_of(&self.log_directory, records[part].iter().map(|(_, record)| record))
        };
        for frame in in_chunks_on(self.threads, records.len(), FRAME, frame) {
            self.log.append(&frame?)?;
        }
        self.decisions += records.len() as u64;
        for (campaign, record) in records {
            self.rows.extend(HandoffRow::of(&record.decision, &record.context, self.shards));
            self.members[campaign].push(record.decision.user_id);
        }
        Ok(())
    }
}

/// The version of an audience: equal members, equal version.
pub fn version_of(members: &[String]) -> String {
    sha256_hex(members.join("\n").as_bytes())[..12].to_string()
}

/// The members of one campaign's audience.
#[derive(Clone, Copy, Debug)]
pub struct PlannedAudience<'a> {
    /// The campaign.
    pub campaign_id: &'a str,
    /// The segment that it is for and its version; `None`: everybody.
    pub segment: Option<(&'a str, &'a str)>,
    /// Ids, in order.
    pub members: &'a [String],
}

/// Writes who was in which audience: campaign_id, user_id, segment_id, segment_version.
///
/// # Errors
/// When the file cannot be written.
pub fn write_audience<'a>(
    path: &Path,
    audiences: impl Iterator<Item = PlannedAudience<'a>>,
) -> Result<(), TableError> {
    let (mut campaigns, mut users): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut segments, mut versions): (Vec<Option<&str>>, Vec<Option<&str>>) = (Vec::new(), Vec::new());
    for PlannedAudience { campaign_id, segment, members } in audiences {
        users.extend(members.iter().map(String::as_str));
        campaigns.resize(users.len(), campaign_id);
        segments.resize(users.len(), segment.map(|(segment, _)| segment));
        versions.resize(users.len(), segment.map(|(_, version)| version));
    }
    let columns = vec![
        Column::new("campaign_id".into(), &campaigns),
        Column::new("user_id".into(), &users),
        Column::new("segment_id".into(), &segments),
        Column::new("segment_version".into(), &versions),
    ];
    let mut frame = DataFrame::new(users.len(), columns).map_err(TableError::parquet(path))?;
    tables::write_parquet(path, &mut frame).map(|_| ())
}
