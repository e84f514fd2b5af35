//! Random expressions: any that can be written, and such as the catalogue of the tests understands.

use std::collections::BTreeMap;

use domain::time::{Day, Instant};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use segments::language::event_selection::{EventField, EventFilter, EventSelection};
use segments::language::expression::{
    Condition, Duration, Expression, FieldName, Moment, Subject, Test, Value,
};
use segments::language::fields::{FieldCatalogue, FieldType};

/// Built-in fields, some attributes, two goals.
pub(super) fn catalogue() -> FieldCatalogue {
    let attributes = [
        ("birthday", FieldType::Moment),
        ("city", FieldType::Text),
        ("hobbies", FieldType::Set),
        ("kids", FieldType::Number),
        ("odd name", FieldType::Text),
        ("vip", FieldType::Truth),
    ];
    let attributes: BTreeMap<String, FieldType> =
        attributes.into_iter().map(|(name, field_type)| (name.to_string(), field_type)).collect();
    FieldCatalogue::new(attributes, vec!["churn_30d".into(), "purchase_7d".into()])
}

pub(super) fn minutes(minutes: u32) -> Duration {
    Duration::of_minutes(minutes).expect("not that long")
}

pub(super) fn field(name: &str) -> Subject {
    Subject::Field(FieldName::new(name).expect("a name"))
}

/// Any tree that can be written down, sensible or not.
pub(super) fn any_expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => Just(Expression::Everybody),
        12 => (any_subject(), any_test())
            .prop_map(|(subject, test)| Expression::Condition(Condition { subject, test })),
    ];
    grown(leaf)
}

/// Groups and negations over some leaves.
pub(super) fn grown(leaf: impl Strategy<Value = Expression> + 'static) -> impl Strategy<Value = Expression> {
    leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..5).prop_map(Expression::All),
            vec(inner.clone(), 1..5).prop_map(Expression::Any),
            inner.prop_map(|negated| Expression::Not(Box::new(negated))),
        ]
    })
}

fn any_subject() -> impl Strategy<Value = Subject> {
    let name =
        "[A-Za-z_][A-Za-z0-9_]{0,12}".prop_filter_map("a word of the language", |name| FieldName::new(&name));
    prop_oneof![
        name.prop_map(Subject::Field),
        any::<String>().prop_map(Subject::Attribute),
        any::<String>().prop_map(Subject::Interest),
        any::<String>().prop_map(Subject::TagInterest),
        any_events().prop_map(Subject::Count),
        any_events().prop_map(Subject::Sum),
        any_events().prop_map(Subject::Last),
        any_events().prop_map(Subject::First),
        any::<String>().prop_map(Subject::Propensity),
        any::<String>().prop_map(Subject::PropensityDecile),
        any::<String>().prop_map(Subject::Bucket),
        any::<String>().prop_map(Subject::InSegment),
    ]
}

/// Events of any name, in a window or in all history, with any tests.
fn any_events() -> impl Strategy<Value = EventSelection> {
    // A field alone asks nothing of it and is written like a test that is true.
    let filter = (select(EventField::ALL.to_vec()), any_test());
    let filter = filter.prop_map(|(field, test)| EventFilter { field, test });
    (any::<String>(), proptest::option::of(any_duration()), vec(filter, 0..3))
        .prop_map(|(event, within, filters)| EventSelection { event, within, filters })
}

fn any_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        Just(Test::IsTrue),
        Just(Test::IsKnown),
        Just(Test::IsUnknown),
        any_value().prop_map(Test::Equal),
        any_value().prop_map(Test::NotEqual),
        any_value().prop_map(Test::Less),
        any_value().prop_map(Test::AtMost),
        any_value().prop_map(Test::Greater),
        any_value().prop_map(Test::AtLeast),
        any_value().prop_map(Test::Contains),
        vec(any_value(), 1..4).prop_map(Test::In),
        (any_value(), any_value()).prop_map(|(low, high)| Test::Between([low, high])),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        (NORMAL | SUBNORMAL | ZERO | NEGATIVE | POSITIVE).prop_map(Value::Number),
        any::<i32>().prop_map(|number| Value::Number(f64::from(number))),
        (-1_000..1_000_i32).prop_map(|number| Value::Number(f64::from(number) / 100.0)),
        any::<String>().prop_map(Value::Text),
        any::<bool>().prop_map(Value::Truth),
        any_duration().prop_map(Value::Duration),
        any_moment().prop_map(Value::Moment),
    ]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![0..5_000_u32, (0..36_500_u32).prop_map(|days| days * 24 * 60)].prop_map(minutes)
}

fn any_moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (-30_000..60_000_i32).prop_map(|day| Moment::Date(Day(day))),
        (-2_000_000_000_000_000..4_000_000_000_000_000_i64)
            .prop_map(|micros| Moment::At(Instant::from_micros(micros))),
        any_duration().prop_map(Moment::Ago),
    ]
}

/// Trees that compile against [`catalogue`], over values that people of the tests have.
pub(super) fn sensible_expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        1 => Just(Expression::Everybody),
        20 => sensible_condition().prop_map(Expression::Condition),
    ];
    grown(leaf)
}

fn sensible_condition() -> impl Strategy<Value = Condition> {
    let conditions = |subjects: Vec<Subject>, test: BoxedStrategy<Test>| {
        (select(subjects), test).prop_map(|(subject, test)| Condition { subject, test }).boxed()
    };
    prop_oneof![
        4 => conditions(numbers(), number_test()),
        2 => conditions(vec![field("last_seen"), field("tenure")], duration_test()),
        2 => conditions(vec![field("created_at"), field("birthday")], moment_test()),
        2 => conditions(vec![field("country"), field("city"), Subject::Attribute("odd name".into())], text_test(&["FR", "US", "Lyon", "É", ""])),
        1 => conditions(vec![field("lifecycle")], text_test(&["active", "cooling", "new"])),
        2 => conditions(vec![field("opted_out"), field("vip"), Subject::InSegment("seeds".into())], truth_test()),
        2 => conditions(vec![field("interest_categories"), field("channels"), field("hobbies")], set_test()),
    ]
}

/// Subjects that are numbers.
pub(super) fn numbers() -> Vec<Subject> {
    vec![
        field("purchases_30d"),
        field("open_rate_30d"),
        field("revenue_90d"),
        field("kids"),
        field("best_hour"),
        field("rfm_money"),
        Subject::Interest("dairy".into()),
        Subject::Count(EventSelection::of("purchase", minutes(30 * 24 * 60))),
        Subject::Propensity("purchase_7d".into()),
        Subject::PropensityDecile("purchase_7d".into()),
        Subject::Bucket("spring".into()),
    ]
}

fn known() -> BoxedStrategy<Test> {
    select(vec![Test::IsKnown, Test::IsUnknown]).boxed()
}

fn number_test() -> BoxedStrategy<Test> {
    let number = || select(vec![0.0, 1.0, 2.0, 3.5, 5.0]).prop_map(Value::Number);
    prop_oneof![
        number().prop_map(Test::Equal),
        number().prop_map(Test::NotEqual),
        number().prop_map(Test::Less),
        number().prop_map(Test::AtMost),
        number().prop_map(Test::Greater),
        number().prop_map(Test::AtLeast),
        vec(number(), 1..4).prop_map(Test::In),
        (0..3_i32, 3..6_i32)
            .prop_map(|(low, high)| Test::Between([low, high].map(|end| Value::Number(end.into())))),
        known(),
    ]
    .boxed()
}

fn duration_test() -> BoxedStrategy<Test> {
    let duration =
        || select(vec![24 * 60, 36 * 60, 14 * 24 * 60]).prop_map(|length| Value::Duration(minutes(length)));
    prop_oneof![
        duration().prop_map(Test::Less),
        duration().prop_map(Test::AtMost),
        duration().prop_map(Test::Greater),
        duration().prop_map(Test::AtLeast),
        Just(Test::Between([24 * 60, 14 * 24 * 60].map(|length| Value::Duration(minutes(length))))),
        known(),
    ]
    .boxed()
}

fn moment_test() -> BoxedStrategy<Test> {
    let moments = vec![
        Moment::Date(Day(19_900)),
        Moment::Date(Day(19_901)),
        Moment::At(Instant::from_micros(19_900 * 86_400_000_000)),
        Moment::Ago(minutes(36 * 60)),
    ];
    let moment = move || select(moments.clone()).prop_map(Value::Moment);
    prop_oneof![
        moment().prop_map(Test::Equal),
        moment().prop_map(Test::NotEqual),
        moment().prop_map(Test::Less),
        moment().prop_map(Test::AtMost),
        moment().prop_map(Test::Greater),
        moment().prop_map(Test::AtLeast),
        Just(Test::Between([19_899, 19_900].map(|day| Value::Moment(Moment::Date(Day(day)))))),
        known(),
    ]
    .boxed()
}

fn text_test(words: &[&str]) -> BoxedStrategy<Test> {
    let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    let word = move || select(words.clone()).prop_map(Value::Text);
    prop_oneof![
        word().prop_map(Test::Equal),
        word().prop_map(Test::NotEqual),
        vec(word(), 1..4).prop_map(Test::In),
        select(vec!["y", "", "ac"]).prop_map(|part| Test::Contains(Value::Text(part.into()))),
        known(),
    ]
    .boxed()
}

fn truth_test() -> BoxedStrategy<Test> {
    let truth = || any::<bool>().prop_map(Value::Truth);
    prop_oneof![Just(Test::IsTrue), truth().prop_map(Test::Equal), truth().prop_map(Test::NotEqual), known()]
        .boxed()
}

fn set_test() -> BoxedStrategy<Test> {
    let element = select(vec!["dairy", "beer", "push", ""]);
    prop_oneof![element.prop_map(|element| Test::Contains(Value::Text(element.into()))), known()].boxed()
}
