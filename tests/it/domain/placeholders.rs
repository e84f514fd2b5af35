//! Placeholders of other template languages: read as what they are, or refused by name and position.

use std::borrow::Cow;

use domain::placeholder::PlaceholderError::{self, *};
use domain::template::Template;

/// What a reader without a name sees.
fn filled(text: &str) -> Option<String> {
    Template::parse(text).fill(|_| None::<Cow<'static, str>>).ok()
}

fn errors(text: &str) -> Vec<(usize, PlaceholderError)> {
    Template::parse(text).errors().iter().map(|error| (error.position, error.what)).collect()
}

#[test]
fn defaults_of_liquid_jinja_and_go_are_the_defaults_that_they_are() {
    for text in [
        "{{name|there}}",
        "{{ name | default: 'there' }}",
        "{{ name | default: \"there\" }}",
        "{{name|default:'there'}}",
        "{{ name | default : 'there' }}",
        "{{ name | default(\"there\") }}",
        "{{ name | default 'there' }}",
        "{{ name | default: “there” }}",
        "{{ name | default: ‘there’ }}",
    ] {
        assert_eq!(filled(text).as_deref(), Some("there"), "{text}");
    }
    assert_eq!(filled("{{ name | default: '' }}!").as_deref(), Some("!"));
    assert_eq!(filled("{{ name | default: \"don't | go\" }}").as_deref(), Some("don't | go"));
    assert_eq!(filled("{{name|default rate}}").as_deref(), Some("default rate"), "words, not a filter");
    assert_eq!(filled("{{name|note: read it}}").as_deref(), Some("note: read it"));
}

#[test]
fn every_mark_of_another_language_is_named_by_its_kind_and_position() {
    let cases: [(&str, &[(usize, PlaceholderError)]); 42] = [
        ("{{ name | capitalize }}", &[(1, Filter)]),
        ("{{ name | capitalize | default: 'x' }}", &[(1, Filter)]),
        ("{{ name | default: 'x' | upcase }}", &[(1, Filter)]),
        ("{{ name | default: other }}", &[(1, Filter)]),
        ("{{ name | default }}", &[(1, Filter)]),
        ("{{ name | truncate: 20 }}", &[(1, Filter)]),
        ("{{ at | date: '%Y' }}", &[(1, Filter)]),
        ("{{ at | date('%Y') }}", &[(1, Filter)]),
        ("{{ name | fallback: \"x\" }}", &[(1, Filter)]),
        ("{{name || 'x'}}", &[(1, Filter)]),
        ("{{name|'x'}}", &[(1, QuotedDefault)]),
        ("{{name|“x”}}", &[(1, QuotedDefault)]),
        ("{{name ?? 'x'}}", &[(1, Expression)]),
        ("{{upper name \"x\"}}", &[(1, Expression)]),
        ("{{#if vip}}a{{else}}b{{/if}}", &[(1, Block), (13, Block), (22, Block)]),
        ("{{if .Vip}}a{{end}}", &[(1, Block), (13, Block)]),
        ("{{#each items}}{{this}}{{/each}}", &[(1, Block), (24, Block)]),
        ("{{> footer}}", &[(1, Block)]),
        ("{{! note }}", &[(1, Block)]),
        ("{{^vip}}a{{/vip}}", &[(1, Block), (10, Block)]),
        ("{{- name -}}", &[(1, Block)]),
        ("{{~name~}}", &[(1, Block)]),
        ("{{.Name}}", &[(1, Block)]),
        ("{{{name}}}", &[(1, Nested)]),
        ("{{${name}}}", &[(1, Nested)]),
        ("{% if vip %}a", &[(1, Tag), (11, Tag)]),
        ("a {%- if vip -%}", &[(3, Tag), (15, Tag)]),
        ("{# note #}a", &[(1, Foreign)]),
        ("Hi {{name", &[(4, Unclosed)]),
        ("Hi {{name}", &[(4, Unclosed)]),
        ("Hi name}}", &[(8, Unopened)]),
        ("Hi {name}}", &[(9, Unopened)]),
        ("{{name}}}", &[(9, Unopened)]),
        ("｛｛name｝｝", &[(1, FullWidth), (7, FullWidth)]),
        ("{｛name｝}", &[(1, FullWidth), (7, FullWidth)]),
        ("{{name｜x}}", &[(1, FullWidthBar)]),
        ("{{\u{200b}name|x}}", &[(1, Invisible)]),
        ("{{na\u{feff}me}}", &[(1, Invisible)]),
        ("{{first\u{200d}name}}", &[(1, Invisible)]),
        ("Hi ${name}, %{name}, #{name}", &[(4, Foreign), (13, Foreign), (22, Foreign)]),
        ("Hi *|FNAME|*, %%name%%", &[(4, Foreign), (15, Foreign)]),
        ("[[name]] <%= name %>", &[(1, Foreign), (10, Foreign)]),
    ];
    for (text, expected) in cases {
        assert_eq!(errors(text), expected, "{text:?}");
        assert_eq!(filled(text), None, "{text:?} is never sent");
    }
}

#[test]
fn text_that_only_looks_like_a_placeholder_is_text() {
    for text in [
        "50 % off {today}",
        "Now $5, was ${9}",
        "100%% cotton",
        "#1 in *|*",
        "[[1]] 5 < 6 %",
        "新品｛限量｝上市",
        "a } b { c",
        "C# and {#hash}",
    ] {
        assert_eq!((errors(text), filled(text).as_deref()), (vec![], Some(text)), "{text:?}");
    }
}

#[test]
fn joiners_that_a_script_needs_are_spelling() {
    assert_eq!(errors("{{می\u{200c}خواهم|x}}"), []);
}

#[test]
fn an_error_says_what_to_write() {
    for text in ["{{}}", "{{{a}}}", "{{a", "a}}", "{{a|'x'}}", "{{a | upcase}}", "｛｛a｝｝", "${a}"] {
        let told = Template::parse(text).errors()[0].to_string();
        assert!(told.contains("{{field"), "{text:?}: {told}");
    }
}
