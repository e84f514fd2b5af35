//! Everybody at once: what polars is told, and that long columns are answered as their people one by one.

use domain::time::Instant;
use polars::prelude::*;
use polars_plan::dsl::Expr;
use segments::language::error::{MOST_LEVELS, MOST_NODES};
use segments::language::event_lookup::EventLookup;
use segments::language::expression::Duration;
use segments::language::fields::FieldType;
use segments::language::keys::{DeclaredField, LookupKey, needs};
use segments::language::predicate::{CompiledQuestion, NumberQuestion, Predicate, TextQuestion};
use segments::people::frame::{expression, members};
use segments::people::row::is_member;
use segments::people::{People, PeopleError};

fn holds(key: LookupKey, question: CompiledQuestion) -> Predicate {
    Predicate::Holds { key, question }
}

fn number(question: NumberQuestion) -> Predicate {
    holds(LookupKey::Feature("revenue_90d"), CompiledQuestion::Number(question))
}

fn people(count: usize) -> People {
    let ids = (0..count).map(|row| format!("u{row:06}"));
    People::new(Instant::from_micros(0), StringChunked::from_iter_values("user_id".into(), ids))
}

fn with_numbers(numbers: &[Option<f64>]) -> People {
    let column = Float64Chunked::from_slice_options("number".into(), numbers).into_series();
    people(numbers.len()).with(LookupKey::Feature("revenue_90d"), column).unwrap()
}

/// Both evaluators give the same; returns how many are members.
fn agreed(predicate: &Predicate, people: &People) -> usize {
    let mask = members(predicate, people).unwrap();
    assert_eq!((mask.len(), mask.null_count()), (people.len(), 0));
    for row in 0..people.len() {
        let one = is_member(predicate, &people.person(row)).unwrap();
        assert_eq!(mask.get(row), Some(one), "row {row}: {predicate:?}");
    }
    mask.sum().unwrap_or_default() as usize
}

#[test]
fn zeros_infinities_and_what_is_no_number_are_answered_alike() {
    let numbers = [0.0, -0.0, 1.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let numbers: Vec<_> = numbers.into_iter().map(Some).chain([None]).collect();
    let people = with_numbers(&numbers);
    let table = [
        (NumberQuestion::Equal(0.0), 2),
        (NumberQuestion::NotEqual(0.0), 6),
        (NumberQuestion::Less(0.0), 2),
        (NumberQuestion::AtMost(-0.0), 4),
        (NumberQuestion::Greater(0.0), 2),
        (NumberQuestion::AtLeast(0.0), 4),
        (NumberQuestion::Between(-1.0, 0.0), 3),
        (NumberQuestion::OneOf(vec![-1.0, 0.0]), 3),
    ];
    for (question, expected) in table {
        let predicate = number(question);
        assert_eq!(agreed(&predicate, &people), expected, "{predicate:?}");
        let negated = Predicate::Not(Box::new(predicate));
        assert_eq!(agreed(&negated, &people), numbers.len() - expected, "{negated:?}");
    }
}

#[test]
fn whole_numbers_lie_beside_values_as_their_floats_do() {
    let edge = 1_i64 << 53;
    let numbers = [0, 1, 2, -1, edge - 1, edge, edge + 1, edge + 2, -edge, -edge - 1, i64::MAX, i64::MIN];
    let column = Int64Chunked::from_iter_options("n".into(), numbers.into_iter().map(Some).chain([None]));
    let people =
        people(numbers.len() + 1).with(LookupKey::Feature("revenue_90d"), column.into_series()).unwrap();
    let values = [0.0, 1.0, 1.5, -0.5, (edge - 1) as f64, edge as f64, -edge as f64, 1e300, i64::MAX as f64];
    for value in values {
        let questions = [
            NumberQuestion::Equal(value),
            NumberQuestion::NotEqual(value),
            NumberQuestion::Less(value),
            NumberQuestion::AtMost(value),
            NumberQuestion::Greater(value),
            NumberQuestion::AtLeast(value),
            NumberQuestion::Between(-1.0, value),
            NumberQuestion::OneOf(vec![-1.0, value]),
        ];
        for question in questions {
            agreed(&number(question), &people);
        }
    }
}

#[test]
fn a_long_column_is_answered_as_its_people_one_by_one() {
    let count = 100_003;
    let drawn = |row: usize, of: usize| (row * 7_919 + row / 13) % of;
    let numbers = (0..count).map(|row| (drawn(row, 5) > 0).then_some(drawn(row, 11) as i64));
    let texts = (0..count)
        .map(|row| ["FR", "US", "a name that is longer than twelve bytes"].get(drawn(row, 4)).copied());
    let truths = (0..count).map(|row| [Some(true), Some(false), None][drawn(row, 3)]);
    let mut lists = ListStringChunkedBuilder::new("list".into(), count, count);
    for row in 0..count {
        match drawn(row, 9) {
            0 => lists.append_null(),
            length => lists.append_values_iter(["beer", "tea", "milk", "dairy"].into_iter().take(length / 2)),
        }
    }
    let people = people(count)
        .with(
            LookupKey::Feature("purchases_30d"),
            Int64Chunked::from_iter_options("n".into(), numbers).into_series(),
        )
        .and_then(|people| {
            people.with(
                LookupKey::Attribute("city".into(), FieldType::Text),
                StringChunked::from_iter_options("t".into(), texts).into_series(),
            )
        })
        .and_then(|people| {
            people.with(
                LookupKey::List("vips".into()),
                BooleanChunked::from_iter_options("b".into(), truths).into_series(),
            )
        })
        .and_then(|people| {
            people.with(LookupKey::Declared(DeclaredField::Channels), lists.finish().into_series())
        })
        .unwrap();
    let at_least = |value| {
        holds(LookupKey::Feature("purchases_30d"), CompiledQuestion::Number(NumberQuestion::AtLeast(value)))
    };
    let city = |question| {
        holds(LookupKey::Attribute("city".into(), FieldType::Text), CompiledQuestion::Text(question))
    };
    let vip = |truth| holds(LookupKey::List("vips".into()), CompiledQuestion::Is(truth));
    let milk = holds(LookupKey::Declared(DeclaredField::Channels), CompiledQuestion::Has("milk".into()));
    let predicates = [
        Predicate::All(vec![at_least(5.0), city(TextQuestion::NotEqual("FR".into())), vip(false)]),
        Predicate::Any(vec![city(TextQuestion::Contains("longer".into())), milk.clone(), vip(true)]),
        Predicate::All(vec![Predicate::Not(Box::new(milk)), city(TextQuestion::OneOf(vec!["FR".into()]))]),
        city(TextQuestion::OneOf(vec!["FR".into(), "US".into()])),
        holds(LookupKey::Declared(DeclaredField::Channels), CompiledQuestion::IsKnown),
    ];
    for predicate in predicates {
        let taken = agreed(&predicate, &people);
        assert!((count / 100..count - count / 100).contains(&taken), "{taken} taken: {predicate:?}");
    }
}

#[test]
fn groups_of_nobody_and_questions_about_nothing_are_answered_for_each_person() {
    for count in [0, 1, 5] {
        let people = people(count);
        assert_eq!(agreed(&Predicate::Everybody, &people), count);
        assert_eq!(agreed(&Predicate::All(vec![]), &people), count);
        assert_eq!(agreed(&Predicate::Any(vec![]), &people), 0);
        assert_eq!(agreed(&Predicate::Not(Box::new(Predicate::Everybody)), &people), 0);
    }
}

#[test]
fn the_deepest_and_the_widest_predicates_are_evaluated() {
    let people = with_numbers(&[Some(1.0), Some(2.0), None]);
    let one = || number(NumberQuestion::Equal(1.0));
    let deep = (1..MOST_LEVELS).fold(one(), |inner, _| Predicate::Not(Box::new(inner)));
    assert_eq!(agreed(&deep, &people), if MOST_LEVELS % 2 == 1 { 1 } else { 2 });
    let wide = (1..MOST_NODES).map(|value| number(NumberQuestion::Equal(value as f64))).collect();
    assert_eq!(agreed(&Predicate::Any(wide), &people), 2);
}

/// Columns are named by numbers; texts of the segment stand nowhere but in literals.
#[test]
fn no_text_of_a_segment_is_a_name_or_an_expression_to_polars() {
    let hostile = ["user_id", "*", "^.*$", "", "0", "col(\"user_id\")", "../../etc/passwd"];
    for text in hostile {
        let text = || text.to_string();
        let day = Duration::of_minutes(1_440).unwrap();
        let numbers = [
            LookupKey::Interest(text()),
            LookupKey::Events(EventLookup::count(text(), day)),
            LookupKey::Bucket(text()),
            LookupKey::Propensity(text()),
        ];
        let column = || Float64Chunked::from_slice("number".into(), &[1.0, 2.0]).into_series();
        let words = || StringChunked::from_slice("word".into(), &["a", "b"]).into_series();
        let mut found = people(2).with(LookupKey::Attribute(text(), FieldType::Text), words()).unwrap();
        let questions = [
            TextQuestion::OneOf(vec![text()]),
            TextQuestion::NotEqual(text()),
            TextQuestion::Contains(text()),
        ];
        let mut all: Vec<_> = questions
            .map(|question| {
                holds(LookupKey::Attribute(text(), FieldType::Text), CompiledQuestion::Text(question))
            })
            .into();
        for key in numbers {
            found = found.with(key.clone(), column()).unwrap();
            all.push(holds(key, CompiledQuestion::Number(NumberQuestion::AtLeast(1.0))));
        }
        let predicate = Predicate::All(all);
        let columns = needs(&predicate).keys.len();
        let told = expression(&predicate, &found).unwrap();
        let mut names = 0;
        for part in &told {
            match part {
                Expr::Column(name) => {
                    names += 1;
                    assert!(name.parse::<usize>().is_ok_and(|index| index < columns), "{name:?} is a column");
                }
                Expr::Literal(_)
                | Expr::BinaryExpr { .. }
                | Expr::Cast { .. }
                | Expr::Function { .. }
                | Expr::AnonymousFunction { .. } => {}
                other => panic!("{text:?}: {other:?}", text = text()),
            }
        }
        assert!(names >= columns, "{told:?}");
        agreed(&predicate, &found);
    }
}

#[test]
fn what_was_not_looked_up_or_is_of_another_kind_is_named() {
    let people = with_numbers(&[Some(1.0)]);
    let missing = holds(LookupKey::Bucket("spring".into()), CompiledQuestion::IsKnown);
    assert!(matches!(members(&missing, &people), Err(PeopleError::Missing(LookupKey::Bucket(_)))));
    for question in [
        CompiledQuestion::Is(true),
        CompiledQuestion::Has("1".into()),
        CompiledQuestion::Text(TextQuestion::Contains("1".into())),
    ] {
        // Also where the answer would not matter.
        let asked =
            Predicate::Any(vec![Predicate::Everybody, holds(LookupKey::Feature("revenue_90d"), question)]);
        assert!(matches!(members(&asked, &people), Err(PeopleError::WrongKind(LookupKey::Feature(_)))));
    }
}
