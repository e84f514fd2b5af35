//! Exposures of one user are one unit: without an effect none is found, and users in both arms are counted and named.

use std::fs;

use crate::files::Case;

const HALF: [&str; 2] = ["--treated-percent", "50"];

#[test]
fn twenty_five_rows_of_a_user_are_one_unit() {
    let case = Case::new("09");
    let told = case.json(&[&["evaluate-lift", "exposures.csv"], &HALF[..]].concat());
    let (all, units) = (&told["all"], &told["units"]);
    assert_eq!(
        (&units["column"], &units["n"], &units["rows"]),
        (&"user_id".into(), &400.into(), &10_000.into())
    );
    assert_eq!(all["difference"]["n"], 400, "{told}");
    let end = |name: &str| all["difference"][name].as_f64().unwrap();
    assert!(end("low") < 0.0 && 0.0 < end("high"), "{told}");
    assert!(all["p_value"].as_f64().unwrap() > 0.05, "{told}");
    assert!(
        all["single_look_low"].as_f64().unwrap() < 0.0 && all["single_look_high"].as_f64().unwrap() > 0.0
    );
    assert_eq!(units["both_arms"]["n"], 0);
}

#[test]
fn a_user_in_both_arms_is_named() {
    let case = Case::new("09");
    let rows = fs::read_to_string(case.input("exposures.csv")).unwrap();
    // u1 is treated, u0 held out.
    let file = case.workspace().join("crossing.csv");
    fs::write(&file, rows + "u0,1,1\nu1,0,0\n").unwrap();
    let arguments = [&["evaluate-lift", file.to_str().unwrap()], &HALF[..]].concat();
    let told = case.json(&arguments);
    let both = &told["units"]["both_arms"];
    assert_eq!((&both["n"], &both["of"]), (&2.into(), &400.into()), "{told}");
    assert_eq!(both["examples"], serde_json::json!(["u0", "u1"]));
    let warnings = String::from_utf8(case.run(&arguments).stderr).unwrap();
    assert!(warnings.contains("2 of 400 units have rows in both arms (u0, u1)"), "{warnings}");
}

#[test]
fn without_the_column_the_repeating_rows_are_pointed_out() {
    let case = Case::new("09");
    let rows = fs::read_to_string(case.input("exposures.csv")).unwrap();
    let file = case.workspace().join("renamed.csv");
    fs::write(&file, rows.replacen("user_id", "reader", 1)).unwrap();
    let output = case.run(&[&["evaluate-lift", file.to_str().unwrap()], &HALF[..]].concat());
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(warnings.contains("rows_repeat: column \"reader\" has 400 values in 10000 rows"), "{warnings}");
}
