//! What is wrong with a segment: a stable code, words for people, the place, and what was probably meant.

use std::fmt;
use std::ops::Range;

use super::expression::{Expression, Test};
use domain::error::{Coded, ErrorKind};

/// Longest text of a segment in bytes.
pub const LONGEST_TEXT: usize = 64 * 1024;
/// Most levels of groups, `not` and parentheses inside each other.
pub const MOST_LEVELS: usize = 32;
/// Most groups, negations and conditions of an expression, those of segments it names included.
pub const MOST_NODES: usize = 2_000;
/// Most values of one list.
pub const MOST_VALUES: usize = 1_000;
/// Longest text that a condition compares with, in bytes.
pub const LONGEST_VALUE: usize = 1_024;

/// Bytes of a text that a fault is about.
pub type Span = Range<usize>;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
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
    /// A fault of a segment that this one names.
    #[error("bad_segment: segment {segment:?} is wrong itself: {fault}")]
    BadSegment {
        /// Its id.
        segment: String,
        /// What is wrong with it.
        fault: Box<Fault>,
    },
    /// JSON that is no expression.
    #[error("bad_json: {0}")]
    BadJson(String),
}

impl Coded for Fault {
    fn code(&self) -> &'static str {
        match self {
            Fault::UnexpectedCharacter(_) => "unexpected_character",
            Fault::BadText(_) => "bad_text",
            Fault::BadNumber(_) => "bad_number",
            Fault::NoSuchMoment(_) => "no_such_moment",
            Fault::Unexpected { .. } => "unexpected",
            Fault::TooLarge(_) => "too_large",
            Fault::EmptyGroup(_) => "empty_group",
            Fault::EmptyList => "empty_list",
            Fault::EmptyRange(..) => "empty_range",
            Fault::UnknownField(_) => "unknown_field",
            Fault::UnknownFunction(_) => "unknown_function",
            Fault::BadArgument(_) => "bad_argument",
            Fault::UnknownGoal(_) => "unknown_goal",
            Fault::UnknownValue { .. } => "unknown_value",
            Fault::WrongType(_) => "wrong_type",
            Fault::UnknownSegment(_) => "unknown_segment",
            Fault::DamagedSegment { .. } => "bad_segment_file",
            Fault::SegmentCycle(_) => "segment_cycle",
            Fault::BadSegment { .. } => "bad_segment",
            Fault::BadJson(_) => "bad_json",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Fault::UnexpectedCharacter(_)
            | Fault::BadText(_)
            | Fault::BadNumber(_)
            | Fault::NoSuchMoment(_)
            | Fault::Unexpected { .. }
            | Fault::TooLarge(_)
            | Fault::EmptyGroup(_)
            | Fault::EmptyList
            | Fault::EmptyRange(..)
            | Fault::UnknownField(_)
            | Fault::UnknownFunction(_)
            | Fault::BadArgument(_)
            | Fault::UnknownGoal(_)
            | Fault::UnknownValue { .. }
            | Fault::WrongType(_)
            | Fault::UnknownSegment(_)
            | Fault::SegmentCycle(_)
            | Fault::BadJson(_) => ErrorKind::Caller,
            Fault::BadSegment { fault, .. } => fault.kind(),
            Fault::DamagedSegment { .. } => ErrorKind::Conflict,
        }
    }
}

impl Fault {
    /// Is it about a file of a saved segment, and not about what was written?
    pub fn is_damage(&self) -> bool {
        match self {
            Fault::DamagedSegment { .. } => true,
            Fault::BadSegment { fault, .. } => fault.is_damage(),
            _ => false,
        }
    }
}

/// A fault and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentError {
    /// What is wrong.
    pub fault: Box<Fault>,
    /// What was probably meant, to stand in place of the span.
    pub suggestion: Option<String>,
    /// JSON pointer into the expression; of a text that cannot be read, empty.
    pub pointer: String,
    /// Bytes of the text; none when the expression came as JSON.
    pub span: Option<Span>,
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SegmentError {}

impl Coded for SegmentError {
    fn code(&self) -> &'static str {
        self.fault.code()
    }

    fn kind(&self) -> ErrorKind {
        self.fault.kind()
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
    /// A fault of a text.
    pub fn at(fault: Fault, span: Span) -> SegmentError {
        SegmentError { fault: Box::new(fault), suggestion: None, pointer: String::new(), span: Some(span) }
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

    /// The error above the line of the text that it is about, the place marked by carets.
    pub fn render(&self, text: &str) -> String {
        let (Some(span), Some(position)) = (&self.span, self.position(text)) else {
            let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
            return format!("{self}\n  at {place}");
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

/// A place in an expression: the index of each child from the root on.
///
/// Children of a group are its members, of `not` what it negates, of a condition its subject (0) and its values (from 1).
pub type Place = Vec<usize>;

/// A fault at a place of an expression, before it is known whether that was text or JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// What is wrong.
    pub fault: Fault,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// Where.
    pub place: Place,
}

impl Located {
    /// The error about this expression; `spans` when it came from text.
    pub fn within(self, expression: &Expression, spans: Option<&SpanTree>) -> SegmentError {
        SegmentError {
            pointer: pointer(expression, &self.place),
            span: spans.map(|spans| spans.at(&self.place)),
            fault: Box::new(self.fault),
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

    /// Of the node at a place, or of the deepest one on the way there.
    pub fn at(&self, place: &[usize]) -> Span {
        let mut node = self;
        for index in place {
            match node.children.get(*index) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.span.clone()
    }
}

/// The JSON pointer of a place.
fn pointer(expression: &Expression, place: &[usize]) -> String {
    let (mut node, mut pointer) = (expression, String::new());
    for (depth, index) in place.iter().enumerate() {
        let next = match node {
            Expression::All(members) => members.get(*index).inspect(|_| pointer += &format!("/all/{index}")),
            Expression::Any(members) => members.get(*index).inspect(|_| pointer += &format!("/any/{index}")),
            Expression::Not(negated) => {
                pointer += "/not";
                Some(&**negated)
            }
            Expression::Condition(condition) => {
                return pointer + &pointer_in(&condition.test, place[depth]);
            }
            Expression::Everybody => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    pointer
}

fn pointer_in(test: &Test, child: usize) -> String {
    match (test, child.checked_sub(1)) {
        (_, None) => "/condition/subject".into(),
        (Test::In(_) | Test::Between(_), Some(value)) => format!("/condition/test/{}/{value}", test.word()),
        _ => format!("/condition/test/{}", test.word()),
    }
}

/// A fault at the place at which the compiler is, and what was probably meant.
pub(super) struct Error {
    pub(super) fault: Fault,
    pub(super) suggestion: Option<String>,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error { fault, suggestion: None }
    }
}

impl Fault {
    /// With what was probably meant.
    pub(super) fn meant(self, suggestion: Option<impl Into<String>>) -> Error {
        Error { fault: self, suggestion: suggestion.map(Into::into) }
    }
}

impl Error {
    /// As seen from a segment that names the faulty one; cycles and sizes are faults of the whole.
    pub(super) fn within(self, segment: &str) -> Error {
        match self.fault {
            Fault::SegmentCycle(_) | Fault::TooLarge(_) | Fault::BadSegment { .. } => self,
            fault => Fault::BadSegment { segment: segment.to_string(), fault: Box::new(fault) }.into(),
        }
    }
}
