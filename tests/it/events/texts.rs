//! Contents as files have them: title and body in columns, and placeholders that are not valid.

use events::request::InputKind;

use crate::tables::Tables;

const CONTENTS: InputKind = InputKind::Contents;

#[test]
fn title_and_body_in_columns_are_one_variant() {
    let csv = "content_id,title,body\nboth,Milk,Fresh for {{name}}\ntitle,Milk,\nbody,,Fresh\nblank, ,\n";
    let jsonl = "{\"content_id\":\"both\",\"title\":\"Milk\",\"body\":\"Fresh for {{name}}\"}\n\
                 {\"content_id\":\"title\",\"title\":\"Milk\"}\n\
                 {\"content_id\":\"body\",\"Body\":\"Fresh\"}\n{\"content_id\":\"blank\",\"body\":\" \"}\n";
    for (name, text) in [("contents.csv", csv), ("contents.jsonl", jsonl)] {
        let tables = Tables::new();
        let summary = tables.take(CONTENTS, name, text, "");
        assert_eq!([summary.accepted, summary.rejected], [4, 0], "{name}");
        assert!(summary.other_columns.is_empty(), "{name}: {:?}", summary.other_columns);
        let contents = tables.declared().contents;
        let texts = |id: &str| {
            let variants = contents[id].variants.iter();
            variants
                .map(|own| [&*own.variant_id, &own.title, &own.body].map(str::to_string))
                .collect::<Vec<_>>()
        };
        assert_eq!(texts("both"), [["default", "Milk", "Fresh for {{name}}"]], "{name}");
        assert_eq!(contents["both"].variants[0].needs, ["name"], "{name}");
        assert_eq!(texts("title"), [["default", "Milk", ""]], "{name}");
        assert_eq!(texts("body"), [["default", "", "Fresh"]], "{name}");
        assert_eq!(texts("blank"), [[""; 3]; 0], "{name}");
    }
}

#[test]
fn variants_go_before_title_and_body() {
    let line = r#"{"content_id":"c","title":"A","body":"B","variants":[{"variant_id":"en","title":"C"}]}"#;
    let tables = Tables::new();
    tables.take(CONTENTS, "contents.jsonl", line, "");
    let variants = &tables.declared().contents["c"].variants;
    assert_eq!((variants.len(), &*variants[0].title, &*variants[0].body), (1, "C", ""));
}

#[test]
fn a_placeholder_that_is_not_valid_rejects_its_record_and_the_version_before_stays() {
    let tables = Tables::new();
    tables.take(CONTENTS, "good.csv", "content_id,title\nc,Milk\n", "");
    for (bad, detail) in [
        (r#""title":"Hi {{name}!""#, "title, character 4: {{ without }}"),
        (r#""title":"Hi","body":"{% if vip %}Gold{% endif %}""#, "body, character 1: a tag of Liquid"),
        (r#""body":"你好，｛｛name｝｝""#, "body, character 4: full-width braces"),
        (
            r#""variants":[{"variant_id":"en","title":"Milk"},{"variant_id":"fr","title":"Lait","body":"À {{}}"}]"#,
            "variant \"fr\", body, character 3: a placeholder without",
        ),
        (r#""variants":[{"title":"{{name | upcase}}"}]"#, "title, character 1: a filter"),
    ] {
        let text = format!(
            "{{\"content_id\":\"c\",{bad}}}\n{{\"content_id\":\"d\",\"title\":\"Hi {{{{nobody}}}}\"}}\n"
        );
        let summary = tables.take(CONTENTS, "next.jsonl", &text, "");
        assert_eq!((summary.read, summary.rejected), (2, 1), "{bad}");
        assert_eq!(summary.read, summary.accepted + summary.duplicate + summary.rejected, "{bad}");
        assert_eq!(summary.reasons.get("bad_template"), Some(&1), "{bad}");
        assert!(
            summary.examples["bad_template"].contains(&format!(":1: {detail}")),
            "{:?}",
            summary.examples
        );
        let contents = tables.declared().contents;
        assert_eq!(contents["c"].variants[0].title, "Milk", "{bad}");
        assert_eq!(contents["d"].variants[0].needs, ["nobody"], "a field that no user has is none");
    }
}
