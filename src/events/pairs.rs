//! `theirs=ours,theirs=ours` as people write it: blanks are trimmed, and a name in quotes may hold any sign.

/// Splits a text at a separator outside quotes. A quote opens only where a name begins.
fn parts(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut within) = (Vec::new(), 0, false);
    let mut at_start = true;
    for (index, letter) in text.char_indices() {
        match letter {
            '"' if within => within = false,
            '"' if at_start => within = true,
            _ if within => {}
            _ if letter == separator => {
                parts.push(&text[start..index]);
                start = index + letter.len_utf8();
            }
            _ => {}
        }
        at_start = !within && (matches!(letter, ',' | '|' | '=') || (at_start && letter.is_whitespace()));
    }
    if within {
        return Err(format!("{text:?} opens a quote and does not close it"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// A name without blanks around it and without its quotes.
fn unquoted(name: &str) -> String {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(name).to_string()
}

/// The names of a list `a,b,c`.
///
/// # Errors
/// A quote that is not closed.
pub(super) fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(parts(text, ',')?.into_iter().map(unquoted).collect())
}

/// The pairs of `theirs=ours,…`, the last `=` of each counting; blank ones are skipped.
///
/// # Errors
/// Names the pair that is not one.
pub(super) fn theirs_and_ours(text: &str) -> Result<Vec<(Vec<String>, String)>, String> {
    let pair = |pair: &str| {
        let sides = parts(pair, '=')?;
        let (Some(ours), true) = (sides.last(), sides.len() > 1) else {
            return Err(format!("{:?} is not theirs=ours", pair));
        };
        let theirs = &pair[..pair.len() - ours.len() - 1];
        let alternatives: Vec<String> = parts(theirs, '|')?.into_iter().map(unquoted).collect();
        Ok((alternatives, unquoted(ours)))
    };
    parts(text, ',')?.into_iter().filter(|pair| !pair.trim().is_empty()).map(pair).collect()
}

/// The pairs of `field=value,…`, the first `=` of each counting.
///
/// # Errors
/// Names the pair that is not one.
pub(super) fn fields_and_values(text: &str) -> Result<Vec<(String, String)>, String> {
    let pair = |pair: &str| {
        let (field, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not field=value"))?;
        Ok((unquoted(field), unquoted(value)))
    };
    parts(text, ',')?.into_iter().filter(|pair| !pair.trim().is_empty()).map(pair).collect()
}
