//! `smartpush preview`: a content's variants as a reader would see them.

use super::output::{print_json, print_lines};
use super::{Context, Failure};
use domain::payload::PAYLOAD_FITS;
use domain::preview::{Preview, VariantPreview};
use domain::variant::{CONTENT_IS_READABLE, HAS_VARIANT, HAS_VISIBLE_TEXT};
use operations::preview::{PreviewRequest, preview};

/// Show the variants of a content as a reader would see them
///
/// Placeholders ({{field|default}}) are filled with what was declared of the user, texts are cut to what the channel shows,
/// and the variant that a decision would send is marked. A variant with a field that has neither a value nor a default would
/// not be sent; the card says which. Without a user: what a reader sees of whom nothing is known.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush preview news-1
  smartpush preview news-1 --user 1379 --channel in_app
  smartpush preview news-1 --locale zh-Hant-HK --json")]
pub(super) struct PreviewArguments {
    /// The content's id
    content_id: String,
    /// The reader's id; by default somebody of whom nothing is known
    #[arg(long, value_name = "USER_ID")]
    user: Option<String>,
    /// A language, such as zh-Hant-HK; by default the reader's
    #[arg(long)]
    locale: Option<String>,
    /// A channel of the settings; by default decisions.channel
    #[arg(long)]
    channel: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &PreviewArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let request = PreviewRequest {
        content_id: arguments.content_id.clone(),
        user_id: arguments.user.clone(),
        locale: arguments.locale.clone(),
        channel: arguments.channel.clone(),
    };
    let found = context.operate(&workspace, |context| preview(context, &request))?;
    if context.json {
        print_json(&serde_json::to_value(&found).map_err(Failure::ours)?);
    } else {
        print_lines(&for_people(&found));
    }
    Ok(())
}

fn for_people(found: &Preview) -> Vec<String> {
    let reader = found.user_id.as_deref().unwrap_or("somebody of whom nothing is known");
    let language = found.locale.as_deref().unwrap_or("no language");
    let mut lines = vec![format!("{} over {} to {reader} ({language})", found.content_id, found.channel)];
    if found.variants.is_empty() {
        lines.push("  it has no variants".to_string());
    }
    lines.extend(found.refused_by.map(|rule| format!("  nothing would be sent: {} ({rule})", why(rule))));
    for variant in &found.variants {
        lines.push(String::new());
        lines.extend(card(variant));
    }
    lines.iter().map(|line| printable(line)).collect()
}

/// What a rule has against all variants.
fn why(rule: &str) -> &'static str {
    match rule {
        CONTENT_IS_READABLE => "a field of the content cannot be read",
        HAS_VARIANT => "no variant is in this language, in none, or in the default one",
        HAS_VISIBLE_TEXT => "nothing of its texts can be seen",
        PAYLOAD_FITS => "its push is larger than push services accept",
        _ => "each variant in this language needs a value that is not known",
    }
}

fn card(variant: &VariantPreview) -> Vec<String> {
    let mark = if variant.chosen { "▸" } else { " " };
    let language = variant.locale.as_deref().unwrap_or("any language");
    let verdict = if variant.refused { ": would not be sent" } else { "" };
    let mut lines = vec![format!("{mark} {} ({language}){verdict}", variant.variant_id)];
    lines.extend(text_of("title", &variant.title, variant.title_cut));
    lines.extend(text_of("body", &variant.body, variant.body_cut));
    let missing = variant.missing.iter();
    lines.extend(missing.map(|field| format!("    missing  {field}: not known, and without a default")));
    lines.extend(variant.errors.iter().map(|error| format!("    error    {error}")));
    lines.extend(variant.warnings.iter().map(|warning| format!("    warning  {warning}")));
    lines
}

/// A text beside its name, further lines below it; nothing of an empty one.
fn text_of(name: &str, text: &str, is_cut: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let name = if lines.is_empty() { name } else { "" };
        lines.push(format!("    {name:<8} {line}").trim_end().to_string());
    }
    if is_cut {
        lines.push(format!("    {:<8} (the {name} is cut)", ""));
    }
    lines
}

/// A terminal is not to be steered by a text.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
