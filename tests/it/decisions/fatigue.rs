//! How long pushes are felt: a setting that decisions carry with them.

use decisions::context::DecisionContext;
use decisions::decide;
use decisions::scorer::PopularityScorer;
use serde_json::Value;

use super::world::{content, context, past_send};

/// Bread for a user who had a push six days ago, which still costs something.
fn context_with(half_life_days: f64) -> DecisionContext {
    let mut context = context("2026-06-10T16:00:00Z");
    context.horizon_hours = 1;
    context.contents = vec![content("bread", -1.0)];
    context.sends = vec![past_send("2026-06-04T16:00:00Z")];
    context.settings.fatigue_price = 0.001;
    context.fatigue_half_life_days = half_life_days;
    context
}

fn value(context: &DecisionContext) -> f64 {
    decide(context, &PopularityScorer).candidates[0].value
}

#[test]
fn a_push_is_felt_half_as_much_after_each_half_life() {
    for days in [1.0, 3.0, 6.0, 30.0] {
        let felt = 0.5_f64.powf(6.0 / days);
        let free = value(&DecisionContext { sends: Vec::new(), ..context_with(days) });
        assert!((free - value(&context_with(days)) - 0.001 * felt).abs() < 1e-15, "{days} days");
    }
}

#[test]
fn a_record_that_says_nothing_was_made_with_three_days_and_another_half_life_is_written_down() {
    let usual = serde_json::to_value(context_with(3.0)).unwrap();
    assert_eq!(usual.get("fatigue_half_life_days"), None, "records of before keep their bytes");
    let read: DecisionContext = serde_json::from_value(usual).unwrap();
    assert_eq!(read, context_with(3.0));
    let other = serde_json::to_value(context_with(7.5)).unwrap();
    assert_eq!(other["fatigue_half_life_days"], Value::from(7.5));
    let read: DecisionContext = serde_json::from_value(other).unwrap();
    assert_eq!(read, context_with(7.5));
}
