//! Placeholders of texts: where one begins, what it asks for, and what is wrong with one of another template language.

use std::fmt;

/// What is wrong with a placeholder, or with a mark that is one in another template language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderError {
    /// `{{}}` or `{{|default}}`.
    EmptyName,
    /// `{{a{{b}}}}`, `{{{a}}}`: another brace opens before it closes.
    Nested,
    /// `{{a}` or `{{a`: it is never closed.
    Unclosed,
    /// `a}}`, `{{a}}}`: it was never opened.
    Unopened,
    /// `{{#if a}}`, `{{> a}}`, `{{else}}`: a block of Handlebars, Mustache, or Go.
    Block,
    /// `{{a | capitalize}}`, `{{a | truncate: 20}}`, `{{a|b|c}}`: a filter of Liquid or Jinja.
    Filter,
    /// `{{a|"there"}}`: the quotes would be sent.
    QuotedDefault,
    /// `{{helper a "b"}}`: quotes in the name of a field.
    Expression,
    /// A zero-width character in the name of a field.
    Invisible,
    /// `｛｛a｝｝`: braces of full width.
    FullWidth,
    /// `{{a｜there}}`: a bar of full width.
    FullWidthBar,
    /// `{% if a %}`: a tag of Liquid or Jinja.
    Tag,
    /// `${a}`, `%{a}`, `#{a}`, `[[a]]`, `%%a%%`, `*|A|*`, `<% a %>`, `{# a #}`: other template languages.
    Foreign,
}

impl fmt::Display for PlaceholderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlaceholderError::EmptyName => {
                "a placeholder without a field's name; write {{field}} or {{field|default}}"
            }
            PlaceholderError::Nested => {
                "a brace within a placeholder; write {{field}} or {{field|default}}, with two braces on each side"
            }
            PlaceholderError::Unclosed => "{{ without }}; write {{field}} or {{field|default}}",
            PlaceholderError::Unopened => "}} without {{; write {{field}} or {{field|default}}",
            PlaceholderError::Block => {
                "a block of Handlebars is not supported; write a variant, or a content for another segment"
            }
            PlaceholderError::Filter => {
                "a filter is not supported; write {{field|default}}, and the value as it should read in the attribute"
            }
            PlaceholderError::QuotedDefault => {
                "the quotes of the default would be sent; write {{field|default}} without quotes"
            }
            PlaceholderError::Expression => {
                "quotes in the name of a field; write {{field}} or {{field|default}}"
            }
            PlaceholderError::Invisible => {
                "a zero-width character in the name of a field; delete it, or type the name again"
            }
            PlaceholderError::FullWidth => "full-width braces; write {{field}} with {{ and }}",
            PlaceholderError::FullWidthBar => {
                "a full-width bar before the default; write {{field|default}} with |"
            }
            PlaceholderError::Tag => {
                "a tag of Liquid is not supported; write a variant, or a content for another segment"
            }
            PlaceholderError::Foreign => {
                "a placeholder of another template language; write {{field}} or {{field|default}}"
            }
        })
    }
}

/// What a text asks for: a field, and what is sent instead to those of whom it is not known.
pub(super) type Asked<'a> = (&'a str, Option<&'a str>);

/// Words that begin a block in Handlebars, Mustache, Go, Liquid or Jinja, where a field's name would be.
const BLOCK_WORDS: [&str; 20] = [
    "if",
    "else",
    "elif",
    "elseif",
    "elsif",
    "end",
    "endif",
    "endfor",
    "endunless",
    "for",
    "unless",
    "each",
    "range",
    "with",
    "block",
    "template",
    "include",
    "partial",
    "assign",
    "raw",
];

/// Filters of Liquid, Jinja, Django and Twig that cannot be meant as the default itself.
const FILTERS: [&str; 22] = [
    "capitalize",
    "capfirst",
    "camelcase",
    "default",
    "downcase",
    "escape",
    "escape_once",
    "html_escape",
    "lower",
    "lowercase",
    "lstrip",
    "md5",
    "newline_to_br",
    "rstrip",
    "strip",
    "strip_html",
    "titlecase",
    "titleize",
    "trim",
    "upcase",
    "upper",
    "uppercase",
];

const QUOTES: [(char, char); 8] =
    [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('„', '“'), ('”', '”'), ('«', '»'), ('`', '`')];

/// Reads what is between `{{` and `}}`.
///
/// `{{field|default}}` is our own; `{{field | default: "x"}}`, as Liquid writes it, means the same.
pub(super) fn read(inside: &str) -> Result<Asked<'_>, PlaceholderError> {
    // Also in a default: what it leaves behind must never read as a placeholder.
    if inside.contains('{') {
        return Err(PlaceholderError::Nested);
    }
    if is_block(inside.trim()) {
        return Err(PlaceholderError::Block);
    }
    let (name, default) = match inside.split_once('|') {
        Some((name, default)) => (name.trim(), Some(default.trim())),
        None => (inside.trim(), None),
    };
    check_name(name)?;
    Ok((name, default.map(read_default).transpose()?))
}

/// `#if x`, `/if`, `> part`, `! note`, `else`, `- x -`, `.Name`.
fn is_block(inside: &str) -> bool {
    let word = inside.split(char::is_whitespace).next().unwrap_or_default();
    let alone = word.len() == inside.len();
    let begins = match word {
        "else" | "end" | "endif" | "endfor" | "endunless" => true,
        _ => !alone && BLOCK_WORDS.contains(&word),
    };
    begins
        || inside.starts_with(['#', '/', '>', '^', '!', '&', '=', '~', '-', '%', '.', '@', '*'])
        || inside.ends_with(['~', '-', '%'])
}

fn check_name(name: &str) -> Result<(), PlaceholderError> {
    match name {
        "" => Err(PlaceholderError::EmptyName),
        _ if name.contains('｜') => Err(PlaceholderError::FullWidthBar),
        _ if name.contains(['"', '\'', '“', '”', '‘', '’', '`']) => Err(PlaceholderError::Expression),
        _ if has_invisible(name) => Err(PlaceholderError::Invisible),
        _ => Ok(()),
    }
}

/// Characters without width, which come with copied text. Joiners between letters of scripts that need them are spelling.
fn has_invisible(name: &str) -> bool {
    let characters: Vec<char> = name.chars().collect();
    let is_spelling = |index: usize| {
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| characters.get(at)).is_some_and(|c| !c.is_ascii() && c.is_alphabetic())
        };
        is_letter(index.checked_sub(1)) && is_letter(Some(index + 1))
    };
    characters.iter().enumerate().any(|(index, c)| match c {
        '\u{200c}' | '\u{200d}' => !is_spelling(index),
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{feff}'
        | '\u{180e}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    })
}

/// What stands behind the bar: our own default as it is, or the one of `default: "x"`, `default("x")`, `default "x"`.
fn read_default(written: &str) -> Result<&str, PlaceholderError> {
    if let Some(literal) = liquid_default(written) {
        return Ok(literal);
    }
    if written.contains('|') || is_filter(written) {
        return Err(PlaceholderError::Filter);
    }
    match unquoted(written) {
        Some(_) => Err(PlaceholderError::QuotedDefault),
        None => Ok(written),
    }
}

fn liquid_default(written: &str) -> Option<&str> {
    let rest = written.strip_prefix("default")?.trim_start();
    let argument = match rest.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?,
        None => rest.strip_prefix(':').unwrap_or(rest),
    };
    unquoted(argument.trim())
}

/// The text within a pair of quotes that do not occur in it.
fn unquoted(written: &str) -> Option<&str> {
    QUOTES.iter().find_map(|(open, close)| {
        let text = written.strip_prefix(*open)?.strip_suffix(*close)?;
        (!text.contains([*open, *close])).then_some(text)
    })
}

/// `capitalize`, `truncate: 20`, `date("%Y")`, `default: other`.
fn is_filter(written: &str) -> bool {
    let end = written.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(written.len());
    let (word, rest) = (&written[..end], written[end..].trim_start());
    let Some(argument) = rest.strip_prefix([':', '(']) else {
        return rest.is_empty() && FILTERS.contains(&word);
    };
    let takes = |c: char| c.is_ascii_digit() || QUOTES.iter().any(|(open, _)| *open == c);
    !word.is_empty() && (FILTERS.contains(&word) || argument.trim_start().starts_with(takes))
}

/// A mark in a text: a placeholder of ours, or something that is one elsewhere.
pub(super) enum Mark {
    /// `{{ … }}`, so many bytes; what is between the braces is from 2 to 2 before the end of `{{ … }}`.
    Placeholder(usize),
    /// So many bytes that are an error.
    Invalid(usize, PlaceholderError),
}

/// The first mark of a text: the byte where it begins, and what it is. `closed` when the text goes on right after a
/// placeholder, where one more brace is an error too.
pub(super) fn first_mark(text: &str, closed: bool) -> Option<(usize, Mark)> {
    if closed && text.starts_with('}') {
        return Some((0, Mark::Invalid(braces(text), PlaceholderError::Unopened)));
    }
    text.char_indices().find_map(|(at, c)| {
        let is_likely =
            matches!(c, '{' | '}' | '｛' | '｝' | '﹛' | '﹜' | '$' | '%' | '#' | '[' | '*' | '<');
        if is_likely { mark(&text[at..]).map(|mark| (at, mark)) } else { None }
    })
}

fn mark(text: &str) -> Option<Mark> {
    if text.starts_with("{{") {
        return Some(match text[2..].find("}}") {
            Some(length) => Mark::Placeholder(length + 4),
            None => Mark::Invalid(text.len(), PlaceholderError::Unclosed),
        });
    }
    if text.starts_with("}}") {
        return Some(Mark::Invalid(braces(text), PlaceholderError::Unopened));
    }
    if text.starts_with("{%") || text.starts_with("%}") {
        return Some(Mark::Invalid(2, PlaceholderError::Tag));
    }
    if let Some(length) = full_width(text) {
        return Some(Mark::Invalid(length, PlaceholderError::FullWidth));
    }
    foreign(text).map(|length| Mark::Invalid(length, PlaceholderError::Foreign))
}

/// Closing braces at the beginning, in bytes.
fn braces(text: &str) -> usize {
    text.len() - text.trim_start_matches('}').len()
}

/// Two braces of one direction, of which at least one is not the keyboard's.
fn full_width(text: &str) -> Option<usize> {
    let mut characters = text.chars();
    let pair = [characters.next()?, characters.next()?];
    let all = |set: [char; 3]| pair.iter().all(|c| set.contains(c));
    let is_pair = all(['{', '｛', '﹛']) || all(['}', '｝', '﹜']);
    (is_pair && pair.iter().any(|c| !c.is_ascii())).then(|| pair.iter().map(|c| c.len_utf8()).sum())
}

/// A placeholder of another language: how many bytes.
fn foreign(text: &str) -> Option<usize> {
    const AROUND_A_NAME: [(&str, &str); 6] =
        [("${", "}"), ("%{", "}"), ("#{", "}"), ("[[", "]]"), ("%%", "%%"), ("*|", "|*")];
    const AROUND_ANYTHING: [(&str, &str); 2] = [("<%", "%>"), ("{#", "#}")];
    let between = |(open, close): &(&str, &str)| {
        let rest = text.strip_prefix(open)?;
        let length = rest.find(close)?;
        Some((&rest[..length], open.len() + length + close.len()))
    };
    let of_name = AROUND_A_NAME.iter().filter_map(between).find(|(name, _)| is_name(name.trim()));
    of_name.or_else(|| AROUND_ANYTHING.iter().find_map(between)).map(|(_, length)| length)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':'))
}
