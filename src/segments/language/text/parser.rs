//! Text into trees, by recursive descent with bounded depth; each node keeps its span of the text.

use super::lexer::{Token, tokens};
use crate::language::error::{ErrorCause, LONGEST_VALUE, MOST_FILTERS, MOST_LEVELS, MOST_NODES, MOST_VALUES};
use crate::language::error::{SegmentError, Span, SpanTree};
use crate::language::event_selection::{EventField, EventFilter, EventSelection};
use crate::language::expression::{Condition, Expression, FieldName, Moment, Subject, Test, Value};
use crate::language::words::{is_reserved, nearest};

/// An expression and where its nodes stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree.
    pub expression: Expression,
    /// Of the same shape.
    pub spans: SpanTree,
}

/// Names that take arguments.
pub const FUNCTIONS: [&str; 11] = [
    "attribute",
    "bucket",
    "count",
    "first",
    "in_segment",
    "interest",
    "last",
    "propensity",
    "propensity_decile",
    "sum",
    "tag_interest",
];

/// Reads an expression; whether its fields exist and its types agree is another question.
///
/// # Errors
/// At the first character where the text cannot go on so.
pub fn parse(text: &str) -> Result<Parsed, SegmentError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, levels: 0, nodes: 0 };
    let parsed = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(parsed),
        _ => Err(parser.unexpected("`and`, `or` or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    levels: usize,
    nodes: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1.clone()
    }

    /// From the first of some tokens to the last one taken.
    fn span_from(&self, start: usize) -> Span {
        start..self.tokens[self.at.saturating_sub(1)].1.end
    }

    /// Takes a token; the end stays.
    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_here = self.is_word(word);
        if is_here {
            self.advance();
        }
        is_here
    }

    fn take_sign(&mut self, sign: &'static str) -> bool {
        let is_here = *self.peek() == Token::Sign(sign);
        if is_here {
            self.advance();
        }
        is_here
    }

    fn expect_sign(&mut self, sign: &'static str) -> Result<(), SegmentError> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{sign}`"))),
        }
    }

    fn unexpected(&self, wanted: &str) -> SegmentError {
        let found = match self.peek() {
            Token::Word(word) => format!("{:?}", word.chars().take(64).collect::<String>()),
            Token::Text(_) => "a text".into(),
            Token::Number(number) => format!("the number {number:?}"),
            Token::Duration(length) => format!("the length of time {length}"),
            Token::Moment(moment) => format!("the moment {moment}"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".into(),
        };
        SegmentError::at(ErrorCause::Unexpected { wanted: wanted.into(), found }, self.span())
    }

    /// Counts a node; an expression of too many is given up where it becomes so.
    fn count_node(&mut self, span: &Span) -> Result<(), SegmentError> {
        self.nodes += 1;
        match self.nodes > MOST_NODES {
            true => Err(too_large(format!("{MOST_NODES} groups and conditions are the most"), span.clone())),
            false => Ok(()),
        }
    }

    fn expression(&mut self) -> Result<Parsed, SegmentError> {
        self.joined("or", Expression::Any, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Parsed, SegmentError> {
        self.joined("and", Expression::All, Self::negation)
    }

    /// One part, or several between words as a group.
    fn joined(
        &mut self,
        word: &str,
        group: fn(Vec<Expression>) -> Expression,
        part: fn(&mut Self) -> Result<Parsed, SegmentError>,
    ) -> Result<Parsed, SegmentError> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        let span = parts[0].spans.span.start..parts[parts.len() - 1].spans.span.end;
        self.count_node(&span)?;
        Ok(grouped(group, parts, span))
    }

    fn negation(&mut self) -> Result<Parsed, SegmentError> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return Err(too_large(format!("{MOST_LEVELS} levels are the most"), self.span()));
        }
        let parsed = self.operand();
        self.levels -= 1;
        parsed
    }

    fn operand(&mut self) -> Result<Parsed, SegmentError> {
        let span = self.span();
        if self.take_word("not") {
            self.count_node(&span)?;
            let negated = self.negation()?;
            let spans = SpanTree { span: self.span_from(span.start), children: vec![negated.spans] };
            return Ok(Parsed { expression: Expression::Not(Box::new(negated.expression)), spans });
        }
        if self.take_sign("(") {
            let inner = self.expression()?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        self.count_node(&span)?;
        if self.take_word("everybody") {
            return Ok(Parsed { expression: Expression::Everybody, spans: SpanTree::leaf(span) });
        }
        for (name, group) in [("all", Expression::All as fn(_) -> _), ("any", Expression::Any)] {
            if self.take_word(name) {
                return self.group(name, group, span.start);
            }
        }
        self.condition()
    }

    /// `all(…)` after its name.
    fn group(
        &mut self,
        name: &'static str,
        group: fn(Vec<Expression>) -> Expression,
        start: usize,
    ) -> Result<Parsed, SegmentError> {
        self.expect_sign("(")?;
        if self.take_sign(")") {
            return Err(SegmentError::at(ErrorCause::EmptyGroup(name), self.span_from(start)));
        }
        let mut members = vec![self.expression()?];
        while self.take_sign(",") {
            members.push(self.expression()?);
        }
        self.expect_sign(")")?;
        Ok(grouped(group, members, self.span_from(start)))
    }

    fn condition(&mut self) -> Result<Parsed, SegmentError> {
        let start = self.span().start;
        let (subject, parts) = self.subject()?;
        let mut children = vec![SpanTree { span: self.span_from(start), children: parts }];
        let test = self.test(&mut children)?;
        let spans = SpanTree { span: self.span_from(start), children };
        Ok(Parsed { expression: Expression::Condition(Condition { subject, test }), spans })
    }

    /// A subject and the spans of its parts.
    fn subject(&mut self) -> Result<(Subject, Vec<SpanTree>), SegmentError> {
        let span = self.span();
        let Token::Word(name) = self.peek().clone() else {
            return Err(self.unexpected("a field, `not` or `(`"));
        };
        if is_reserved(&name) {
            return Err(self.unexpected("a field, `not` or `(`"));
        }
        self.advance();
        if self.take_sign("(") {
            let subject = self.call(&name, &span)?;
            self.expect_sign(")")?;
            return Ok(subject);
        }
        let field = FieldName::new(&name).map(|name| (Subject::Field(name), Vec::new()));
        field.ok_or_else(|| too_large("names are shorter".into(), span))
    }

    /// The arguments of a function.
    fn call(&mut self, name: &str, span: &Span) -> Result<(Subject, Vec<SpanTree>), SegmentError> {
        if !FUNCTIONS.contains(&name) {
            let shown = name.chars().take(64).collect();
            let error = SegmentError::at(ErrorCause::UnknownFunction(shown), span.clone());
            return Err(match nearest(name, FUNCTIONS) {
                Some(nearest) => error.meant(nearest),
                None => error,
            });
        }
        let start = self.span();
        let argument = self.text_argument()?;
        let event = SpanTree::leaf(start);
        let subject = match name {
            "attribute" => Subject::Attribute(argument),
            "bucket" => Subject::Bucket(argument),
            "in_segment" => Subject::InSegment(argument),
            "interest" => Subject::Interest(argument),
            "propensity" => Subject::Propensity(argument),
            "propensity_decile" => Subject::PropensityDecile(argument),
            "tag_interest" => Subject::TagInterest(argument),
            "sum" => return self.selection(argument, event, Subject::Sum),
            "last" => return self.selection(argument, event, Subject::Last),
            "first" => return self.selection(argument, event, Subject::First),
            _ => return self.selection(argument, event, Subject::Count),
        };
        Ok((subject, Vec::new()))
    }

    /// The arguments after an event's name: a window, or none for all of the time before, and tests of an event.
    fn selection(
        &mut self,
        event: String,
        span: SpanTree,
        subject: fn(EventSelection) -> Subject,
    ) -> Result<(Subject, Vec<SpanTree>), SegmentError> {
        let (mut within, mut filters, mut spans) = (None, Vec::new(), vec![span]);
        while self.take_sign(",") || (!filters.is_empty() && self.take_word("and")) {
            match self.peek() {
                Token::Duration(length) if within.is_none() && filters.is_empty() => {
                    within = Some(*length);
                    self.advance();
                }
                _ => filters.push(self.event_filter(&mut spans)?),
            }
            if filters.len() > MOST_FILTERS {
                return Err(too_large(format!("{MOST_FILTERS} tests of an event are the most"), self.span()));
            }
        }
        Ok((subject(EventSelection { event, within, filters }), spans))
    }

    /// A test of an event, such as `category = "dairy"`.
    fn event_filter(&mut self, spans: &mut Vec<SpanTree>) -> Result<EventFilter, SegmentError> {
        let span = self.span();
        let Token::Word(name) = self.peek().clone() else {
            return Err(self.unexpected(
                "a length of time such as 30d, or a test of the event such as category = \"dairy\"",
            ));
        };
        let Some(field) = EventField::of(&name.to_lowercase()) else {
            let error =
                SegmentError::at(ErrorCause::UnknownEventField(name.chars().take(64).collect()), span);
            let names = EventField::ALL.map(EventField::as_str);
            let begun = names.into_iter().find(|known| known.starts_with(&*name.to_lowercase()));
            return Err(match nearest(&name, names).or(begun) {
                Some(nearest) => error.meant(nearest),
                None => error,
            });
        };
        self.advance();
        let mut children = vec![SpanTree::leaf(span.clone())];
        let test = self.test(&mut children)?;
        spans.push(SpanTree { span: self.span_from(span.start), children });
        Ok(EventFilter { field, test })
    }

    fn text_argument(&mut self) -> Result<String, SegmentError> {
        match self.peek().clone() {
            Token::Text(text) => {
                self.advance();
                Ok(text)
            }
            Token::Word(word) if word.len() <= LONGEST_VALUE => {
                Err(self.unexpected("a text in quotes").meant(format!("\"{word}\"")))
            }
            _ => Err(self.unexpected("a text in quotes")),
        }
    }

    fn test(&mut self, spans: &mut Vec<SpanTree>) -> Result<Test, SegmentError> {
        for sign in ["=", "==", "!=", "<", "<=", ">", ">="] {
            if self.take_sign(sign) {
                return Ok(compared(sign, self.value(spans)?));
            }
        }
        if self.take_word("in") {
            return self.list(spans).map(Test::In);
        }
        if self.take_word("between") {
            let low = self.value(spans)?;
            if !self.take_word("and") {
                return Err(self.unexpected("`and` with the upper end"));
            }
            return Ok(Test::Between([low, self.value(spans)?]));
        }
        if self.take_word("contains") {
            return self.value(spans).map(Test::Contains);
        }
        if self.take_word("is") {
            return self.known();
        }
        match self.is_word("not") {
            true => Err(self.unexpected("a test (`not` goes before the field)")),
            false => Ok(Test::IsTrue),
        }
    }

    fn known(&mut self) -> Result<Test, SegmentError> {
        match () {
            _ if self.take_word("known") => Ok(Test::IsKnown),
            _ if self.take_word("unknown") => Ok(Test::IsUnknown),
            _ => Err(self.unexpected("`known` or `unknown`")),
        }
    }

    fn list(&mut self, spans: &mut Vec<SpanTree>) -> Result<Vec<Value>, SegmentError> {
        let start = self.span().start;
        self.expect_sign("(")?;
        if self.take_sign(")") {
            return Err(SegmentError::at(ErrorCause::EmptyList, self.span_from(start)));
        }
        let mut values = vec![self.value(spans)?];
        while self.take_sign(",") {
            if values.len() == MOST_VALUES {
                return Err(too_large(format!("{MOST_VALUES} values are the most"), self.span()));
            }
            values.push(self.value(spans)?);
        }
        self.expect_sign(")")?;
        Ok(values)
    }

    fn value(&mut self, spans: &mut Vec<SpanTree>) -> Result<Value, SegmentError> {
        let start = self.span().start;
        let value = match self.peek().clone() {
            Token::Number(number) => Value::Number(number),
            Token::Text(text) => Value::Text(text),
            Token::Duration(length) => Value::Duration(length),
            Token::Moment(moment) => Value::Moment(moment),
            Token::Word(_) if self.is_word("true") => Value::Truth(true),
            Token::Word(_) if self.is_word("false") => Value::Truth(false),
            Token::Word(word) if word.len() <= LONGEST_VALUE && !is_reserved(&word) => {
                return Err(self.unexpected("a value (a text is quoted)").meant(format!("\"{word}\"")));
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.advance();
        let value = match value {
            Value::Duration(length) if self.take_word("ago") => Value::Moment(Moment::Ago(length)),
            value => value,
        };
        spans.push(SpanTree::leaf(self.span_from(start)));
        Ok(value)
    }
}

fn compared(sign: &str, value: Value) -> Test {
    match sign {
        "!=" => Test::NotEqual(value),
        "<" => Test::Less(value),
        "<=" => Test::AtMost(value),
        ">" => Test::Greater(value),
        ">=" => Test::AtLeast(value),
        _ => Test::Equal(value),
    }
}

fn grouped(group: fn(Vec<Expression>) -> Expression, parts: Vec<Parsed>, span: Span) -> Parsed {
    let (expressions, children) = parts.into_iter().map(|part| (part.expression, part.spans)).unzip();
    Parsed { expression: group(expressions), spans: SpanTree { span, children } }
}

fn too_large(what: String, span: Span) -> SegmentError {
    SegmentError::at(ErrorCause::TooLarge(what), span)
}
