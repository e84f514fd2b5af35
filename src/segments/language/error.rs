//! What is wrong with a segment: a stable code, words for people, where it is, and what was probably meant.

use std::fmt;
use std::ops::Range;

use super::event_selection::EventField;
use super::expression::Expression;
use super::pointers::pointer;
use crate::names::NameKind;
use domain::error::{Coded, ErrorKind};

/// Longest text of a segment in bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;
/// Most levels of groups, `not` and parentheses inside each other.
pub const MOST_LEVELS: usize = 32;
/// Most groups, negations and conditions of an expression, those of segments it names included.
pub const MOST_NODES: usize = 2_000;
/// Most values of one list.
pub const MOST_VALUES: usize = 1_000;
/// Most tests of an event in one selection.
pub const MOST_FILTERS: usize = 16;
/// Longest text that a condition compares with, in bytes.
pub const LONGEST_VALUE: usize = 1_024;

/// Bytes of a text that an error is about.
pub type Span = Range<usize>;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ErrorCause {
    /// A character that no word or sign begins with.
    #[error("unexpected_character: {0}")]
    UnexpectedCharacter(String),
    /// A text without its closing quote, or with a character that must be escaped.
    #[error("bad_text: {0}")]
    BadText(String),
    /// Neither a number nor a length of time, a date or a moment.
    #[error("bad_number: {0}")]
    BadNumber(String),
    /// A date that is in no calendar, or a moment that cannot be read.
    #[error("no_such_moment: {0}")]
    NoSuchMoment(String),
    /// Something else should stand here.
    #[error("unexpected: {found} stands where {wanted} should")]
    Unexpected {
        /// What would be right.
        wanted: String,
        /// What is there.
        found: String,
    },
    /// Too large to be looked at.
    #[error("too_large: {0}")]
    TooLarge(String),
    /// A group of nothing.
    #[error("empty_group: `{0}` needs at least one condition")]
    EmptyGroup(&'static str),
    /// A list of nothing.
    #[error("empty_list: `in` needs at least one value")]
    EmptyList,
    /// Between two values of which the first is the larger.
    #[error("empty_range: nothing lies between {0} and {1}")]
    EmptyRange(String, String),
    /// A field that the catalogue does not have.
    #[error("unknown_field: there is no field {0:?}")]
    UnknownField(String),
    /// A function that the language does not have.
    #[error("unknown_function: there is no {0:?} that takes an argument")]
    UnknownFunction(String),
    /// A function's argument that cannot be.
    #[error("bad_argument: {0}")]
    BadArgument(String),
    /// A goal that nobody declared, or that is not about users alone.
    #[error("unknown_goal: there is no goal {0:?} about users")]
    UnknownGoal(String),
    /// A word outside a closed set.
    #[error("unknown_value: {field} is never {value:?}; it is one of {known}")]
    UnknownValue {
        /// The field.
        field: String,
        /// The word.
        value: String,
        /// What it may be.
        known: String,
    },
    /// A name that nothing in the workspace has.
    #[error("{}: {}", .kind.code(), .kind.sentence(.name, .known))]
    UnknownName {
        /// Of what.
        kind: NameKind,
        /// The name.
        name: String,
        /// The known ones of the kind, or some of them.
        known: String,
    },
    /// Events are not asked for this.
    #[error("unknown_event_field: events are not selected by {0:?}, but by {fields}", fields = event_fields())]
    UnknownEventField(String),
    /// The subject cannot be asked this.
    #[error("wrong_type: {0}")]
    WrongType(String),
    /// A segment that nobody saved.
    #[error("unknown_segment: there is no segment {0:?}")]
    UnknownSegment(String),
    /// A saved segment with a file that cannot be read.
    #[error("bad_segment_file: segment {segment:?} cannot be read: {why}")]
    DamagedSegment {
        /// Its id.
        segment: String,
        /// Which file, and what is wrong with it.
        why: String,
    },
    /// A segment that contains itself.
    #[error("segment_cycle: a segment cannot contain itself: {0}")]
    SegmentCycle(String),
    /// An error of a segment that this one names.
    #[error("bad_segment: segment {segment:?} is wrong itself: {cause}")]
    BadSegment {
        /// Its id.
        segment: String,
        /// What is wrong with it.
        cause: Box<ErrorCause>,
    },
    /// JSON that is no expression.
    #[error("bad_json: {0}")]
    BadJson(String),
}

impl Coded for ErrorCause {
    fn code(&self) -> &'static str {
        match self {
            ErrorCause::UnexpectedCharacter(_) => "unexpected_character",
            ErrorCause::BadText(_) => "bad_text",
            ErrorCause::BadNumber(_) => "bad_number",
            ErrorCause::NoSuchMoment(_) => "no_such_moment",
            ErrorCause::Unexpected { .. } => "unexpected",
            ErrorCause::TooLarge(_) => "too_large",
            ErrorCause::EmptyGroup(_) => "empty_group",
            ErrorCause::EmptyList => "empty_list",
            ErrorCause::EmptyRange(..) => "empty_range",
            ErrorCause::UnknownField(_) => "unknown_field",
            ErrorCause::UnknownFunction(_) => "unknown_function",
            ErrorCause::BadArgument(_) => "bad_argument",
            ErrorCause::UnknownGoal(_) => "unknown_goal",
            ErrorCause::UnknownValue { .. } => "unknown_value",
            ErrorCause::UnknownName { kind, .. } => kind.code(),
            ErrorCause::UnknownEventField(_) => "unknown_event_field",
            ErrorCause::WrongType(_) => "wrong_type",
            ErrorCause::UnknownSegment(_) => "unknown_segment",
            ErrorCause::DamagedSegment { .. } => "bad_segment_file",
            ErrorCause::SegmentCycle(_) => "segment_cycle",
            ErrorCause::BadSegment { .. } => "bad_segment",
            ErrorCause::BadJson(_) => "bad_json",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ErrorCause::UnexpectedCharacter(_)
            | ErrorCause::BadText(_)
            | ErrorCause::BadNumber(_)
            | ErrorCause::NoSuchMoment(_)
            | ErrorCause::Unexpected { .. }
            | ErrorCause::TooLarge(_)
            | ErrorCause::EmptyGroup(_)
            | ErrorCause::EmptyList
            | ErrorCause::EmptyRange(..)
            | ErrorCause::UnknownField(_)
            | ErrorCause::UnknownFunction(_)
            | ErrorCause::BadArgument(_)
            | ErrorCause::UnknownGoal(_)
            | ErrorCause::UnknownValue { .. }
            | ErrorCause::UnknownName { .. }
            | ErrorCause::UnknownEventField(_)
            | ErrorCause::WrongType(_)
            | ErrorCause::UnknownSegment(_)
            | ErrorCause::SegmentCycle(_)
            | ErrorCause::BadJson(_) => ErrorKind::Caller,
            ErrorCause::BadSegment { cause, .. } => cause.kind(),
            ErrorCause::DamagedSegment { .. } => ErrorKind::Conflict,
        }
    }
}

impl ErrorCause {
    /// Is it about a file of a saved segment, and not about what was written?
    pub fn is_damage(&self) -> bool {
        match self {
            ErrorCause::DamagedSegment { .. } => true,
            ErrorCause::BadSegment { cause, .. } => cause.is_damage(),
            _ => false,
        }
    }
}

/// An error and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentError {
    /// What is wrong.
    pub cause: Box<ErrorCause>,
    /// What was probably meant, to replace the text of the span.
    pub suggestion: Option<String>,
    /// JSON pointer into the expression; of a text that cannot be read, empty.
    pub pointer: String,
    /// Bytes of the text; none when the expression came as JSON.
    pub span: Option<Span>,
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SegmentError {}

impl Coded for SegmentError {
    fn code(&self) -> &'static str {
        self.cause.code()
    }

    fn kind(&self) -> ErrorKind {
        self.cause.kind()
    }
}

/// Where a text goes wrong, as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Character in it.
    pub column: usize,
}

impl SegmentError {
    /// An error of a text.
    pub fn at(cause: ErrorCause, span: Span) -> SegmentError {
        SegmentError { cause: Box::new(cause), suggestion: None, pointer: String::new(), span: Some(span) }
    }

    /// The same, with what was probably meant.
    pub fn meant(mut self, suggestion: impl Into<String>) -> SegmentError {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Line and column in the text that the expression was read from.
    pub fn position(&self, text: &str) -> Option<Position> {
        let before = text.get(..self.span.as_ref()?.start)?;
        let line = before.rsplit('\n').next().unwrap_or_default();
        Some(Position { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 })
    }

    /// The error above the line of the text that it is about, its span marked by carets.
    pub fn render(&self, text: &str) -> String {
        let (Some(span), Some(position)) = (&self.span, self.position(text)) else {
            let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
            return format!("{self}\n  at {pointer}");
        };
        let line: Vec<char> = text.lines().nth(position.line - 1).unwrap_or_default().chars().collect();
        let start = position.column - 1;
        let length =
            text.get(span.clone()).map_or(1, |text| text.lines().next().map_or(1, |t| t.chars().count()));
        let from = start.saturating_sub(40);
        let until = (start + 60).min(line.len()).max(from);
        let shown: String = line[from.min(line.len())..until].iter().map(|c| visible(*c)).collect();
        let carets = length.clamp(1, (until.saturating_sub(start)).max(1));
        format!(
            "{self}\n  line {}, column {}\n  {shown}\n  {}{}",
            position.line,
            position.column,
            " ".repeat(start - from),
            "^".repeat(carets)
        )
    }
}

/// One column wide on a terminal, and nothing that could move its cursor or turn its text round.
fn visible(character: char) -> char {
    let is_plain = character.escape_debug().len() == 1 || matches!(character, '"' | '\'' | '\\');
    match character {
        '\t' => ' ',
        plain if is_plain => plain,
        _ => '\u{fffd}',
    }
}

/// A path into an expression: the index of each child from the root on.
///
/// Children of a group are its members, of `not` what it negates, of a condition its subject (0) and its values (from 1), of
/// a subject that selects events their name (0) and the tests (from 1), of such a test its field (0) and its values (from 1).
pub type NodePath = Vec<usize>;

/// An error at a node of an expression, before it is known whether that was text or JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// What is wrong.
    pub cause: ErrorCause,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// Where.
    pub path: NodePath,
}

impl Located {
    /// The error about this expression; `spans` when it came from text.
    pub fn within(self, expression: &Expression, spans: Option<&SpanTree>) -> SegmentError {
        SegmentError {
            pointer: pointer(expression, &self.path),
            span: spans.map(|spans| spans.at(&self.path)),
            cause: Box::new(self.cause),
            suggestion: self.suggestion,
        }
    }
}

/// Where each node of an expression stood in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanTree {
    /// Of the node.
    pub span: Span,
    /// Of its children.
    pub children: Vec<SpanTree>,
}

impl SpanTree {
    /// Of a node without children.
    pub fn leaf(span: Span) -> SpanTree {
        SpanTree { span, children: Vec::new() }
    }

    /// Of the node at a path, or of the deepest one on the way there.
    pub fn at(&self, path: &[usize]) -> Span {
        let mut node = self;
        for index in path {
            match node.children.get(*index) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.span.clone()
    }
}

fn event_fields() -> String {
    EventField::ALL.map(EventField::as_str).join(", ")
}

/// An error at the node at which the compiler is, and what was probably meant.
pub(super) struct CompileError {
    pub(super) cause: ErrorCause,
    pub(super) suggestion: Option<String>,
}

impl From<ErrorCause> for CompileError {
    fn from(cause: ErrorCause) -> CompileError {
        CompileError { cause, suggestion: None }
    }
}

impl ErrorCause {
    /// With what was probably meant.
    pub(super) fn meant(self, suggestion: Option<impl Into<String>>) -> CompileError {
        CompileError { cause: self, suggestion: suggestion.map(Into::into) }
    }
}

impl CompileError {
    /// As seen from a segment that names the invalid one; cycles and sizes are errors of the whole.
    pub(super) fn within(self, segment: &str) -> CompileError {
        match self.cause {
            ErrorCause::SegmentCycle(_) | ErrorCause::TooLarge(_) | ErrorCause::BadSegment { .. } => self,
            cause => ErrorCause::BadSegment { segment: segment.to_string(), cause: Box::new(cause) }.into(),
        }
    }
}
