//! Hostile text: always an expression that can be evaluated or an error with its span, never a panic, never a stack overflow.

use domain::error::Coded;
use domain::time::Instant;
use domain::zone::Zone;
use polars::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use segments::language::compile::Circumstances;
use segments::language::error::{MOST_LEVELS, MOST_NODES, SegmentError};
use segments::language::fields::FieldCatalogue;
use segments::language::json;
use segments::language::predicate::Predicate;
use segments::language::{compile_json, compile_text};
use segments::people::People;
use segments::people::frame::members;
use segments::people::row::is_member;

use super::trees::catalogue;

/// Reads and compiles, and evaluates what compiles; an error must have a span within the text and be drawable.
fn code_of(text: &str, catalogue: &FieldCatalogue, zone: &Zone) -> Option<&'static str> {
    let circumstances = Circumstances { catalogue, as_of: Instant::from_micros(1_500_000_000_000_000), zone };
    match compile_text(text, circumstances, None, &|_| None) {
        Ok((expression, predicate)) => {
            let written = expression.to_string();
            let again =
                compile_text(&written, circumstances, None, &|_| None).expect("what is written is read");
            assert_eq!((again.0, &again.1), (expression, &predicate), "{text:?} → {written:?}");
            check_evaluation(&predicate, text);
            None
        }
        Err(error) => {
            check_span(&error, text);
            Some(error.cause.code())
        }
    }
}

/// Everybody at once and one by one have the same answers.
fn check_evaluation(predicate: &Predicate, text: &str) {
    let ids = StringChunked::from_slice("user_id".into(), &["ann", "bob", "cem"]);
    let people = answering(predicate, People::new(Instant::from_micros(1_500_000_000_000_000), ids));
    let mask = members(predicate, &people).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    for row in 0..people.len() {
        assert_eq!(is_member(predicate, &people.person(row)).ok(), mask.get(row), "{text:?}, row {row}");
    }
}

/// The people with a column of a fitting kind for each thing that is asked, the last person unknown.
fn answering(predicate: &Predicate, people: People) -> People {
    match predicate {
        Predicate::Everybody => people,
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().fold(people, |people, member| answering(member, people))
        }
        Predicate::Not(negated) => answering(negated, people),
        Predicate::Holds { key, .. } => {
            let asked = || people.clone();
            let fits = |people: &People| members(predicate, people).is_ok();
            let mut candidates = [Some(asked())]
                .into_iter()
                .chain(columns().map(|column| asked().with(key.clone(), column).ok()));
            candidates.find_map(|people| people.filter(fits)).expect("some kind of column fits")
        }
    }
}

fn columns() -> impl Iterator<Item = Series> {
    let title = || "column".into();
    let mut sets = ListStringChunkedBuilder::new(title(), 3, 3);
    sets.append_values_iter(["push", "tea"].into_iter());
    sets.append_values_iter(std::iter::empty());
    sets.append_null();
    let numbers = Float64Chunked::from_slice_options(title(), &[Some(2.5), Some(f64::NAN), None]);
    let texts = StringChunked::from_slice_options(title(), &[Some("Lyon"), Some(""), None]);
    let truths = BooleanChunked::from_slice_options(title(), &[Some(true), Some(false), None]);
    let moments = Int64Chunked::from_slice_options(title(), &[Some(1_512_086_400_000_000), Some(0), None]);
    let moments = moments.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    [
        numbers.into_series(),
        texts.into_series(),
        truths.into_series(),
        sets.finish().into_series(),
        moments.into_series(),
    ]
    .into_iter()
}

fn check_span(error: &SegmentError, text: &str) {
    let span = error.span.clone().expect("a text has spans");
    assert!(text.get(span.clone()).is_some(), "{span:?} of {} bytes", text.len());
    let position = error.position(text).expect("a span has a line and a column");
    assert!(position.line >= 1 && position.column >= 1);
    let drawn = error.render(text);
    assert!(drawn.len() < 4_000, "{} bytes", drawn.len());
    assert!(drawn.chars().all(|c| c == '\n' || !c.is_control()), "{drawn:?}");
}

fn code(text: &str) -> Option<&'static str> {
    code_of(text, &catalogue(), &Zone::utc())
}

#[test]
fn a_megabyte_is_refused_unread() {
    for text in ["a".repeat(1 << 20), "vip and ".repeat(1 << 17), "É".repeat(1 << 19), "\"".repeat(1 << 20)]
    {
        assert_eq!(code(&text), Some("too_large"));
    }
}

#[test]
fn ten_thousand_levels_are_refused_at_the_first_too_many() {
    let deep = ["(", "not ", "all(", "not(any("];
    for opening in deep {
        let text = opening.repeat(10_000) + "vip";
        let error = code(&text);
        assert_eq!(error, Some("too_large"), "{opening}");
    }
    let text = "(".repeat(10_000);
    let circumstances =
        Circumstances { catalogue: &catalogue(), as_of: Instant::from_micros(0), zone: &Zone::utc() };
    let error = compile_text(&text, circumstances, None, &|_| None).unwrap_err();
    assert_eq!(error.span.map(|span| span.start), Some(MOST_LEVELS));
}

#[test]
fn the_deepest_and_the_widest_that_are_allowed_are_read() {
    let deep = "not ".repeat(MOST_LEVELS - 1) + "vip";
    assert_eq!(code(&deep), None);
    assert_eq!(code(&("not ".to_string() + &deep)), Some("too_large"));
    let wide = vec!["vip"; MOST_NODES - 1].join(" or ");
    assert_eq!(code(&wide), None);
    assert_eq!(code(&(wide + " or vip")), Some("too_large"));
    let list = |count: usize| format!("kids in ({})", vec!["1"; count].join(","));
    assert_eq!(code(&list(1_000)), None);
    assert_eq!(code(&list(1_001)), Some("too_large"));
}

#[test]
fn json_of_ten_thousand_levels_or_a_megabyte_is_refused() {
    let deep = r#"{"not":"#.repeat(10_000);
    assert_eq!(json::read(deep.as_bytes()).unwrap_err().cause.code(), "too_large");
    let deep = r#"{"not":"#.repeat(5_000) + "\"everybody\"" + &"}".repeat(5_000);
    assert_eq!(json::read(deep.as_bytes()).unwrap_err().cause.code(), "bad_json");
    let deep = r#"{"all":["#.repeat(50) + "\"everybody\"" + &"]}".repeat(50);
    let circumstances =
        Circumstances { catalogue: &catalogue(), as_of: Instant::from_micros(0), zone: &Zone::utc() };
    assert_eq!(
        compile_json(deep.as_bytes(), circumstances, None, &|_| None).unwrap_err().cause.code(),
        "too_large"
    );
    assert_eq!(json::read(&vec![b' '; 1 << 20]).unwrap_err().cause.code(), "too_large");
    for bytes in [&b"\xff\xfe"[..], b"", b"{", b"\"everybody\" 1", b"[1]"] {
        assert_eq!(json::read(bytes).unwrap_err().cause.code(), "bad_json");
    }
}

#[test]
fn what_other_languages_would_run_means_nothing_here() {
    let table = [
        ("1; DROP TABLE users; --", "unexpected_character"),
        ("vip; DELETE FROM users", "unexpected_character"),
        ("city = \"x\" or 1=1", "unexpected"),
        ("city = \"x\\\" or vip", "bad_text"),
        ("SELECT * FROM read_csv('/etc/passwd')", "unexpected_character"),
        ("read_parquet(\"data/users.parquet\")", "unknown_function"),
        ("col(\"user_id\")", "unknown_function"),
        ("lit(1)", "unknown_function"),
        ("pl.col", "bad_number"),
        ("^.*$ = 1", "unexpected_character"),
        ("* = 1", "unexpected_character"),
        ("{{city}} = 1", "unexpected_character"),
        ("${jndi:ldap://x}", "unexpected_character"),
        ("vip /* x */", "unexpected_character"),
        ("vip -- x", "unexpected_character"),
        ("vip\0", "unexpected_character"),
        ("\u{feff}vip", "unexpected_character"),
        ("vip\u{a0}and vip", "unexpected_character"),
        // Cyrillic and full-width letters, a dotless i, a combining accent.
        ("vіp", "unexpected_character"),
        ("ｖｉｐ", "unexpected_character"),
        ("vıp", "unexpected_character"),
        ("vi\u{301}p", "unexpected_character"),
        ("рurchases_30d > 1", "unexpected_character"),
        ("vip аnd vip", "unexpected_character"),
        ("kids > ٣", "unexpected_character"),
        ("kids > 0x10", "bad_number"),
        ("kids > 1_000", "bad_number"),
        ("kids > inf", "unexpected"),
        ("kids > NaN", "unexpected"),
        ("kids > -", "unexpected_character"),
    ];
    let wrong: Vec<_> = table
        .iter()
        .map(|(text, expected)| (text, code(text).unwrap_or_default(), expected))
        .filter(|(_, found, expected)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_same_words_between_quotes_are_only_text() {
    for text in
        ["^.*$", "*", "'; DROP TABLE users; --", "col(\\\"x\\\")", "../../etc/passwd", "{{city}}", "ｖｉｐ"]
    {
        assert_eq!(code(&format!("city = \"{text}\" or interest(\"{text}\") > 0")), None, "{text}");
    }
}

const SEEDS: [&str; 8] = [
    r#"purchases_30d >= 2 and interest("dairy") > 0.2 and last_seen < 14d and not opted_out"#,
    r#"all(vip, any(kids in (1, 2.5, -3e2), city contains "x\"y\u{1f600}\n"))"#,
    r#"created_at between 2017-12-01 and 2018-01-01T05:00:00.5+02:00 or created_at > 14d ago"#,
    r#"count("push_clicked", 36h) = 0 and propensity_decile("purchase_7d") >= 9"#,
    r#"not (country is known or attribute("odd name") is unknown) and bucket("a") < 10"#,
    r#"in_segment("seeds") = false or everybody"#,
    "hobbies contains \"É\u{1f1eb}\u{1f1f7}\" and\n\tlifecycle != \"new\"",
    r#"(((vip)))"#,
];

/// Pieces that often meet an edge of the grammar.
const PIECES: [&str; 30] = [
    "(",
    ")",
    ",",
    "\"",
    "\\",
    "\\u{",
    "}",
    "not ",
    " and ",
    " or ",
    " in (",
    "between ",
    " is ",
    "all(",
    "any()",
    "14d",
    " ago",
    "2017-02-29",
    "T",
    "Z",
    "-",
    "+",
    ".",
    "e",
    "0",
    "99999999999999999999",
    "É",
    "\u{202e}",
    "\0",
    "count(",
];

/// A text some edits away from one of the seeds, always the same for a number.
fn mutated(number: u64) -> String {
    let mut draw = ChaCha8Rng::seed_from_u64(number);
    let mut below = |count: usize| draw.next_u32() as usize % count.max(1);
    let mut text: Vec<char> = SEEDS[below(SEEDS.len())].chars().collect();
    for _ in 0..=below(6) {
        let at = below(text.len() + 1);
        let until = (at + below(8)).min(text.len());
        match below(5) {
            0 => drop(text.drain(at..until)),
            1 => drop(text.splice(at..at, PIECES[below(PIECES.len())].chars())),
            2 => drop(text.splice(at..until, PIECES[below(PIECES.len())].chars())),
            3 => {
                let copy: Vec<char> = text[at..until].to_vec();
                let to = below(text.len() + 1);
                drop(text.splice(to..to, copy));
            }
            _ => {
                let other: Vec<char> = SEEDS[below(SEEDS.len())].chars().collect();
                let start = below(other.len());
                text.truncate(at);
                text.extend(&other[start..]);
            }
        }
    }
    text.into_iter().collect()
}

fn fuzz(numbers: std::ops::Range<u64>) {
    let (catalogue, zone) = (catalogue(), Zone::utc());
    let total = numbers.end - numbers.start;
    let wrong =
        numbers.filter(|number| code_of(&mutated(*number), &catalogue, &zone).is_some()).count() as u64;
    // Mutations that are all wrong, or all right, would try little.
    assert!((total / 5..total - total / 100).contains(&wrong), "{wrong} of {total} are wrong");
}

#[test]
fn a_hundred_thousand_mutations_end_in_an_expression_or_a_span() {
    fuzz(0..100_000);
}

/// `cargo test --release --test it -- --ignored five_million_mutations`
#[test]
#[ignore = "a longer run of the same: minutes"]
fn five_million_mutations_end_in_an_expression_or_a_span() {
    fuzz(100_000..5_100_000);
}
