//! Why a record was not taken: one stable snake_case code for each cause.

use std::fmt;

/// The cause of a rejected record. The code is part of the contract; the detail is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectionCode {
    /// A required field is empty.
    MissingValue,
    /// An identifier is too long or holds control characters.
    BadId,
    /// A stamp cannot be read.
    BadTimestamp,
    /// A stamp without offset or zone, and no `--time-zone` says how to read it.
    NaiveTimestamp,
    /// A stamp before 1970, or a number too small to be one.
    TimestampOutOfRange,
    /// A stamp more than a day ahead of now.
    TimestampInFuture,
    /// A time zone that names none.
    UnknownTimeZone,
    /// Text where a number is wanted.
    BadNumber,
    /// NaN, an infinity, or a number too large to sum exactly.
    NonFiniteValue,
    /// A value outside its closed set or form.
    BadValue,
    /// A value that is understood and that nothing obeys yet.
    NotSupported,
    /// Variants of a content that are not variants.
    BadVariants,
    /// A text of a content with a placeholder that is not valid.
    BadTemplate,
    /// A campaign names a content that is not declared, or has no text.
    UnknownContent,
    /// The same message_id came before with other content.
    MessageIdConflict,
    /// A record over the size limit.
    RecordTooLarge,
    /// Bytes that are not UTF-8.
    BadUtf8,
    /// A line that is not one JSON object.
    BadJson,
    /// A CSV record with more or fewer fields than the header.
    WrongFieldCount,
    /// A record of a user who was erased.
    ErasedUser,
}

impl RejectionCode {
    /// The stable code, shared by dead letters, summaries and exit texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            RejectionCode::MissingValue => "missing_value",
            RejectionCode::BadId => "bad_id",
            RejectionCode::BadTimestamp => "bad_timestamp",
            RejectionCode::NaiveTimestamp => "naive_timestamp",
            RejectionCode::TimestampOutOfRange => "timestamp_out_of_range",
            RejectionCode::TimestampInFuture => "timestamp_in_future",
            RejectionCode::UnknownTimeZone => "unknown_time_zone",
            RejectionCode::BadNumber => "bad_number",
            RejectionCode::NonFiniteValue => "non_finite_value",
            RejectionCode::BadValue => "bad_value",
            RejectionCode::NotSupported => "not_supported",
            RejectionCode::BadVariants => "bad_variants",
            RejectionCode::BadTemplate => "bad_template",
            RejectionCode::UnknownContent => "unknown_content",
            RejectionCode::MessageIdConflict => "message_id_conflict",
            RejectionCode::RecordTooLarge => "record_too_large",
            RejectionCode::BadUtf8 => "bad_utf8",
            RejectionCode::BadJson => "bad_json",
            RejectionCode::WrongFieldCount => "wrong_field_count",
            RejectionCode::ErasedUser => "erased_user",
        }
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rejected record's cause with the words that say where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Stable code.
    pub code: RejectionCode,
    /// What was wrong and where, for people.
    pub detail: String,
}

impl Rejection {
    /// A rejection with its detail.
    pub fn new(code: RejectionCode, detail: impl Into<String>) -> Self {
        Rejection { code, detail: detail.into() }
    }
}
