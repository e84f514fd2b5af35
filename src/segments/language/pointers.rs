//! JSON pointers to the nodes of an expression.

use super::expression::{Condition, Expression, Subject, Test};

/// The JSON pointer of a path.
pub(super) fn pointer(expression: &Expression, path: &[usize]) -> String {
    let (mut node, mut pointer) = (expression, String::new());
    for (depth, index) in path.iter().enumerate() {
        let next = match node {
            Expression::All(members) => members.get(*index).inspect(|_| pointer += &format!("/all/{index}")),
            Expression::Any(members) => members.get(*index).inspect(|_| pointer += &format!("/any/{index}")),
            Expression::Not(negated) => {
                pointer += "/not";
                Some(&**negated)
            }
            Expression::Condition(condition) => {
                return pointer + "/condition" + &pointer_in(condition, &path[depth..]);
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

fn pointer_in(condition: &Condition, path: &[usize]) -> String {
    match path {
        [0, rest @ ..] => "/subject".to_string() + &pointer_in_events(&condition.subject, rest),
        [child, ..] => pointer_in_test(&condition.test, child - 1),
        [] => String::new(),
    }
}

/// Below a subject that selects events: the event's name, and each test of an event.
fn pointer_in_events(subject: &Subject, path: &[usize]) -> String {
    let Some((function, selection)) = subject.events() else { return String::new() };
    match path {
        [] => String::new(),
        [0, ..] => format!("/{function}/event"),
        [filter, rest @ ..] => {
            let (index, test) = (filter - 1, selection.filters.get(filter - 1).map(|filter| &filter.test));
            let inner = match (rest, test) {
                ([child, ..], Some(test)) if *child > 0 => pointer_in_test(test, child - 1),
                _ => String::new(),
            };
            format!("/{function}/where/{index}{inner}")
        }
    }
}

fn pointer_in_test(test: &Test, value: usize) -> String {
    match test {
        Test::In(_) | Test::Between(_) => format!("/test/{}/{value}", test.word()),
        _ => format!("/test/{}", test.word()),
    }
}
