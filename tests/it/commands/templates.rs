//! Texts of contents: placeholders, languages, cuts, and what a reader sees of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use smartpush::config::Config;
use smartpush::domain::channel::ChannelSettings;
use smartpush::domain::content::Variant;
use smartpush::domain::locale::{fallbacks, is_same};
use smartpush::domain::placeholder::PlaceholderError;
use smartpush::domain::preview::render;
use smartpush::domain::template::{Template, field_of, truncate};
use smartpush::domain::user::User;
use tempfile::TempDir;
use unicode_segmentation::UnicodeSegmentation;

use crate::support::{smartpush, stdout_of};

/// What is known of the reader of these tests.
fn known(field: &str) -> Option<Cow<'static, str>> {
    let value = match field {
        "name" => "Ann",
        "名字" => "小明",
        "arabic" => "ليلى",
        "template" => "{{name|x}}",
        "lines" => " a\r\nb\u{0}c\u{1b}[31m ",
        "turned" => "a\u{202e}b\u{2066}c",
        "empty" => "",
        "blank" => " \u{a0}\t\u{3000}",
        _ => return None,
    };
    Some(Cow::Borrowed(value))
}

fn nothing(_: &str) -> Option<Cow<'static, str>> {
    None
}

fn fill(text: &str) -> Result<String, String> {
    Template::parse(text).fill(known).map_err(|missing| missing.field)
}

#[test]
fn placeholders_are_filled_as_the_table_says() {
    let cases: [(&str, Result<&str, &str>); 30] = [
        ("", Ok("")),
        ("Hi", Ok("Hi")),
        ("Hi {{name|there}}!", Ok("Hi Ann!")),
        ("Hi {{ name | there }}!", Ok("Hi Ann!")),
        ("Hi {{nobody|there}}!", Ok("Hi there!")),
        ("Hi {{nobody|  dear friend  }}!", Ok("Hi dear friend!")),
        ("Hi {{nobody|}}!", Ok("Hi !")),
        ("Hi {{nobody|a|b}}!", Err("{{nobody|a|b}}")),
        ("Hi {{name}}!", Ok("Hi Ann!")),
        ("Hi {{nobody}}!", Err("nobody")),
        ("{{name}}{{name}}", Ok("AnnAnn")),
        ("{{empty|there}} {{blank|there}}", Ok("there there")),
        ("{{empty}}", Err("empty")),
        ("{{blank}}", Err("blank")),
        ("{{template}}", Ok("{{name|x}}")),
        ("{{lines}}", Ok("a  b c [31m")),
        ("{{turned}}", Ok("a b c")),
        ("你好，{{名字|朋友}}！", Ok("你好，小明！")),
        ("你好，{{昵称|朋友}}！", Ok("你好，朋友！")),
        ("مرحبا {{arabic|صديقي}}!", Ok("مرحبا ليلى!")),
        ("👩‍👩‍👧 {{name|🙂}} {{nobody|🇫🇷}}", Ok("👩‍👩‍👧 Ann 🇫🇷")),
        ("Hi {{name", Err("{{name")),
        ("Hi {{name}", Err("{{name}")),
        ("Hi {name} name}}", Err("}}")),
        ("{{name}} and {{", Err("{{")),
        ("{{name}}}", Err("}")),
        ("{{}}", Err("{{}}")),
        ("{{ | there}}", Err("{{ | there}}")),
        ("{{{name}}}", Err("{{{name}}}")),
        ("{{a {{name|x}} }}", Err("{{a {{name|x}}")),
    ];
    for (text, expected) in cases {
        let expected = expected.map(str::to_string).map_err(str::to_string);
        assert_eq!(fill(text), expected, "{text:?}");
    }
}

#[test]
fn required_fields_are_those_without_a_default_each_once_and_sorted() {
    let required = |text| Template::parse(text).required().collect::<Vec<_>>();
    assert_eq!(required("{{b}} {{ a }} {{b}} {{c|x}} {{d|}}"), ["a", "b"]);
    assert_eq!(required("{{c|x}} {{c}}"), ["c"], "a default elsewhere does not help here");
    assert_eq!(required("plain"), [""; 0]);
    assert_eq!(required("plain {{"), ["{{"], "no user has what an invalid placeholder asks for");
    assert_eq!(required("{{|x}}"), ["{{|x}}"]);
}

#[test]
fn a_placeholder_that_is_not_valid_is_named_by_its_position() {
    let errors = |text| {
        let template = Template::parse(text);
        template.errors().iter().map(|error| (error.position, error.what)).collect::<Vec<_>>()
    };
    assert_eq!(errors("{{}}"), [(1, PlaceholderError::EmptyName)]);
    assert_eq!(errors("你好 {{ |x}}"), [(4, PlaceholderError::EmptyName)]);
    assert_eq!(
        errors("{{name}} {{a{{b}} {{}}"),
        [(10, PlaceholderError::Nested), (19, PlaceholderError::EmptyName)]
    );
    assert_eq!(errors("{{name|{x}}"), [(1, PlaceholderError::Nested)]);
    assert_eq!(errors("{{name|x}} {{open"), [(12, PlaceholderError::Unclosed)]);
    let text = Template::parse("ab{{}}").errors()[0].to_string();
    assert_eq!(
        text,
        "bad_template: character 3: a placeholder without a field's name; write {{field}} or {{field|default}}"
    );
}

#[test]
fn a_draft_keeps_what_cannot_be_filled_as_it_was_written() {
    let draft = Template::parse("Hi {{ nobody }}, {{name}}, {{nobody|you}} {{}}!").fill_known(known);
    assert_eq!(draft, "Hi {{ nobody }}, Ann, you {{}}!");
    let template = Template::parse("{{z}} {{a}} {{a}} {{name}} {{n|x}} {{}}");
    assert_eq!(template.missing(known).into_iter().collect::<Vec<_>>(), ["a", "z"]);
}

#[test]
fn a_users_fields_and_attributes_read_as_text() {
    let user = User {
        user_id: "u1".into(),
        locale: Some("fr".into()),
        time_zone: Some("Europe/Paris".into()),
        ..User::default()
    };
    let attributes: BTreeMap<String, Value> = serde_json::from_value(json!({
        "name": "Zoë", "points": 12, "share": 0.5, "vip": true, "none": null, "list": [1], "object": {}, "country": "FR",
    }))
    .unwrap();
    let cases = [
        ("user_id", Some("u1")),
        ("locale", Some("fr")),
        ("time_zone", Some("Europe/Paris")),
        ("country", Some("FR")),
        ("name", Some("Zoë")),
        ("points", Some("12")),
        ("share", Some("0.5")),
        ("vip", Some("true")),
        ("none", None),
        ("list", None),
        ("object", None),
        ("", None),
        ("Name", None),
    ];
    for (field, expected) in cases {
        assert_eq!(field_of(&user, &attributes, field).as_deref(), expected, "{field:?}");
    }
}

#[test]
fn long_texts_are_cut_as_the_table_says() {
    let cases: [(&str, usize, &str); 25] = [
        ("", 0, ""),
        ("abc", 0, ""),
        ("abc", 1, "…"),
        ("abc", 2, "a…"),
        ("abc", 3, "abc"),
        ("Fresh milk today", 16, "Fresh milk today"),
        ("Fresh milk today", 15, "Fresh milk…"),
        ("Fresh milk today", 12, "Fresh milk…"),
        ("Fresh milk today", 11, "Fresh milk…"),
        ("Fresh milk today", 10, "Fresh mil…"),
        ("Fresh, milk", 7, "Fresh,…"),
        ("A internationalisation", 12, "A internati…"),
        ("今天的牛奶很新鲜", 8, "今天的牛奶很新鲜"),
        ("今天的牛奶很新鲜", 5, "今天的牛…"),
        ("新品 iPhone 今天上市", 9, "新品 iPhon…"),
        ("今天在商店里有很多新的 iPhone", 15, "今天在商店里有很多新的…"),
        ("今天 有很多新鲜的牛奶", 6, "今天 有很…"),
        ("🇫🇷🇩🇪🇨🇳", 3, "🇫🇷🇩🇪🇨🇳"),
        ("🇫🇷🇩🇪🇨🇳", 2, "🇫🇷…"),
        ("👩‍👩‍👧👨‍🚀👍🏽x", 3, "👩‍👩‍👧👨‍🚀…"),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ("नमस्ते दुनिया", 3, "नम…"),
        ("مرحبا بكم في متجرنا", 10, "مرحبا بكم…"),
        ("한국어 텍스트", 5, "한국어…"),
        ("a\r\n\r\nb c", 4, "a…"),
    ];
    for (text, most, expected) in cases {
        assert_eq!(truncate(text, most), expected, "{text:?} at {most}");
    }
    assert!(matches!(truncate("abc", 3), Cow::Borrowed(_)));
}

#[test]
fn a_locale_falls_back_to_what_it_is_a_kind_of() {
    let cases: [(&str, &[&str]); 15] = [
        ("zh-Hant-HK", &["zh-Hant-HK", "zh-Hant", "zh"]),
        ("zh_Hans_CN", &["zh_Hans_CN", "zh_Hans", "zh"]),
        ("EN", &["EN"]),
        ("", &[]),
        ("-", &[]),
        ("_-_", &[]),
        (".UTF-8", &[]),
        ("zh--HK", &["zh--HK", "zh"]),
        ("-zh-", &["zh"]),
        (" zh-HK ", &["zh-HK", "zh"]),
        ("de_DE.UTF-8@euro", &["de_DE", "de"]),
        ("zh-CN-x-private", &["zh-CN-x-private", "zh-CN", "zh"]),
        ("i-klingon", &["i-klingon"]),
        ("ab - - cd", &["ab - - cd", "ab"]),
        ("中文-香港", &["中文-香港", "中文"]),
    ];
    for (locale, expected) in cases {
        assert_eq!(fallbacks(locale), expected, "{locale:?}");
    }
    let endless = vec!["ab"; 200].join("-");
    let chain = fallbacks(&endless);
    assert_eq!((chain.len(), chain[0], chain[8]), (9, endless.as_str(), "ab"), "whole, then bounded");
}

#[test]
fn locales_are_the_same_whatever_their_case_and_separators() {
    for (one, other, expected) in [
        ("zh-Hant", "ZH_hANT", true),
        ("zh--HK", "zh-hk", true),
        ("de_DE.UTF-8", "de-de", true),
        ("zh", "zh-HK", false),
        ("zhhk", "zh-hk", false),
        ("", "-", true),
        ("", "en", false),
    ] {
        assert_eq!(is_same(one, other), expected, "{one:?} {other:?}");
        assert_eq!(is_same(other, one), expected, "{other:?} {one:?}");
    }
}

#[test]
fn a_channel_without_titles_sends_a_lone_title_as_its_text() {
    let sms = Config::defaults().channels["sms"].clone();
    let variant =
        |title: &str, body: &str| Variant { title: title.into(), body: body.into(), ..Variant::default() };
    let sent = |variant: &Variant| {
        let rendered = render(variant, &sms, known).unwrap();
        (rendered.title, rendered.body)
    };
    assert_eq!(sent(&variant("Hi {{name}}", "")), (String::new(), "Hi Ann".to_string()));
    assert_eq!(sent(&variant("Hi {{nobody}}", "Milk")), (String::new(), "Milk".to_string()));
    let push = ChannelSettings { title_length: 4, body_length: 6, cost: 0.0 };
    let rendered = render(&variant("Hello", "Fresh {{name}} milk"), &push, known).unwrap();
    assert_eq!((rendered.title.as_str(), rendered.body.as_str()), ("Hel…", "Fresh…"));
    assert_eq!(render(&variant("{{nobody}}", "Milk"), &push, known).unwrap_err().field, "nobody");
}

#[test]
fn the_shipped_channels_are_those_that_campaigns_may_name() {
    let channels = Config::defaults().channels;
    let shown: Vec<_> =
        channels.iter().map(|(name, c)| (name.as_str(), c.title_length, c.body_length, c.cost)).collect();
    let expected = [
        ("email", 150, 100_000, 0.0),
        ("in_app", 80, 300, 0.0),
        ("push", 50, 150, 0.0),
        ("sms", 0, 160, 0.05),
        ("web_push", 50, 120, 0.0),
    ];
    assert_eq!(shown, expected);
}

/// Text in which everything that matters is likely.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{".to_string()),
        Just("}}".to_string()),
        Just("{".to_string()),
        Just("}".to_string()),
        Just("|".to_string()),
        Just(" ".to_string()),
        Just("name".to_string()),
        Just("{{name|x}}".to_string()),
        Just("{{b|{}}".to_string()),
        Just("\r\n".to_string()),
        Just("\u{301}".to_string()),
        Just("\u{200d}".to_string()),
        Just("\u{600}".to_string()),
        Just("🇫".to_string()),
        Just("👩‍👩‍👧".to_string()),
        Just("牛奶".to_string()),
        "\\PC{0,6}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Does something that reads as a placeholder stand here?
fn holds_placeholder(text: &str) -> bool {
    text.find("{{").is_some_and(|start| text[start..].contains("}}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_and_filled_without_a_placeholder_left(text in text()) {
        let template = Template::parse(&text);
        for value in [nothing, |_: &str| Some(Cow::Borrowed("Ann"))] {
            match template.fill(value) {
                Ok(filled) => {
                    prop_assert!(!holds_placeholder(&filled), "{text:?} gives {filled:?}");
                    prop_assert!(template.missing(value).is_empty() && template.errors().is_empty());
                    prop_assert_eq!(template.fill_known(value), filled);
                }
                Err(missing) => prop_assert!(template.required().any(|field| field == missing.field)),
            }
        }
        // Without an error and with everything known, nothing is refused.
        let filled = template.fill(|_| Some(Cow::Borrowed("Ann")));
        prop_assert_eq!(filled.is_ok(), template.errors().is_empty());
    }

    #[test]
    fn a_draft_of_which_nothing_is_known_and_defaulted_is_the_text_itself(text in text()) {
        let text = text.replace('|', ":");
        prop_assert_eq!(Template::parse(&text).fill_known(nothing), text);
    }

    #[test]
    fn a_text_without_fields_is_itself(text in text()) {
        let text: String =
            text.chars().map(|c| if "{}｛｝﹛﹜$%#[*<".contains(c) { ')' } else { c }).collect();
        let filled = Template::parse(&text).fill(nothing);
        prop_assert_eq!(filled.ok(), Some(text));
    }

    #[test]
    fn values_are_plain_text(value in text()) {
        let filled = Template::parse("[{{value|}}]").fill(|_| Some(Cow::Borrowed(value.as_str()))).unwrap();
        prop_assert!(!filled.chars().any(char::is_control));
        prop_assert!(filled.chars().count() <= value.chars().count() + 2);
    }

    #[test]
    fn a_cut_is_never_longer_never_within_a_character_and_never_cut_again(text in text(), most in 0_usize..40) {
        let cut = truncate(&text, most).into_owned();
        prop_assert!(cut.graphemes(true).count() <= most, "{text:?} at {most}: {cut:?}");
        prop_assert_eq!(truncate(&cut, most), cut.as_str());
        if cut != text && most > 0 {
            let kept = cut.strip_suffix('…').unwrap();
            prop_assert!(text.starts_with(kept));
            let is_bound = |end| text.grapheme_indices(true).any(|(start, _)| start == end);
            prop_assert!(is_bound(kept.len()), "{text:?} at {most}: {cut:?}");
        }
    }

    #[test]
    fn every_locale_has_a_bounded_chain_of_its_beginnings(locale in "[a-zA-Z_\\-.@ 中]{0,300}") {
        let chain = fallbacks(&locale);
        prop_assert!(chain.len() <= 9);
        prop_assert!(chain.windows(2).all(|pair| pair[0].starts_with(pair[1]) && pair[0].len() > pair[1].len()));
        prop_assert!(chain.iter().all(|one| fallbacks(one).first() == Some(one)), "{:?}", chain);
        prop_assert!(is_same(&locale, &locale));
    }
}

// ---- the command ----

const USERS: &str = r#"{"user_id":"lan","locale":"zh-Hant-HK","consent":"granted","first_name":"嵐","points":12}
{"user_id":"ann","locale":"en_GB","consent":"granted","first_name":"Ann"}
{"user_id":"bare","consent":"granted"}
"#;

const CONTENTS: &str = r#"{"content_id":"milk","variants":[{"variant_id":"english","locale":"en","title":"Fresh milk, {{first_name|friend}}","body":"You have {{points}} points."},{"variant_id":"chinese","locale":"zh","title":"{{first_name|朋友}}，牛奶到了","body":"今天的牛奶很新鲜。\n快来看看！"},{"variant_id":"plain","title":"Milk","body":"Fresh in {{town}}"}]}
{"content_id":"bread","title":"Bread \u001b[31mtoday"}
{"content_id":"empty"}
"#;

fn workspace() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (kind, text) in [("users", USERS), ("contents", CONTENTS)] {
        take(directory.path(), kind, text);
    }
    directory
}

fn take(workspace: &Path, kind: &str, text: &str) {
    let file = workspace.join(format!("{kind}.jsonl"));
    std::fs::write(&file, text).unwrap();
    stdout_of(&smartpush(workspace, &["ingest", "--kind", kind, file.to_str().unwrap()]));
}

#[test]
fn the_card_shows_every_variant_as_the_reader_sees_it() {
    let workspace = workspace();
    let text = stdout_of(&smartpush(workspace.path(), &["preview", "milk", "--user", "lan"]));
    let expected = "\
milk over push to lan (zh-Hant-HK)

  english (en)
    title    Fresh milk, 嵐
    body     You have 12 points.

▸ chinese (zh)
    title    嵐，牛奶到了
    body     今天的牛奶很新鲜。
             快来看看！

  plain (any language): would not be sent
    title    Milk
    body     Fresh in {{town}}
    missing  town: not known, and without a default
    warning  body: no declared user has \"town\"
";
    assert_eq!(text, expected);
}

#[test]
fn without_a_user_the_card_says_which_values_are_missing() {
    let workspace = workspace();
    let text = stdout_of(&smartpush(workspace.path(), &["preview", "milk", "--locale", "EN"]));
    for line in [
        "milk over push to somebody of whom nothing is known (EN)",
        "  nothing would be sent: each variant in this language needs a value that is not known (has_template_values)",
        "  english (en): would not be sent",
        "    title    Fresh milk, friend",
        "    body     You have {{points}} points.",
        "    missing  points: not known, and without a default",
        "    title    朋友，牛奶到了",
    ] {
        assert!(text.lines().any(|own| own == line), "{line:?} is not in\n{text}");
    }
    let text = stdout_of(&smartpush(workspace.path(), &["preview", "empty"]));
    assert!(text.contains("it has no variants"), "{text}");
    let text = stdout_of(&smartpush(workspace.path(), &["preview", "bread"]));
    assert!(text.contains("▸ default (any language)") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn the_preview_is_one_json_object_too() {
    let workspace = workspace();
    let output =
        smartpush(workspace.path(), &["preview", "milk", "--user", "ann", "--channel", "sms", "--json"]);
    let found: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    let nothing = (&Value::Null, &json!("has_template_values"));
    assert_eq!((&found["variant_id"], &found["refused_by"]), nothing, "nobody knows her points");
    assert_eq!(
        (&found["content_id"], &found["user_id"], &found["locale"]),
        (&json!("milk"), &json!("ann"), &json!("en_GB"))
    );
    let expected = json!({
        "variant_id": "english", "locale": "en", "chosen": false, "title": "", "body": "You have {{points}} points.",
        "title_cut": false, "body_cut": false, "refused": true, "missing": ["points"], "faults": [],
    });
    assert_eq!(found["wordings"][0], expected);
    let output = smartpush(workspace.path(), &["preview", "milk", "--user", "lan", "--json"]);
    let found: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    assert_eq!((&found["variant_id"], found.get("refused_by")), (&json!("chinese"), None));
}

#[test]
fn a_channel_of_ones_own_is_a_section() {
    let workspace = workspace();
    let settings = "[channels.pager]\ntitle_length = 8\nbody_length = 6\n";
    std::fs::write(workspace.path().join("smartpush.toml"), settings).unwrap();
    let arguments = ["preview", "milk", "--user", "lan", "--channel", "pager"];
    let text = stdout_of(&smartpush(workspace.path(), &arguments));
    for line in [
        "    title    Fresh…",
        "             (the title is cut)",
        "    body     今天的牛奶…",
        "             (the body is cut)",
    ] {
        assert!(text.lines().any(|own| own == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_is_unknown_is_named_and_a_callers_error() {
    let workspace = workspace();
    let cases: [(&[&str], &[&str]); 3] = [
        (&["preview", "cheese"], &["unknown_content", "\"cheese\""]),
        (&["preview", "milk", "--user", "nobody"], &["unknown_user", "\"nobody\""]),
        (
            &["preview", "milk", "--channel", "pigeon"],
            &["unknown_channel", "\"pigeon\"", "email, in_app, push", "[channels.NAME]"],
        ),
    ];
    for (arguments, words) in cases {
        let output = smartpush(workspace.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(smartpush(nowhere.path(), &["preview", "milk"]).status.code(), Some(2));
}
