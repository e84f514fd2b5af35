//! Why an ingest is no success although what could be taken was taken.

use domain::error::{Coded, ErrorKind};
use domain::text::thousands;
use events::request::IngestSummary;

/// Files, or too many records, that were not taken. What was accepted is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IngestRefusal {
    /// Files of which nothing was kept; the others were taken.
    #[error("{code}: {refused} of {files} files refused; nothing of them was kept{}", others(*.refused, *.files))]
    Files {
        /// Code of the first one's error.
        code: &'static str,
        /// How many were refused …
        refused: usize,
        /// … of how many.
        files: usize,
    },
    /// Records of which none was accepted and none was known.
    #[error("nothing_taken: {of}: every record was rejected; {}", first_of(.first))]
    Nothing {
        /// The files.
        of: String,
        /// The first rejected record.
        first: String,
    },
    /// More records were rejected than may be.
    #[error(
        "too_many_rejected: {} of {} records ({:.1} %) were rejected, more than {:.1} % (--most-rejected); what was accepted is \
         kept; {}",
        thousands(*.rejected), thousands(*.read), share(*.rejected, *.read), .most * 100.0, first_of(.first)
    )]
    TooMany {
        /// Rejected records.
        rejected: u64,
        /// Records in the files.
        read: u64,
        /// The share that may be.
        most: f64,
        /// The first rejected record.
        first: String,
    },
}

fn others(refused: usize, files: usize) -> &'static str {
    if refused < files { ", the others were" } else { "" }
}

fn first_of(first: &str) -> String {
    if first.is_empty() { "see the dead letters".to_string() } else { format!("the first: {first}") }
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64 * 100.0
}

impl IngestRefusal {
    /// The refusal of an ingest of so many files, if there is a reason for one.
    pub(super) fn of(summary: &IngestSummary, files: usize, most: f64) -> Option<IngestRefusal> {
        if let Some(error) = summary.refused.first() {
            return Some(IngestRefusal::Files { code: error.code(), refused: summary.refused.len(), files });
        }
        let first = summary.examples.values().next().cloned().unwrap_or_default();
        let (rejected, read) = (summary.defective(), summary.read);
        // Records of users who were erased are no defect, but a file of nothing else was not taken either.
        let is_nothing = read > 0 && summary.rejected == read;
        if is_nothing || !summary.wholly_rejected.is_empty() {
            let of = match summary.wholly_rejected.is_empty() {
                true => "all files".to_string(),
                false => summary.wholly_rejected.join(", "),
            };
            return Some(IngestRefusal::Nothing { of, first });
        }
        let is_too_many = rejected as f64 > most * read as f64;
        is_too_many.then_some(IngestRefusal::TooMany { rejected, read, most, first })
    }
}

impl Coded for IngestRefusal {
    fn code(&self) -> &'static str {
        match self {
            IngestRefusal::Files { code, .. } => code,
            IngestRefusal::Nothing { .. } => "nothing_taken",
            IngestRefusal::TooMany { .. } => "too_many_rejected",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            IngestRefusal::Files { .. } | IngestRefusal::Nothing { .. } => ErrorKind::Caller,
            IngestRefusal::TooMany { .. } => ErrorKind::Refused,
        }
    }
}
