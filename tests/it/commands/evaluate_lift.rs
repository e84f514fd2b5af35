//! `smartpush evaluate-lift` on anybody's experiment.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{smartpush, stdout_of};

/// 400 units: of 320 treated 96 reached the goal, of 80 held out 8; two campaigns, a score that helps.
fn experiment() -> String {
    let mut text = "campaign_id,arm,goal,score\n".to_string();
    for unit in 0..400 {
        let held = unit % 5 == 0;
        let reached = if held { unit % 50 == 0 } else { unit % 10 < 4 && unit % 5 != 4 };
        let campaign = if unit < 200 { "spring" } else { "autumn" };
        let arm = if held { "control" } else { "treatment" };
        text +=
            &format!("{campaign},{arm},{},{}\n", u8::from(reached), if unit % 10 < 5 { 0.9 } else { 0.1 });
    }
    text
}

fn run(folder: &Path, text: &str, more: &[&str]) -> Output {
    let file = folder.join("experiment.csv");
    fs::write(&file, text).unwrap();
    let mut arguments = vec!["evaluate-lift", file.to_str().unwrap()];
    arguments.extend(more);
    smartpush(folder, &arguments)
}

#[test]
fn every_rate_stands_beside_its_denominator() {
    let folder = tempfile::tempdir().unwrap();
    let told = stdout_of(&run(folder.path(), &experiment(), &["--treated-percent", "80", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let all = &told["all"];
    let reached = experiment().lines().filter(|line| line.contains(",treatment,1,")).count();
    assert_eq!((&all["treated"]["n"], &all["control"]["n"]), (&320.into(), &80.into()));
    assert_eq!((&all["treated"]["reached"], &all["control"]["reached"]), (&reached.into(), &8.into()));
    let difference = all["difference"]["value"].as_f64().unwrap();
    assert!((difference - (reached as f64 / 320.0 - 0.1)).abs() < 1e-12, "{told}");
    let end = |name: &str| all["difference"][name].as_f64().unwrap();
    assert!(end("low") < all["single_look_low"].as_f64().unwrap() && difference < end("high"));
    assert_eq!(all["difference"]["n"], 400);
    assert!(all["assignment_z"].as_f64().unwrap().abs() < 1e-9, "{told}");
    for campaign in ["spring", "autumn"] {
        assert_eq!(told["campaigns"][campaign]["treated"]["n"], 160, "{told}");
    }
    assert!(told["qini"]["coefficient"]["value"].as_f64().unwrap() > 0.0, "{told}");
    assert_eq!(told["qini"]["curve"].as_array().unwrap().len(), 10);
    // Few of those who were held out reached the goal, and that is said.
    assert!(told["warnings"].to_string().contains("few_outcomes"), "{told}");
    let text = stdout_of(&run(folder.path(), &experiment(), &["--treated-percent", "80"]));
    assert!(text.contains(&format!("{reached}/320")) && text.contains("8/80 10.00%"), "{text}");
    assert!(text.contains("Qini coefficient") && text.contains("100 %"), "{text}");
}

#[test]
fn an_assignment_that_was_not_as_it_was_said_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &experiment(), &["--treated-percent", "50"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("assignment_off"), "{output:?}");
}

/// `users` users with 5 rows each, half of them treated, under a column of this name; some have a row in the other arm too.
fn exposures(column: &str, users: usize, crossing: usize) -> String {
    let mut text = format!("{column},country,treated,reached\n");
    for user in 0..users {
        for row in 0..5 {
            let treated = usize::from((user % 2 == 0) != (row == 4 && user < crossing));
            let country = ["FR", "DE", "TR"][(user + row) % 3];
            text += &format!("u{user:03},{country},{treated},{}\n", usize::from((user / 2) % 4 == row));
        }
    }
    text
}

fn told(folder: &Path, text: &str, more: &[&str]) -> Value {
    let more = [&["--treated-percent", "50", "--json"], more].concat();
    serde_json::from_str(&stdout_of(&run(folder, text, &more))).unwrap()
}

#[test]
fn rows_of_one_unit_are_one_draw_whatever_the_column_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let by_user = told(folder.path(), &exposures("user_id", 200, 0), &[]);
    assert_eq!(
        (&by_user["units"]["n"], &by_user["units"]["rows"]),
        (&200.into(), &1_000.into()),
        "{by_user}"
    );
    assert_eq!(
        (&by_user["all"]["difference"]["n"], &by_user["all"]["treated"]["units"]),
        (&200.into(), &100.into())
    );
    assert_eq!(by_user["all"]["treated"]["n"], 500);
    assert_eq!(by_user["warnings"], serde_json::json!([]));
    let by_unit = told(folder.path(), &exposures("unit_id", 200, 0), &[]);
    let mapped = told(folder.path(), &exposures("household", 200, 0), &["--map", "household=unit_id"]);
    assert_eq!((&by_unit["all"], &mapped["all"]), (&by_user["all"], &by_user["all"]));
    assert_eq!(mapped["units"]["column"], "household");
    // Without the column every row counts, and the repeating column is pointed out; countries are none.
    let rows = told(folder.path(), &exposures("household", 200, 0), &[]);
    assert_eq!(rows["all"]["difference"]["n"], 1_000);
    let repeating = serde_json::json!([{"column": "household", "values": 200, "rows": 1_000}]);
    assert_eq!(rows["units"]["repeating"], repeating);
    assert!(rows["warnings"].to_string().contains("--map household=unit_id"), "{rows}");
    let text = stdout_of(&run(folder.path(), &exposures("user_id", 200, 0), &["--treated-percent", "50"]));
    assert!(text.contains("200 units (user_id) in 1,000 rows"), "{text}");
}

#[test]
fn units_in_both_arms_are_counted_named_and_left_out_and_many_of_them_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let few = told(folder.path(), &exposures("user_id", 200, 6), &[]);
    let both = &few["units"]["both_arms"];
    assert_eq!(
        (&both["n"], &both["of"], &both["excluded_rows"]),
        (&6.into(), &200.into(), &30.into()),
        "{few}"
    );
    assert_eq!(both["examples"], serde_json::json!(["u000", "u001", "u002", "u003", "u004"]));
    assert_eq!(few["all"]["difference"]["n"], 194);
    assert!(few["warnings"].to_string().contains("6 of 200 units have rows in both arms"), "{few}");
    let many = exposures("user_id", 200, 30);
    let output = run(folder.path(), &many, &["--treated-percent", "50"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("error: units_in_both_arms: ") && error.contains("30 of 200 units"), "{error}");
    assert!(error.contains("u000, u001") && error.contains("--assigned-by row"), "{error}");
    // When chance assigned rows, users may be in both arms, and still are the draws.
    let by_row = told(folder.path(), &many, &["--assigned-by", "row"]);
    assert_eq!((&by_row["all"]["difference"]["n"], &by_row["units"]["rows"]), (&200.into(), &1_000.into()));
    assert_eq!(
        (&by_row["units"]["both_arms"]["n"], &by_row["units"]["both_arms"]["excluded_rows"]),
        (&30.into(), &0.into())
    );
}

#[test]
fn a_user_may_be_treated_in_one_campaign_and_held_out_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "user_id,campaign_id,treated,reached\n".to_string();
    for user in 0..100 {
        text += &format!("u{user},spring,{},{}\n", user % 2, usize::from(user % 3 == 0));
        text += &format!("u{user},autumn,{},{}\n", (user / 2) % 2, usize::from(user % 5 == 0));
    }
    let told = told(folder.path(), &text, &[]);
    assert_eq!(told["units"]["both_arms"]["n"], 0, "{told}");
    assert_eq!(told["all"]["difference"]["n"], 100);
    assert_eq!(told["campaigns"]["spring"]["difference"]["n"], 100);
}

#[test]
fn what_is_no_experiment_ends_with_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let half = ["--treated-percent", "50"];
    let refused = |text: &str, more: &[&str], code: &str, word: &str| {
        let output = run(folder.path(), text, more);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("error: {code}: ")) && told.contains(word), "{code} {word}: {told}");
    };
    refused(&experiment(), &[], "missing_column", "treated_probability");
    refused(&experiment().replace("arm", "who"), &half, "missing_column", "treated or treatment or arm");
    refused(&experiment().replace("goal", "what"), &half, "missing_column", "reached or outcome");
    refused("treated,reached\n1,1\n1,0\n", &half, "one_arm", "2 units were treated and 0 held out");
    refused("treated,reached\n", &half, "one_arm", "0 units");
    refused("treated,reached\n1,1\n2,0\n", &half, "bad_flag", "line 3: treated");
    refused("treated,reached\n1,1\n0,\n", &half, "missing_value", "line 3: reached");
    refused("treated,reached\n1,1\n0,1\n", &["--treated-percent", "100"], "not_randomised", "probability 1");
    refused("treated,reached,treated_probability\n1,1,0.5\n0,1,1.5\n", &[], "bad_probability", "line 3");
    refused("treated,reached\n1,1\n0,1\n", &["--map", "a=b"], "bad_map", "b");
    refused("treated,reached,score\n1,1,x\n0,1,1\n", &half, "bad_number", "line 2: score");
}
