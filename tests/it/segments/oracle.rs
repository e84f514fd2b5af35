//! Both evaluators beside a naive one that reads the uncompiled tree, over random trees and random people.

use std::collections::BTreeMap;

use domain::time::Instant;
use domain::zone::Zone;
use polars::prelude::*;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use segments::language::compile::{Circumstances, Saved, compile};
use segments::language::event_lookup::EventLookup;
use segments::language::expression::{Condition, Expression, Moment, Subject, Test, Value};
use segments::language::fields::FieldType;
use segments::language::keys::{Computed, DeclaredField, LookupKey, needs};
use segments::people::People;
use segments::people::frame::members;
use segments::people::row::is_member;

use super::trees::{catalogue, field, numbers, sensible_expression};

const PEOPLE: usize = 60;
const DAY: i64 = 86_400_000_000;
/// 2024-06-27T05:00:00Z: the tests' dates lie around it.
const AS_OF: i64 = 19_901 * DAY + 5 * 3_600_000_000;

/// What is known of somebody, as the naive evaluation sees it.
#[derive(Clone, Debug, PartialEq)]
enum Fact {
    Number(f64),
    Text(&'static str),
    Truth(bool),
    Set(Vec<&'static str>),
    Days(f64),
    Micros(i64),
}

type Facts = BTreeMap<String, Vec<Option<Fact>>>;

struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, count: u32) -> usize {
        (self.0.next_u32() % count) as usize
    }

    /// A column: a fifth of the people unknown, where that can be.
    fn column(&mut self, can_be_unknown: bool, mut one: impl FnMut(&mut Draw) -> Fact) -> Vec<Option<Fact>> {
        (0..PEOPLE)
            .map(|_| {
                let fact = one(self);
                (!can_be_unknown || self.below(5) > 0).then_some(fact)
            })
            .collect()
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u32)]
    }
}

/// Random people: everything under the text of its subject for the naive evaluation, under its key for ours.
fn town(seed: u64) -> (Facts, People) {
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let ids = StringChunked::from_iter_values("user_id".into(), (0..PEOPLE).map(|row| format!("u{row:03}")));
    let (mut facts, mut people) = (Facts::new(), People::new(Instant::from_micros(AS_OF), ids));
    for (subject, key, column) in columns(&mut draw) {
        people = people.with(key, series(&column)).unwrap();
        facts.insert(subject.to_string(), column);
    }
    (facts, people)
}

fn number_columns(draw: &mut Draw) -> Vec<(Subject, LookupKey, Vec<Option<Fact>>)> {
    let mut columns = Vec::new();
    for subject in numbers() {
        let key = match &subject {
            Subject::Field(name) => match name.as_str() {
                "kids" => LookupKey::Attribute("kids".into(), FieldType::Number),
                "best_hour" => LookupKey::Computed(Computed::BestHour),
                "rfm_money" => LookupKey::Computed(Computed::RfmMoney),
                "purchases_30d" => LookupKey::Feature("purchases_30d"),
                "open_rate_30d" => LookupKey::Feature("open_rate_30d"),
                _ => LookupKey::Feature("revenue_90d"),
            },
            Subject::Interest(category) => LookupKey::Interest(category.clone()),
            Subject::Count(events) => {
                LookupKey::Events(EventLookup::count(events.event.clone(), events.within.unwrap()))
            }
            Subject::Propensity(goal) => LookupKey::Propensity(goal.clone()),
            Subject::PropensityDecile(goal) => LookupKey::PropensityDecile(goal.clone()),
            _ => LookupKey::Bucket("spring".into()),
        };
        let column = draw.column(true, |draw| Fact::Number(draw.of(&[0.0, 1.0, 2.0, 3.0, 3.5, 5.0])));
        columns.push((subject, key, column));
    }
    columns
}

fn columns(draw: &mut Draw) -> Vec<(Subject, LookupKey, Vec<Option<Fact>>)> {
    let mut columns = number_columns(draw);
    for (name, feature) in [("last_seen", "days_since_own_event"), ("tenure", "tenure_days")] {
        let column = draw.column(true, |draw| Fact::Days(draw.of(&[0.5, 1.0, 1.25, 1.5, 13.9, 14.0, 40.0])));
        columns.push((field(name), LookupKey::Feature(feature), column));
    }
    let moments = [
        ("created_at", LookupKey::Declared(DeclaredField::CreatedAt)),
        ("birthday", LookupKey::Attribute("birthday".into(), FieldType::Moment)),
    ];
    for (name, key) in moments {
        let near = [
            -2 * DAY,
            -DAY - 1,
            -DAY,
            -1,
            0,
            1,
            DAY - 1,
            DAY,
            2 * DAY,
            AS_OF - 19_900 * DAY - 36 * 3_600_000_000,
        ];
        let column = draw.column(true, |draw| Fact::Micros(19_900 * DAY + draw.of(&near)));
        columns.push((field(name), key, column));
    }
    let texts = [
        (field("country"), LookupKey::Feature("country")),
        (field("city"), LookupKey::Attribute("city".into(), FieldType::Text)),
        (Subject::Attribute("odd name".into()), LookupKey::Attribute("odd name".into(), FieldType::Text)),
    ];
    for (subject, key) in texts {
        let column = draw.column(true, |draw| Fact::Text(draw.of(&["FR", "US", "Lyon", "É", "", "DE"])));
        columns.push((subject, key, column));
    }
    let stages = draw.column(false, |draw| Fact::Text(draw.of(&["new", "active", "cooling", "dormant"])));
    columns.push((field("lifecycle"), LookupKey::Feature("lifecycle"), stages));
    let truths = [
        (field("opted_out"), LookupKey::Declared(DeclaredField::OptedOut)),
        (field("vip"), LookupKey::Attribute("vip".into(), FieldType::Truth)),
        (Subject::InSegment("seeds".into()), LookupKey::List("seeds".into())),
    ];
    for (subject, key) in truths {
        let column = draw.column(true, |draw| Fact::Truth(draw.of(&[true, false])));
        columns.push((subject, key, column));
    }
    let sets = [
        (field("interest_categories"), LookupKey::Feature("interest_categories")),
        (field("channels"), LookupKey::Declared(DeclaredField::Channels)),
        (field("hobbies"), LookupKey::Attribute("hobbies".into(), FieldType::Set)),
    ];
    for (subject, key) in sets {
        let column = draw.column(true, |draw| {
            let count = draw.below(4);
            Fact::Set((0..count).map(|_| draw.of(&["dairy", "beer", "push", "", "tea"])).collect())
        });
        columns.push((subject, key, column));
    }
    columns
}

fn series(column: &[Option<Fact>]) -> Series {
    let title = || "column".into();
    let first = column.iter().flatten().next().expect("somebody of whom it is known");
    match first {
        Fact::Number(_) | Fact::Days(_) => {
            let number = |fact: &Option<Fact>| match fact {
                Some(Fact::Number(number) | Fact::Days(number)) => Some(*number),
                _ => None,
            };
            Float64Chunked::from_iter_options(title(), column.iter().map(number)).into_series()
        }
        Fact::Text(_) => {
            let text =
                |fact: &Option<Fact>| if let Some(Fact::Text(text)) = fact { Some(*text) } else { None };
            StringChunked::from_iter_options(title(), column.iter().map(text)).into_series()
        }
        Fact::Truth(_) => {
            let truth =
                |fact: &Option<Fact>| if let Some(Fact::Truth(truth)) = fact { Some(*truth) } else { None };
            BooleanChunked::from_iter_options(title(), column.iter().map(truth)).into_series()
        }
        Fact::Micros(_) => {
            let micros = |fact: &Option<Fact>| {
                if let Some(Fact::Micros(micros)) = fact { Some(*micros) } else { None }
            };
            let micros = Int64Chunked::from_iter_options(title(), column.iter().map(micros));
            micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
        }
        Fact::Set(_) => {
            let mut builder = ListStringChunkedBuilder::new(title(), column.len(), column.len());
            for fact in column {
                match fact {
                    Some(Fact::Set(elements)) => builder.append_values_iter(elements.iter().copied()),
                    _ => builder.append_null(),
                }
            }
            builder.finish().into_series()
        }
    }
}

/// The meaning of an expression, written down without thought for speed.
fn holds(expression: &Expression, facts: &Facts, row: usize) -> bool {
    match expression {
        Expression::Everybody => true,
        Expression::All(members) => members.iter().all(|member| holds(member, facts, row)),
        Expression::Any(members) => members.iter().any(|member| holds(member, facts, row)),
        Expression::Not(negated) => !holds(negated, facts, row),
        Expression::Condition(Condition { subject, test }) => {
            let fact = facts[&subject.to_string()][row].as_ref();
            match test {
                Test::IsKnown => fact.is_some(),
                Test::IsUnknown => fact.is_none(),
                _ => fact.is_some_and(|fact| passes(fact, test)),
            }
        }
    }
}

fn passes(fact: &Fact, test: &Test) -> bool {
    let order = |value: &Value| compared(fact, value);
    match test {
        Test::IsTrue => *fact == Fact::Truth(true),
        Test::Equal(value) => order(value).is_eq(),
        Test::NotEqual(value) => order(value).is_ne(),
        Test::Less(value) => order(value).is_lt(),
        Test::AtMost(value) => order(value).is_le(),
        Test::Greater(value) => order(value).is_gt(),
        Test::AtLeast(value) => order(value).is_ge(),
        Test::In(values) => values.iter().any(|value| order(value).is_eq()),
        Test::Between([low, high]) => order(low).is_ge() && order(high).is_le(),
        Test::Contains(Value::Text(part)) => match fact {
            Fact::Set(elements) => elements.iter().any(|element| element == part),
            Fact::Text(text) => text.contains(part.as_str()),
            other => panic!("{other:?} contains nothing"),
        },
        Test::Contains(_) | Test::IsKnown | Test::IsUnknown => unreachable!("no such test is drawn"),
    }
}

/// Where the fact lies beside the value; a date is a whole day, and what lies within it is equal to it.
fn compared(fact: &Fact, value: &Value) -> std::cmp::Ordering {
    match (fact, value) {
        (Fact::Number(fact), Value::Number(value)) => fact.partial_cmp(value).unwrap(),
        (Fact::Text(fact), Value::Text(value)) => (*fact).cmp(value.as_str()),
        (Fact::Truth(fact), Value::Truth(value)) => fact.cmp(value),
        (Fact::Days(fact), Value::Duration(value)) => {
            ((fact * DAY as f64).round() as i64).cmp(&value.micros())
        }
        (Fact::Micros(fact), Value::Moment(Moment::Date(day))) => fact.div_euclid(DAY).cmp(&i64::from(day.0)),
        (Fact::Micros(fact), Value::Moment(Moment::At(instant))) => fact.cmp(&instant.micros()),
        (Fact::Micros(fact), Value::Moment(Moment::Ago(length))) => fact.cmp(&(AS_OF - length.micros())),
        (fact, value) => panic!("{fact:?} is not compared with {value:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn both_evaluators_agree_with_a_naive_one(expression in sensible_expression(), seed in 0_u64..1_000) {
        let (facts, people) = town(seed);
        let (catalogue, zone) = (catalogue(), Zone::utc());
        let circumstances =
            Circumstances { catalogue: &catalogue, as_of: people.as_of(), zone: &zone };
        let saved = |id: &str| (id == "seeds").then_some(Saved::List);
        let predicate = compile(&expression, circumstances, None, &saved)
            .map_err(|located| TestCaseError::fail(format!("{expression}: {located:?}")))?;
        prop_assert_eq!(people.missing(&needs(&predicate)), vec![]);
        let mask = members(&predicate, &people).unwrap();
        for row in 0..PEOPLE {
            let naive = holds(&expression, &facts, row);
            prop_assert_eq!(mask.get(row), Some(naive), "frame, row {}: {}", row, &expression);
            let person = people.person(row);
            prop_assert_eq!(is_member(&predicate, &person).unwrap(), naive, "row {}: {}", row, &expression);
        }
    }
}

#[test]
fn random_trees_take_some_people_and_leave_others() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (mut runner, strategy) = (TestRunner::deterministic(), sensible_expression());
    let (facts, _) = town(1);
    let splits = (0..500).filter(|_| {
        let expression = strategy.new_tree(&mut runner).unwrap().current();
        let members = (0..PEOPLE).filter(|row| holds(&expression, &facts, *row)).count();
        members > 0 && members < PEOPLE
    });
    assert!(splits.count() > 250, "most trees should tell people apart");
}
