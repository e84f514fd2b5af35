//! Model files that somebody cut, edited, or brought from elsewhere: each a named error, never a panic, never a score.

use serde_json::{Value, json};
use smartpush::domain::identity::sha256_hex;
use smartpush::registry::model::{Model, ModelError};
use smartpush::registry::versions::version_of;

use super::handmade;
use super::town::{self, SMALL, day};
use super::world::World;

const GOAL: &str = "buy_2d";

/// Puts a text where a version lies, named as its bytes say.
fn put(world: &World, bytes: &[u8]) -> String {
    let version = sha256_hex(bytes)[..12].to_string();
    put_as(world, &version, bytes);
    version
}

fn put_as(world: &World, version: &str, bytes: &[u8]) {
    let directory = world.registry().version_directory(GOAL, version);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("model.json"), bytes).unwrap();
}

fn remove(world: &World, version: &str) {
    std::fs::remove_dir_all(world.registry().version_directory(GOAL, version)).unwrap();
}

/// An edit of a sound model's JSON.
type Edit = fn(&mut Value);

/// What was done to the file, and words of the refusal.
const EDITS: &[(&str, Edit, &str, &[&str])] = &[
    ("format 99", |model| model["format"] = 99.into(), "newer_format", &["99", "reads up to 5"]),
    (
        "format 99 of another shape",
        |model| *model = json!({"format": 99, "trees": []}),
        "newer_format",
        &["99"],
    ),
    ("no format", |model| drop(model.as_object_mut().unwrap().remove("format")), "bad_model", &["format"]),
    ("a list", |model| *model = json!([1, 2]), "bad_model", &[]),
    ("an unknown field", |model| model["forest"] = 3.into(), "bad_model", &["forest"]),
    ("an unknown field of an input", |model| model["inputs"][0]["bias"] = 1.into(), "bad_model", &["bias"]),
    (
        "an unknown field of the goal",
        |model| model["definition"]["horizon"] = 1.into(),
        "bad_model",
        &["horizon"],
    ),
    (
        "an unknown field of the calibration",
        |model| model["calibration"]["bend"] = 1.into(),
        "bad_model",
        &["bend"],
    ),
    ("a lost weight", |model| model["inputs"][0]["weight"] = Value::Null, "bad_model", &["null"]),
    ("a weight in words", |model| model["inputs"][0]["weight"] = "NaN".into(), "bad_model", &["NaN"]),
    (
        "scale 0",
        |model| model["inputs"][3]["scale"] = 0.0.into(),
        "bad_model",
        &["days_since_purchase", "scale"],
    ),
    ("scale below 0", |model| model["inputs"][3]["scale"] = (-1.0).into(), "bad_model", &["scale"]),
    ("clip 0", |model| model["clip"] = 0.0.into(), "bad_model", &["clip"]),
    ("base rate 2", |model| model["base_rate"] = 2.0.into(), "bad_model", &["base_rate"]),
    ("time weight below 0", |model| model["time_weight"] = (-1.0).into(), "bad_model", &["time_weight"]),
    (
        "blocks in disorder",
        |model| model["inputs"][0]["block"] = "pair".into(),
        "bad_model",
        &["blocks are not in order"],
    ),
    ("a block of its own", |model| model["inputs"][0]["block"] = "weather".into(), "bad_model", &["weather"]),
    (
        "a slope that falls",
        |model| model["calibration"] = json!({"kind": "platt", "slope": -1.0, "intercept": 0.0}),
        "bad_model",
        &["calibration"],
    ),
    (
        "a curve that falls",
        |model| {
            model["calibration"] =
                json!({"kind": "isotonic", "logits": [0.0, 1.0], "probabilities": [0.5, 0.4]});
        },
        "bad_model",
        &["calibration"],
    ),
    (
        "a curve with logits in disorder",
        |model| {
            model["calibration"] =
                json!({"kind": "isotonic", "logits": [1.0, 0.0], "probabilities": [0.4, 0.5]});
        },
        "bad_model",
        &["calibration"],
    ),
    (
        "a curve of unequal lists",
        |model| model["calibration"] = json!({"kind": "isotonic", "logits": [1.0], "probabilities": []}),
        "bad_model",
        &["calibration"],
    ),
    (
        "a curve above 1",
        |model| model["calibration"] = json!({"kind": "isotonic", "logits": [1.0], "probabilities": [1.5]}),
        "bad_model",
        &["calibration"],
    ),
    ("another calibration", |model| model["calibration"]["kind"] = "magic".into(), "bad_model", &["magic"]),
    ("another goal's", |model| model["goal"] = "redeem".into(), "bad_model", &["it predicts redeem"]),
    (
        "half-life 0",
        |model| model["profile_settings"]["fatigue_half_life_days"] = 0.0.into(),
        "bad_model",
        &["profile_settings", "fatigue_half_life_days"],
    ),
    (
        "a half-life that grows",
        |model| model["profile_settings"]["rhythm_half_life_days"] = (-0.001).into(),
        "bad_model",
        &["profile_settings", "rhythm_half_life_days"],
    ),
    (
        "other features",
        |model| model["features_sha256"] = "0123456789abcdef".into(),
        "other_features",
        &["0123456789ab", "train it again"],
    ),
    (
        "other inputs",
        |model| model["inputs_sha256"] = "fedcba9876543210".into(),
        "other_features",
        &["fedcba987654", "train it again"],
    ),
    ("an input less", |model| drop(model["inputs"].as_array_mut().unwrap().pop()), "bad_model", &["inputs"]),
];

#[test]
fn a_model_that_was_edited_is_refused_with_what_is_wrong_even_under_its_own_hash() {
    let world = SMALL.world(town::SETTINGS);
    let sound = handmade::model(&world.config, GOAL, day(30), 1);
    let score = ["score", "--goal", GOAL, "--out", "x.csv"];
    for (what, edit, code, words) in EDITS {
        let mut model = serde_json::to_value(&sound).unwrap();
        edit(&mut model);
        let version = put(&world, model.to_string().as_bytes());
        let error = world.refused(&score, code);
        words.iter().for_each(|word| assert!(error.contains(word), "{what}: {error:?} lacks {word:?}"));
        assert!(error.contains("model.json") && error.contains(&version), "{what}: {error:?} names the file");
        assert!(!world.path("x.csv").exists(), "{what}");
        remove(&world, &version);
    }
    // And the model that was not edited scores.
    put(&world, sound.to_text().as_bytes());
    world.ok(&score);
}

#[test]
fn texts_that_are_no_model_are_refused_without_a_panic() {
    let world = SMALL.world(town::SETTINGS);
    let sound = handmade::model(&world.config, GOAL, day(30), 1).to_text();
    let one = sound.find("\"weight\": ").unwrap() + "\"weight\": ".len();
    let end = one + sound[one..].find('\n').unwrap();
    let with_weight = |text: &str| format!("{}{text}{}", &sound[..one], &sound[end..]).into_bytes();
    let twice = sound.replacen("\"seed\"", "\"seed\": 1,\n  \"seed\"", 1);
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("a space", b" \n".to_vec()),
        ("binary", (0..=255).collect()),
        ("zeros", vec![0; 4_096]),
        ("a weight of NaN", with_weight("NaN")),
        ("a weight of 1e999", with_weight("1e999")),
        ("a weight of -Infinity", with_weight("-Infinity")),
        ("a key twice", twice.into_bytes()),
        ("two models", [sound.clone(), sound.clone()].concat().into_bytes()),
        ("very deep", "[".repeat(100_000).into_bytes()),
    ];
    let cuts = [1, sound.len() / 4, sound.len() / 2, sound.len() - 3];
    let cut = cuts.map(|length| ("cut", sound.as_bytes()[..length].to_vec()));
    for (what, bytes) in texts.into_iter().chain(cut) {
        let version = put(&world, &bytes);
        for command in [
            &["score", "--goal", GOAL, "--out", "x.csv"][..],
            &["models", "show", "--goal", GOAL, &version],
            &["models", "promote", "--goal", GOAL, &version],
        ] {
            let error = world.refused(command, "bad_model");
            assert!(error.contains("model.json"), "{what}: {error}");
        }
        remove(&world, &version);
    }
}

#[test]
fn a_model_with_one_digit_changed_is_no_longer_what_its_version_says() {
    let world = SMALL.world(town::SETTINGS);
    let sound = handmade::model(&world.config, GOAL, day(30), 1).to_text();
    let version = put(&world, sound.as_bytes());
    world.ok(&["score", "--goal", GOAL, "--out", "x.csv"]);
    let digits: Vec<usize> =
        sound.char_indices().filter(|(_, letter)| letter.is_ascii_digit()).map(|(at, _)| at).collect();
    for index in digits.iter().step_by(digits.len() / 12) {
        let mut edited = sound.clone().into_bytes();
        edited[*index] = if edited[*index] == b'7' { b'8' } else { b'7' };
        put_as(&world, &version, &edited);
        let ran = world.run(&["score", "--goal", GOAL, "--out", "y.csv"]);
        assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
        assert!(!world.path("y.csv").exists());
    }
    // A change that leaves a model which could be used is told by the version alone.
    put_as(&world, &version, sound.replace("\"penalty\": 1.0", "\"penalty\": 2.0").as_bytes());
    let error = world.refused(&["score", "--goal", GOAL, "--out", "y.csv"], "bad_model");
    assert!(error.contains("cut or edited"), "{error}");
}

#[test]
fn a_list_shows_what_is_broken_and_goes_on() {
    let world = SMALL.world(town::SETTINGS);
    let sound = put(&world, handmade::model(&world.config, GOAL, day(30), 1).to_text().as_bytes());
    let broken = put(&world, b"{ \"format\": 1");
    let newer = put(&world, b"{ \"format\": 6 }");
    std::fs::write(world.path("models/buy_2d/notes.txt"), "not a version").unwrap();
    std::fs::create_dir_all(world.path("models/buy_2d/drafts")).unwrap();
    std::fs::create_dir_all(world.path(&format!("models/buy_2d/{}", "0".repeat(12)))).unwrap();
    let listed = world.ok(&["models", "list"]);
    let models = listed["models"].as_array().unwrap();
    let of = |version: &str| models.iter().find(|model| model["version"] == version).unwrap();
    assert_eq!(models.len(), 4, "{listed}");
    assert_eq!(of(&sound)["kind"], "logistic_regression");
    for (version, code) in
        [(&broken, "bad_model"), (&newer, "newer_format"), (&"0".repeat(12), "unknown_model")]
    {
        let error = of(version)["error"].as_str().unwrap();
        assert!(error.starts_with(code), "{error}");
    }
    let text = std::process::Command::new(env!("CARGO_BIN_EXE_smartpush"))
        .arg("--workspace")
        .arg(world.path(""))
        .args(["models", "list"])
        .output()
        .unwrap();
    let text = crate::support::stdout_of(&text);
    assert_eq!(text.lines().filter(|line| line.starts_with("! buy_2d")).count(), 3, "{text}");
}

/// What happened to a model's text, and the code of the error that says so.
type Damage = (fn(&str) -> String, &'static str);

const DAMAGES: [Damage; 3] = [
    (|text| text[..text.len() / 2].to_string(), "bad_model"),
    // One bit: a 0 becomes a 1, and the file can be read as before.
    (|text| text.replacen("\"penalty\": 1.0", "\"penalty\": 1.1", 1), "bad_model"),
    (|text| text.replacen("\"format\": ", "\"format\": 9", 1), "newer_format"),
];

/// Writes a model as of a day, as it is after some damage; returns its version.
fn put_damaged(world: &World, goal: &str, number: i64, damage: fn(&str) -> String) -> String {
    let text = handmade::model(&world.config, goal, day(number), 7).to_text();
    let (version, damaged) = (version_of(&text), damage(&text));
    assert_ne!(damaged, text);
    let directory = world.registry().version_directory(goal, &version);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("model.json"), damaged).unwrap();
    version
}

#[test]
fn a_damaged_version_beside_healthy_ones_is_skipped_and_named() {
    let world = SMALL.world(town::SETTINGS);
    world.ok(&["profile"]);
    let questions: [(&str, &[&str]); 3] = [
        ("buy_2d", &["score", "--goal", "buy_2d", "--out", "x.csv"]),
        ("buy_2d", &["segment", "count", "--where", "propensity(\"buy_2d\") > 0.4"]),
        ("engage_24h", &["recommend", "--out", "x.csv"]),
    ];
    for goal in ["buy_2d", "engage_24h"] {
        for number in [10, 20] {
            let model = handmade::model(&world.config, goal, day(number), 1);
            world.registry().write(&model, &handmade::card(goal, day(60))).unwrap();
        }
    }
    for (goal, question) in questions {
        let healthy = world.run(question);
        assert_eq!((healthy.exit, healthy.stderr.contains("is skipped")), (Some(0), false), "{question:?}");
        for (damage, code) in DAMAGES {
            let version = put_damaged(&world, goal, 25, damage);
            let ran = world.run(question);
            assert_eq!((ran.exit, &ran.json), (Some(0), &healthy.json), "{question:?}: {}", ran.stderr);
            let warning = format!("warning: version {version} of goal {goal} is skipped: {code}: ");
            let line = ran.stderr.lines().find(|line| line.starts_with(&warning)).unwrap_or_default();
            assert!(line.contains(&format!("models/{goal}/{version}/model.json")), "{}", ran.stderr);
            std::fs::remove_dir_all(world.registry().version_directory(goal, &version)).unwrap();
        }
        // One that is older than the model, and can be read, is not even hashed.
        let version = put_damaged(&world, goal, 15, DAMAGES[1].0);
        let ran = world.run(question);
        assert_eq!((ran.json, ran.stderr.contains("is skipped")), (healthy.json, false), "{}", ran.stderr);
        std::fs::remove_dir_all(world.registry().version_directory(goal, &version)).unwrap();
    }
}

#[test]
fn a_version_whose_writing_was_cut_short_is_none() {
    let world = SMALL.world(town::SETTINGS);
    let directory = world.registry().version_directory("engage_24h", &"0".repeat(12));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("card.json"), "{}").unwrap();
    assert_eq!(world.ok(&["recommend", "--out", "x.csv"])["fallback"], true);
    world.refused(&["score", "--goal", "engage_24h", "--out", "x.csv"], "no_model");
}

#[test]
fn a_model_of_another_declaration_of_its_goal_is_refused() {
    let mut world = SMALL.world(town::SETTINGS);
    put(&world, handmade::model(&world.config, GOAL, day(30), 1).to_text().as_bytes());
    let content = handmade::model(&world.config, "engage_24h", day(30), 1);
    world.registry().write(&content, &handmade::card("engage_24h", day(30))).unwrap();
    let score = ["score", "--goal", GOAL, "--out", "x.csv"];
    // Words for people and the value may change; what the model predicts may not.
    world.set(
        &town::SETTINGS.replace("buys within two days", "purchase!").replace("window", "value = 3.0\nwindow"),
    );
    world.ok(&score);
    for (old, new) in [
        ("window = \"2d\"", "window = \"4d\""),
        ("[\"purchase\"]", "[\"view\"]"),
        ("\"everybody\"", "\"active_30d\""),
        ("unit = \"user_day\"", "absent = true\nunit = \"user_day\""),
        ("unit = \"user_day\"\nwindow = \"2d\"", "unit = \"user_content\"\nwindow = \"2d\""),
    ] {
        world.set(&town::SETTINGS.replace(old, new));
        let error = world.refused(&score, "other_goal");
        assert!(error.contains(GOAL) && error.contains("train it again"), "{error}");
    }
    world.set(&format!("{}\n[goals.engage_24h]\nwindow = \"48h\"\n", town::SETTINGS));
    world.refused(&["recommend", "--out", "x.csv"], "other_goal");
}

#[test]
fn reading_a_model_never_panics_whatever_byte_of_it_is_changed() {
    let world = World::new(town::SETTINGS);
    let mut model = handmade::model(&world.config, GOAL, day(30), 1);
    model.inputs.truncate(2);
    let sound = model.to_text();
    let mut refused = 0;
    for index in 0..sound.len() {
        for byte in [b'0', b'-', b'"', b'}', b'e'] {
            let mut bytes = sound.clone().into_bytes();
            bytes[index] = byte;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            match Model::from_text(&text) {
                Ok(model) => assert!(model.score(&[1.0, 2.0], &[], &[]).is_finite(), "{text}"),
                Err(ModelError::Bad(_) | ModelError::NewerFormat(_)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(refused > sound.len(), "{refused} refusals");
}
