//! What a preview marks is what a decision sends: over a grid of locales, variants and default locales.

use std::collections::BTreeMap;

use decisions::context::DecisionContext;
use decisions::decide;
use decisions::scorer::PopularityScorer;
use domain::channel::ChannelSettings;
use domain::content::{Content, Variant};
use domain::decision::{Action, Decision};
use domain::preview::{Preview, PreviewFacts, preview};
use domain::template::fillable_names;
use serde_json::{Value, json};

use super::world::{content, context};

const LOCALES: [Option<&str>; 12] = [
    None,
    Some(""),
    Some("-"),
    Some("en"),
    Some("EN_gb"),
    Some("fr"),
    Some("fr-CA"),
    Some("zh"),
    Some("zh-Hant-HK"),
    Some("zh__hant"),
    Some("de_DE.UTF-8"),
    Some("i-klingon"),
];

const DEFAULT_LOCALES: [&str; 5] = ["en", "zh-Hant", "pt_BR", "de_DE.UTF-8", ""];

/// Locales of a content's variants; one with `?` needs the reader's first name.
const VARIANTS: [&[&str]; 12] = [
    &[],
    &[""],
    &["en"],
    &["zh", "en"],
    &["en", "en", "zh"],
    &["", "", "de"],
    &["de", "zh_Hant?", "zh"],
    &["zh?", "en?"],
    &["zh?", "", "en"],
    &["fr-CA?", "fr", "de-de"],
    &["-", "pt"],
    &["i?", "i-klingon", "EN-GB?"],
];

fn milk(locales: &[&str]) -> Content {
    let variant = |(index, locale): (usize, &&str)| {
        let title = if locale.ends_with('?') { "Milk for {{first_name}}" } else { "Milk" };
        json!({ "variant_id": format!("{index}"), "locale": locale.trim_end_matches('?'), "title": title })
    };
    let written: Value = locales.iter().enumerate().map(variant).collect();
    let variants = Variant::read_all(&written).unwrap();
    Content { content_id: "milk".into(), variants, ..Content::default() }
}

/// A decision about one content for Ann, of whom these attributes are known, and the preview of it.
fn both(
    milk: &Content,
    locale: Option<&str>,
    default_locale: &str,
    attributes: &BTreeMap<String, Value>,
) -> (Decision, Preview) {
    let mut context: DecisionContext = context("2026-06-10T16:00:00Z");
    context.contents = vec![content("milk", -2.0)];
    context.contents[0].content = milk.clone();
    context.user.locale = locale.map(str::to_string);
    context.user.fields = fillable_names(attributes);
    context.settings.default_locale = default_locale.into();
    let channel = ChannelSettings { title_length: 50, body_length: 150, cost: 0.0 };
    let facts = PreviewFacts::default();
    let preview = preview(milk, ("push", &channel), &context.user, attributes, &context.settings, facts);
    (decide(&context, &PopularityScorer), preview)
}

/// Says of each case of the grid whether it was sent.
fn check(milk: &Content, locale: Option<&str>, default_locale: &str, name: Option<&str>) -> bool {
    let attributes = name.map(|name| ("first_name".to_string(), name.into())).into_iter().collect();
    let (decision, preview) = both(milk, locale, default_locale, &attributes);
    let case = format!("{locale:?}, default {default_locale:?}, {name:?}, {:?}", milk.variants);
    let chosen: Vec<_> = preview.variants.iter().filter(|variant| variant.chosen).collect();
    match decision.action {
        Action::Send => {
            assert_eq!(preview.variant_id, decision.variant_id, "{case}");
            assert_eq!(preview.refused_by, None, "{case}");
            assert_eq!(chosen.len(), decision.variant_id.iter().len(), "{case}");
            assert!(chosen.iter().all(|variant| !variant.refused), "{case}");
        }
        Action::Hold | Action::NoSend => {
            assert_eq!(preview.refused_by, Some(decision.reasons[0].rule.as_str()), "{case}");
            assert_eq!((preview.variant_id, chosen.len()), (None, 0), "{case}");
        }
    }
    decision.action == Action::Send
}

#[test]
fn a_preview_marks_the_variant_that_a_decision_sends() {
    let (mut sent, mut refused) = (0, 0);
    for locale in LOCALES {
        for default_locale in DEFAULT_LOCALES {
            for locales in VARIANTS {
                for name in [None, Some("Ann"), Some(" ")] {
                    let is_sent = check(&milk(locales), locale, default_locale, name);
                    *(if is_sent { &mut sent } else { &mut refused }) += 1;
                }
            }
        }
    }
    assert!(sent > 1_000 && refused > 100, "the grid has both: {sent} sent, {refused} refused");
}

#[test]
fn a_french_reader_of_a_content_in_chinese_and_english_reads_the_default_language_english() {
    let (decision, preview) = both(&milk(&["zh", "en"]), Some("fr"), "en", &BTreeMap::new());
    assert_eq!((decision.variant_id.as_deref(), preview.variant_id.as_deref()), (Some("1"), Some("1")));
}

#[test]
fn a_content_that_cannot_be_read_is_refused_by_both() {
    let mut milk = milk(&["en"]);
    milk.unreadable = vec!["variants".into()];
    let (decision, preview) = both(&milk, Some("en"), "en", &BTreeMap::new());
    assert_eq!((decision.action, preview.variant_id), (Action::NoSend, None));
    assert_eq!(decision.reasons[0].rule, "content_is_readable");
    assert_eq!(decision.reasons[0].message, "A field of ‘Milk’ cannot be read: variants.");
    assert_eq!(preview.refused_by, Some("content_is_readable"));
}

#[test]
fn each_reader_of_two_equal_variants_is_shown_the_one_that_is_sent() {
    let milk = milk(&["en", "en"]);
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..40 {
        let mut context = context("2026-06-10T16:00:00Z");
        context.user.user_id = format!("user-{index}");
        context.contents = vec![content("milk", -2.0)];
        context.contents[0].content = milk.clone();
        let channel = ChannelSettings { title_length: 50, body_length: 150, cost: 0.0 };
        let shown = preview(
            &milk,
            ("push", &channel),
            &context.user,
            &BTreeMap::new(),
            &context.settings,
            PreviewFacts::default(),
        );
        assert_eq!(shown.variant_id, decide(&context, &PopularityScorer).variant_id);
        seen.insert(shown.variant_id);
    }
    assert_eq!(seen.len(), 2, "both variants have readers");
}
