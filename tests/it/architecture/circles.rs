//! Circles of files: whoever reads a file reads those that it uses, so no more than two may need each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, assert_none, mentions, sources};

/// The most files that may need each other.
const LARGEST_CIRCLE: usize = 2;

/// For each module of a file the modules of the files that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_more_than_two_files_need_each_other() {
    assert_none(circles(&sources(&["src"])));
}

/// Texts of files under `src`, and the circle that they make, if one does.
type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);

#[test]
fn a_circle_of_three_files_is_reported_and_what_is_none_is_not() {
    let cases: [Case; 6] = [
        (
            &[
                ("decisions/board.rs", "use super::offers::{self, Offer};"),
                ("decisions/offers.rs", "use crate::rules::Rule;"),
                ("decisions/rules.rs", "fn f() { super::board::lay() }"),
            ],
            Some("decisions::board, decisions::offers, decisions::rules"),
        ),
        (
            &[
                ("segments/people/mod.rs", "pub mod read; use super::saved::Card;"),
                ("segments/saved/mod.rs", "use crate::language::keys::Key;"),
                ("segments/language/keys.rs", "use crate::people::People;"),
            ],
            Some("segments::language::keys, segments::people, segments::saved"),
        ),
        (
            &[
                ("decisions/board.rs", "use super::offers::Offer;"),
                ("decisions/offers.rs", "use super::rules::Rule;"),
                ("decisions/rules.rs", "//! `super::board::lay`\nconst A: &str = \"super::board::lay\";"),
            ],
            None,
        ),
        (
            &[
                ("decisions/board.rs", "use super::offers::Offer;"),
                ("decisions/offers.rs", "use super::board::Board;"),
            ],
            None,
        ),
        (
            &[
                ("decisions/lib.rs", "mod board; mod rules; use board::Board; use rules::Rule;"),
                ("decisions/board.rs", "use super::decide; use crate::rules::Rule;"),
                ("decisions/rules.rs", "use crate::decide;"),
            ],
            None,
        ),
        (
            &[
                ("engine/lib.rs", "use decisions::board::Board;"),
                ("decisions/board.rs", "use domain::user::User;"),
                ("domain/user.rs", "struct User;"),
            ],
            None,
        ),
    ];
    for (texts, circle) in cases {
        let sources: Vec<Source> =
            texts.iter().map(|(path, text)| Source::new(&format!("src/{path}"), text)).collect();
        let expected: Vec<String> =
            circle.map(|names| format!("3 files need each other: {names}")).into_iter().collect();
        assert_eq!(circles(&sources), expected, "{texts:?}");
    }
}

/// Sets of more files than may need each other, each once.
fn circles(sources: &[Source]) -> Vec<String> {
    let uses = uses(sources);
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|module| (module.as_str(), reached_from(module, &uses))).collect();
    let needs_each_other = |one: &str, other: &str| {
        let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|all| all.contains(to));
        reaches(one, other) && reaches(other, one)
    };
    let circle = |module: &String| -> Vec<&str> {
        uses.keys().map(String::as_str).filter(|other| needs_each_other(module, other)).collect()
    };
    let all: BTreeSet<Vec<&str>> = uses.keys().map(circle).collect();
    let large = all.into_iter().filter(|circle| circle.len() > LARGEST_CIRCLE);
    large.map(|circle| format!("{} files need each other: {}", circle.len(), circle.join(", "))).collect()
}

/// What each file uses of its own crate; a module and what lies inside it belong together, and their uses do not count.
fn uses(sources: &[Source]) -> Uses {
    let modules: BTreeSet<String> = sources.iter().map(module).collect();
    let used = |source: &Source| {
        let own = module(source);
        let paths = mentions(source).into_iter().filter_map(|mention| inside_crate(source, &mention.path));
        let files = paths.filter_map(|path| file_of(&path, &modules));
        let others = files.filter(|other| !is_within(other, &own) && !is_within(&own, other));
        (own.clone(), others.collect())
    };
    sources.iter().map(used).collect()
}

/// The module of a file: crate and path, such as `segments::people::reach`.
fn module(source: &Source) -> String {
    source.module()[1..].join("::")
}

/// A path into the file's own crate, the crate's name first; a path that begins with `crate` leaves it out.
fn inside_crate(source: &Source, path: &[String]) -> Option<Vec<String>> {
    let (_, rest) = path.split_first().filter(|(first, _)| *first == "crate")?;
    let room = source.room();
    let is_named = rest.first().is_some_and(|first| first == room);
    let missing = (!is_named).then(|| room.to_string());
    Some(missing.into_iter().chain(rest.iter().cloned()).collect())
}

/// The innermost file that a path leads to.
fn file_of(path: &[String], modules: &BTreeSet<String>) -> Option<String> {
    (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|module| modules.contains(module))
}

/// Is a module the other one, or inside it?
fn is_within(module: &str, other: &str) -> bool {
    module.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Every module that is used by one, by those that it uses, and so on.
fn reached_from<'a>(module: &str, uses: &'a Uses) -> BTreeSet<&'a str> {
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![module]);
    while let Some(next) = waiting.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if reached.insert(used.as_str()) {
                waiting.push(used);
            }
        }
    }
    reached
}
