//! Texts with `{{field|default}}`: what stands in them, and which fields they cannot do without.

use std::collections::BTreeSet;

/// A text taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Template<'a> {
    parts: Vec<Part<'a>>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Field { name: &'a str, default: Option<&'a str> },
}

impl<'a> Template<'a> {
    /// Takes a text apart; an opening `{{` without its end stays text.
    pub fn parse(text: &'a str) -> Template<'a> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, behind)) = after.split_once("}}") else { break };
            parts.push(Part::Text(before));
            let (name, default) = match inside.split_once('|') {
                Some((name, default)) => (name.trim(), Some(default.trim())),
                None => (inside.trim(), None),
            };
            parts.push(Part::Field { name, default });
            rest = behind;
        }
        parts.push(Part::Text(rest));
        Template { parts }
    }

    /// Fields without a default, each once, sorted.
    pub fn required(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let without_default = |part: &Part<'a>| match part {
            Part::Field { name, default: None } => Some(*name),
            _ => None,
        };
        let names: BTreeSet<&str> = self.parts.iter().filter_map(without_default).collect();
        names.into_iter()
    }
}
