//! Text into words, values and signs, each with its span; nothing but ASCII stands outside quotes.

use crate::language::error::{ErrorCause, LONGEST_TEXT, LONGEST_VALUE, SegmentError, Span};
use crate::language::expression::{Duration, Moment};

/// A piece of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A word of the language, or a name.
    Word(String),
    /// Between quotes.
    Text(String),
    /// A finite number.
    Number(f64),
    /// A length of time.
    Duration(Duration),
    /// A date or a moment.
    Moment(Moment),
    /// One of the signs of the language.
    Sign(&'static str),
    /// Nothing more.
    End,
}

/// Signs, longer ones before those that begin them.
const SIGNS: [&str; 10] = ["<=", ">=", "!=", "==", "<", ">", "=", "(", ")", ","];

/// What people paste instead of signs, and what they mean by it.
const LOOKALIKES: [(&str, &str); 15] = [
    ("“”„‟«»‘’‚′″'`＂", "\""),
    ("≥⩾", ">="),
    ("≤⩽", "<="),
    ("≠", "!="),
    ("＝", "="),
    ("＜", "<"),
    ("＞", ">"),
    ("（", "("),
    ("）", ")"),
    ("，、", ","),
    ("&", "and"),
    ("|", "or"),
    ("!¬", "not"),
    ("–—−", "-"),
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{200b}\u{202f}\u{3000}\u{feff}", "a plain space"),
];

/// All tokens of a text, the last of them [`Token::End`].
///
/// # Errors
/// At the first character that begins no token, or when the text is longer than [`LONGEST_TEXT`].
pub fn tokens(text: &str) -> Result<Vec<(Token, Span)>, SegmentError> {
    if text.len() > LONGEST_TEXT {
        let start = (0..=LONGEST_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let cause =
            ErrorCause::TooLarge(format!("the text has {} bytes; {LONGEST_TEXT} are the most", text.len()));
        return Err(SegmentError::at(cause, start..text.len()));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let token = lexer.next()?;
        let is_end = token == Token::End;
        tokens.push((token, start..lexer.at));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        self.at += self.rest().len() - self.rest().trim_start_matches(is_blank).len();
    }

    fn next(&mut self) -> Result<Token, SegmentError> {
        let mut characters = self.rest().chars();
        let Some(first) = characters.next() else { return Ok(Token::End) };
        let is_signed =
            matches!(first, '-' | '+') && characters.next().is_some_and(|c| c.is_ascii_digit() || c == '.');
        match first {
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            '0'..='9' | '.' => self.quantity(),
            _ if is_signed => self.quantity(),
            '"' => self.quoted(),
            _ => self.sign(first),
        }
    }

    /// The longest run of these characters from here on, which is taken.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self) -> Result<Token, SegmentError> {
        let word = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        // A letter that only looks like one of ours would otherwise cut a name in two.
        match self.rest().chars().next() {
            Some(next) if next.is_alphanumeric() => Err(self.unexpected(next)),
            _ => Ok(Token::Word(word.to_string())),
        }
    }

    fn quantity(&mut self) -> Result<Token, SegmentError> {
        let start = self.at;
        let written = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '+' | '-'));
        let span = start..self.at;
        let bytes = written.as_bytes();
        if bytes.len() > 4 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' {
            let moment = Moment::parse(written).map(Token::Moment);
            return moment.map_err(|wanted| {
                let error = SegmentError::at(ErrorCause::NoSuchMoment(wanted), span);
                match last_day(written) {
                    Some(day) => error.meant(day),
                    None => error,
                }
            });
        }
        let is_length = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count() == 1
            && matches!(bytes.last(), Some(b'm' | b'h' | b'd' | b'w'));
        if is_length {
            let length = Duration::parse(written).map(Token::Duration);
            return length.map_err(|wanted| SegmentError::at(ErrorCause::BadNumber(wanted), span));
        }
        number(written)
            .map(Token::Number)
            .map_err(|wanted| SegmentError::at(ErrorCause::BadNumber(wanted), span))
    }

    fn quoted(&mut self) -> Result<Token, SegmentError> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        while let Some(character) = self.rest().chars().next() {
            let character_start = self.at;
            self.at += character.len_utf8();
            match character {
                '"' if text.len() > LONGEST_VALUE => {
                    let cause = ErrorCause::TooLarge(format!("a text has at most {LONGEST_VALUE} bytes"));
                    return Err(SegmentError::at(cause, start..self.at));
                }
                '"' => return Ok(Token::Text(text)),
                '\\' => text.push(self.escaped(character_start)?),
                hidden if must_be_escaped(hidden) => {
                    let code = format!("\\u{{{:x}}}", u32::from(hidden));
                    let cause = ErrorCause::BadText(format!("{hidden:?} cannot be seen; write {code}"));
                    return Err(SegmentError::at(cause, character_start..self.at).meant(code));
                }
                plain => text.push(plain),
            }
        }
        let cause = ErrorCause::BadText("a text that begins here has no closing \"".into());
        Err(SegmentError::at(cause, start..start + 1))
    }

    /// The character that an escape stands for; its backslash, at `start`, has been taken.
    fn escaped(&mut self, start: usize) -> Result<char, SegmentError> {
        let letter = self.rest().chars().next();
        self.at += letter.map_or(0, char::len_utf8);
        let character = match letter {
            Some('"' | '\\') => letter,
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('u') => self.code_point(),
            _ => None,
        };
        character.ok_or_else(|| {
            let wanted = "after \\ stands \", \\, n, t or u{…} with a code point in hexadecimal".to_string();
            SegmentError::at(ErrorCause::BadText(wanted), start..self.at)
        })
    }

    fn code_point(&mut self) -> Option<char> {
        let digits = self.rest().strip_prefix('{')?.split('}').next()?;
        let is_plain = matches!(digits.len(), 1..=6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let character = char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_plain)?)?;
        self.rest()[digits.len() + 1..].starts_with('}').then(|| self.at += digits.len() + 2)?;
        Some(character)
    }

    fn sign(&mut self, first: char) -> Result<Token, SegmentError> {
        match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(self.unexpected(first)),
        }
    }

    /// The error about the character that stands here.
    fn unexpected(&self, character: char) -> SegmentError {
        let span = self.at..self.at + character.len_utf8();
        let code = u32::from(character);
        let means = LOOKALIKES.iter().find(|(pasted, _)| pasted.contains(character)).map(|(_, meant)| *meant);
        let shown = match character.is_ascii() {
            true => format!("{character:?} means nothing here"),
            false => format!("{character:?} (U+{code:04X}) stands only in quotes; names are a–z, 0–9 and _"),
        };
        let error = SegmentError::at(ErrorCause::UnexpectedCharacter(shown), span);
        match means {
            Some(meant) => error.meant(meant),
            None => error,
        }
    }
}

/// Would a reader not see the character, or see others out of their order?
pub(super) fn must_be_escaped(character: char) -> bool {
    let is_joiner = matches!(character, '\u{200c}' | '\u{200d}');
    // Rust's own escaping knows what has no glyph; marks that join to a letter before them are seen.
    let is_hidden = character.is_control()
        || matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    is_hidden && !is_joiner
}

/// A decimal number, perhaps with an exponent.
fn number(written: &str) -> Result<f64, String> {
    let shown: String = written.chars().take(40).collect();
    let is_plain = written.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match written.parse::<f64>().ok().filter(|_| is_plain) {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(format!("{shown} is too large a number")),
        None => Err(format!("{shown:?} is neither a number nor a length of time (14d), a date or a moment")),
    }
}

/// The last day of the month that a date names, when only its day does not exist.
fn last_day(written: &str) -> Option<String> {
    let month = written.get(..7)?;
    let is_late = written.len() == 10 && written[8..].parse::<u8>().is_ok_and(|day| (29..=31).contains(&day));
    let days = (28..31).rev().map(|day| format!("{month}-{day}"));
    days.into_iter().find(|date| is_late && Moment::parse(date).is_ok())
}
