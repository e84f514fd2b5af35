//! Variants: which text of a content a reader gets, and which texts can be read at all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::content::{Content, Variant};
use domain::rejection::RejectionCode;
use domain::template::{Template, field_of, fillable_names, is_known};
use domain::user::User;
use domain::variant::{
    CONTENT_IS_READABLE, Fitting, HAS_TEMPLATE_VALUES, HAS_VARIANT, HAS_VISIBLE_TEXT, Reader,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A content with a variant in each of these locales, named after it; `""` names none.
fn content(locales: &[&str]) -> Content {
    let variant = |locale: &&str| Variant {
        variant_id: locale.to_string(),
        locale: (!locale.is_empty()).then(|| locale.to_string()),
        title: "Milk".into(),
        ..Variant::default()
    };
    Content {
        content_id: "milk".into(),
        variants: locales.iter().map(variant).collect(),
        ..Content::default()
    }
}

fn user(locale: Option<&str>) -> User {
    User { user_id: "ann".into(), locale: locale.map(str::to_string), ..User::default() }
}

/// The locales of the variants that fit, or the rule that refuses.
fn fitting(
    locales: &[&str],
    locale: Option<&str>,
    default_locale: &str,
) -> Result<Vec<String>, &'static str> {
    let (content, user) = (content(locales), user(locale));
    let fitting = Reader::new(&user, default_locale, 1).fitting(&content);
    match fitting.refused_by() {
        Some(rule) => Err(rule),
        None => Ok(fitting.variants().iter().map(|variant| variant.variant_id.clone()).collect()),
    }
}

#[test]
fn the_variant_of_the_nearest_language_is_taken() {
    let all = ["fr", "", "zh", "zh_hant", "en"];
    for (locale, default_locale, expected) in [
        (Some("zh-Hant-HK"), "en", "zh_hant"),
        (Some("ZH-Hans"), "en", "zh"),
        (Some("zh--hant"), "en", "zh_hant"),
        (Some("fr_CA.UTF-8"), "en", "fr"),
        (Some("EN_gb"), "fr", "en"),
        (Some("pt-BR"), "en", ""),
        (None, "en", ""),
        (Some("-"), "en", ""),
    ] {
        assert_eq!(fitting(&all, locale, default_locale), Ok(vec![expected.to_string()]), "{locale:?}");
    }
}

#[test]
fn the_default_language_comes_after_texts_without_a_language() {
    let takes = |locales: &[&str], locale, default_locale| fitting(locales, locale, default_locale);
    assert_eq!(takes(&["zh", "en"], Some("fr"), "en"), Ok(vec!["en".to_string()]));
    assert_eq!(takes(&["zh", "en"], Some("fr"), "en-GB"), Ok(vec!["en".to_string()]));
    assert_eq!(takes(&["zh", "", "en"], Some("fr"), "en"), Ok(vec![String::new()]));
    assert_eq!(
        takes(&["zh", "-", "en"], Some("fr"), "en"),
        Ok(vec!["-".to_string()]),
        "it names no language"
    );
    assert_eq!(takes(&["zh", "en-GB"], Some("fr"), "en"), Err(HAS_VARIANT), "a narrower one is no fallback");
}

#[test]
fn only_a_reader_whose_language_is_unknown_may_get_any() {
    let both = Ok(vec!["zh".to_string(), "de".to_string()]);
    assert_eq!(fitting(&["zh", "de"], None, "en"), both);
    assert_eq!(fitting(&["zh", "de"], Some(""), "en"), both);
    assert_eq!(fitting(&["zh", "de"], Some("fr"), "en"), Err(HAS_VARIANT));
    assert_eq!(fitting(&["zh", "de"], Some("fr"), ""), Err(HAS_VARIANT));
    assert_eq!(fitting(&[], Some("fr"), "en"), Err(HAS_VARIANT), "there is no text to send");
}

#[test]
fn a_variant_that_cannot_be_filled_leaves_the_turn_to_the_next_language() {
    let mut content = content(&["zh", "en"]);
    content.variants[0].needs = vec!["first_name".into()];
    let reads = |user: &User| match Reader::new(user, "en", 1).fitting(&content) {
        Fitting::These(variants) => variants[0].variant_id.clone(),
        other => other.refused_by().unwrap().to_string(),
    };
    let known = User { fields: vec!["first_name".into()], ..user(Some("zh")) };
    assert_eq!((reads(&user(Some("zh"))), reads(&known)), ("en".into(), "zh".into()));
    content.variants[1].needs = vec!["last_name".into()];
    let fitting = Reader::new(&known, "en", 1).fitting(&content);
    assert_eq!(fitting.variants().len(), 1);
    let stranger = user(Some("zh"));
    assert_eq!(Reader::new(&stranger, "en", 1).fitting(&content).refused_by(), Some(HAS_TEMPLATE_VALUES));
}

#[test]
fn a_text_of_which_nothing_can_be_seen_is_not_sent() {
    for title in
        ["{{name|}}", "\u{200b}", "\u{a0}\u{2060}", "{{ name | default: '' }}", "\u{3164} {{name|\u{feff}}}"]
    {
        let mut content = content(&["en"]);
        content.variants[0].title = title.into();
        let user = user(Some("en"));
        let refused = |reader: Reader<'_>| reader.fitting(&content).refused_by();
        assert_eq!(refused(Reader::new(&user, "en", 1)), Some(HAS_VISIBLE_TEXT), "{title:?}");
        assert_eq!(refused(Reader::new(&user, "en", 1).also_blank(true)), None, "{title:?}");
        content.variants[0].body = "Fresh".into();
        assert_eq!(Reader::new(&user, "en", 1).fitting(&content).refused_by(), None, "{title:?}");
    }
}

#[test]
fn readers_share_equal_variants_and_each_keeps_theirs() {
    let content = content(&["en", "en"]);
    let mut counts = [0_u32; 2];
    for index in 0..2_000 {
        let user = User { user_id: format!("user-{index}"), ..user(Some("en")) };
        let reader = Reader::new(&user, "en", 1);
        let fitting = reader.fitting(&content);
        let choice = reader.choice(&fitting, &content, "spring").unwrap();
        assert_eq!(reader.choice(&fitting, &content, "spring"), Some(choice));
        counts[usize::from(std::ptr::eq(choice, &content.variants[1]))] += 1;
    }
    assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
}

#[test]
fn the_draw_gives_who_was_sent_a_variant_the_same_one_in_every_version() {
    let mut content = content(&["en", "en"]);
    content.content_id = "soft-drinks".into();
    (content.variants[0].variant_id, content.variants[1].variant_id) = ("a".into(), "b".into());
    let drawn = |user_id: &str| {
        let user = User { user_id: user_id.into(), ..user(Some("en-US")) };
        let reader = Reader::new(&user, "en", 1);
        reader.choice(&reader.fitting(&content), &content, "").unwrap().variant_id.clone()
    };
    let users = ["1001", "1008", "1012", "1014", "1030", "1338"];
    assert_eq!(users.map(drawn).concat(), "bbbbab");
}

#[test]
fn a_content_with_an_unreadable_field_has_no_variant_to_send() {
    let mut content = content(&["en"]);
    content.unreadable = vec!["message_class".into()];
    let user = user(Some("en"));
    let reader = Reader::new(&user, "en", 1);
    let fitting = reader.fitting(&content);
    assert_eq!((fitting.refused_by(), fitting.variants().len()), (Some(CONTENT_IS_READABLE), 0));
    assert_eq!(reader.choice(&fitting, &content, ""), None);
}

#[test]
fn what_is_no_variant_is_named_with_its_position() {
    for (written, detail) in [
        (json!({}), "variants is not a JSON array"),
        (json!("text"), "variants is not a JSON array"),
        (json!([1, 2]), "variants[0] is not an object"),
        (json!([["a", "en", "Milk"]]), "variants[0] is not an object"),
        (json!([null]), "variants[0] is not an object"),
        (
            json!([{ "title": "Milk" }, { "title": 5 }]),
            "variants[1].title cannot be read: invalid type: integer `5`",
        ),
        (json!([{ "title": "Milk", "locale": ["en"] }]), "variants[0].locale cannot be read"),
        (json!([{ "headline": "Milk" }]), "variants[0] has neither a title nor a body"),
        (
            json!([{ "variant_id": "a", "title": " ", "body": "" }]),
            "variants[0] has neither a title nor a body",
        ),
    ] {
        let rejection = Variant::read_all(&written).unwrap_err();
        assert_eq!(rejection.code, RejectionCode::BadVariants, "{written}");
        assert!(rejection.detail.starts_with(detail), "{written}: {}", rejection.detail);
    }
}

#[test]
fn a_variant_is_read_with_the_fields_that_it_needs() {
    let written = json!([
        { "variant_id": "a", "locale": "en", "title": "Hi {{ name }}", "body": "{{points}} {{city|here}}", "image": 1 },
        { "body": "Milk" },
    ]);
    let variants = Variant::read_all(&written).unwrap();
    assert_eq!((variants[0].variant_id.as_str(), variants[0].locale.as_deref()), ("a", Some("en")));
    assert_eq!(variants[0].needs, ["name", "points"]);
    assert_eq!((variants[1].body.as_str(), variants[1].needs.len()), ("Milk", 0));
    assert_eq!(Variant::of_title("Hi {{name}}".into()).needs, ["name"]);
    assert_eq!(Variant::read_all(&json!([])).unwrap(), []);
    let blank = json!([{ "title": "Milk", "body": null, "locale": null }, { "locale": "zh", "title": " " }]);
    let kept = Variant::read_all(&blank).unwrap();
    assert_eq!((kept.len(), kept[0].title.as_str(), kept[0].locale.as_deref()), (1, "Milk", None));
}

/// Values that attributes may have, most of which nobody would see.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([1])),
        Just(json!({ "a": 1 })),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ \\u{0}\\u{7}\\u{202e}\\u{a0}a]{0,3}".prop_map(Value::from),
    ]
}

proptest! {
    /// The names that a decision knows say the same as the values that a sender fills in.
    #[test]
    fn a_field_is_known_exactly_when_a_text_can_be_filled_with_it(
        attributes in proptest::collection::btree_map("(a|b|locale|country)", value(), 0..4),
        locale in proptest::option::of("[ \\u{0}a]{0,2}"),
        user_id in "[a]{0,1}",
    ) {
        let attributes: BTreeMap<String, Value> = attributes;
        let user = User { user_id, locale, fields: fillable_names(&attributes), ..User::default() };
        for field in ["user_id", "locale", "country", "time_zone", "a", "b", ""] {
            let text = format!("{{{{{field}}}}}");
            let value = |field: &str| -> Option<Cow<'_, str>> { field_of(&user, &attributes, field) };
            let is_filled = Template::parse(&text).fill(value).is_ok();
            prop_assert_eq!(is_known(&user, field), is_filled, "{}: {:?} {:?}", field, &user, &attributes);
        }
    }
}
