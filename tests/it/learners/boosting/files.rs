//! A model's file: every bit comes back, and what is no model is refused.

use learners::boosting::GradientBoosting;
use serde_json::{Value, json};

use super::{data, fit, logits, small, text};

fn read(text: &str) -> Result<GradientBoosting, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_model_comes_back_from_json_bit_for_bit() {
    let data = data(60, 1_000, 4, 1_000, 0.1);
    let model = fit(&small(), &data);
    let back = read(&text(&model)).unwrap();
    assert_eq!(model, back);
    assert_eq!(text(&model), text(&back));
    assert_eq!(logits(&model, &data.records), logits(&back, &data.records));
}

#[test]
fn the_format_is_as_it_was() {
    let two = json!({"format": 1, "columns": 2, "intercept": -0.5, "trees": [{"nodes": [
        {"split": {"column": 1, "threshold": 0.25, "missing_left": true, "left": 1, "right": 2}},
        {"leaf": {"value": 1.5, "rows": 3}},
        {"leaf": {"value": -2.0, "rows": 1}},
    ]}]});
    let model = read(&two.to_string()).unwrap();
    let logit = |input: f64| model.logit(&[9.0, input]).unwrap();
    assert_eq!([logit(0.25), logit(0.26), logit(f64::NAN)], [1.0, -2.5, 1.0]);
    assert_eq!((model.columns(), model.trees()), (2, 1));
    assert_eq!(serde_json::to_value(&model).unwrap(), two);
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    let sound: Value = serde_json::from_str(&text(&fit(&small(), &data(61, 300, 3, 100, 0.1)))).unwrap();
    let changes: [(&str, Value); 16] = [
        ("/format", json!(2)),
        ("/columns", json!(0)),
        ("/intercept", json!(null)),
        ("/trees/0/nodes", json!([])),
        ("/trees/0/nodes/0/split/column", json!(3)),
        ("/trees/0/nodes/0/split/left", json!(0)),
        ("/trees/0/nodes/0/split/right", json!(1)),
        ("/trees/0/nodes/0/split/right", json!(1_000)),
        ("/trees/0/nodes/0/split/left", json!(-1)),
        ("/trees/0/nodes/0/split/threshold", json!(null)),
        ("/trees/0/nodes/0/split/threshold", json!("1")),
        ("/trees/0/nodes/0/split/other", json!(1)),
        ("/trees/0/nodes/0", json!({"leaf": {"value": 0.0, "rows": 1}})),
        ("/trees/0/nodes/0", json!({"twig": {}})),
        ("/trees/0/other", json!(1)),
        ("/other", json!(1)),
    ];
    for (pointer, value) in changes {
        let mut changed = sound.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match changed.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            object => object[key] = value,
        }
        assert!(read(&changed.to_string()).is_err(), "{pointer}: {changed}");
    }
    let rowless =
        r#"{"format":1,"columns":1,"intercept":0,"trees":[{"nodes":[{"leaf":{"value":1.0,"rows":0}}]}]}"#;
    assert!(read(rowless).unwrap_err().starts_with("bad_model"));
    let vast = rowless.replace("\"value\":1.0", "\"value\":1e999");
    assert!(read(&vast).is_err());
}
