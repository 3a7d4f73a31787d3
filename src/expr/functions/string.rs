//! Functions of text. Lengths and places count what a reader sees as one character (a grapheme cluster),
//! however many code points it is made of. Text is not normalised: what is given is what is kept.

use super::{Fault, Outcome, number::whole};
use crate::{Type, Value};
use unicode_segmentation::UnicodeSegmentation as _;

fn text(args: &[Value], index: usize) -> &str {
    args[index].as_str().unwrap_or_default()
}

fn strings<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::list(
        Type::String,
        items.into_iter().map(|s| Value::string(s.into())),
    )
}

pub(super) fn chomp(args: &[Value]) -> Outcome {
    Ok(text(args, 0).trim_end_matches(['\r', '\n']).into())
}

pub(super) fn endswith(args: &[Value]) -> Outcome {
    Ok(text(args, 0).ends_with(text(args, 1)).into())
}

pub(super) fn startswith(args: &[Value]) -> Outcome {
    Ok(text(args, 0).starts_with(text(args, 1)).into())
}

pub(super) fn strcontains(args: &[Value]) -> Outcome {
    Ok(text(args, 0).contains(text(args, 1)).into())
}

pub(super) fn indent(args: &[Value]) -> Outcome {
    let spaces =
        usize::try_from(whole(args, 0)?).map_err(|_| Fault::at(0, "it must not be negative"))?;
    let spaces = " ".repeat(spaces.min(10_000));
    Ok(text(args, 1).replace('\n', &format!("\n{spaces}")).into())
}

pub(super) fn join(args: &[Value]) -> Outcome {
    let mut parts = Vec::new();
    for (i, list) in args.iter().enumerate().skip(1) {
        for item in list.as_list().unwrap_or_default() {
            parts.push(
                item.as_str()
                    .ok_or_else(|| Fault::at(i, "a null cannot be joined"))?,
            );
        }
    }
    Ok(parts.join(text(args, 0)).into())
}

pub(super) fn lower(args: &[Value]) -> Outcome {
    Ok(text(args, 0).to_lowercase().into())
}

pub(super) fn upper(args: &[Value]) -> Outcome {
    // One letter for one: a letter without a capital of its own stays.
    let capital = |c: char| {
        let mut upper = c.to_uppercase();
        if upper.len() == 1 {
            upper.next().unwrap_or(c)
        } else {
            c
        }
    };
    Ok(text(args, 0)
        .chars()
        .map(capital)
        .collect::<String>()
        .into())
}

pub(super) fn title(args: &[Value]) -> Outcome {
    let mut previous = ' ';
    let mut titled = String::new();
    for c in text(args, 0).chars() {
        if is_separator(previous) {
            titled.extend(c.to_uppercase());
        } else {
            titled.push(c);
        }
        previous = c;
    }
    Ok(titled.into())
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        !c.is_ascii_alphanumeric() && c != '_'
    } else {
        c.is_whitespace()
    }
}

pub(super) fn replace(args: &[Value]) -> Outcome {
    let pattern = text(args, 1);
    if pattern.len() > 1 && pattern.starts_with('/') && pattern.ends_with('/') {
        return Err(Fault::at(
            1,
            "replacing by a pattern between slashes is not supported",
        ));
    }
    Ok(text(args, 0).replace(pattern, text(args, 2)).into())
}

pub(super) fn split(args: &[Value]) -> Outcome {
    let (separator, whole) = (text(args, 0), text(args, 1));
    if separator.is_empty() {
        return Ok(strings(whole.chars()));
    }
    Ok(strings(whole.split(separator)))
}

pub(super) fn strrev(args: &[Value]) -> Outcome {
    Ok(text(args, 0)
        .graphemes(true)
        .rev()
        .collect::<String>()
        .into())
}

pub(super) fn substr(args: &[Value]) -> Outcome {
    let characters: Vec<&str> = text(args, 0).graphemes(true).collect();
    let total = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let (offset, length) = (whole(args, 1)?, whole(args, 2)?);
    let start = if offset < 0 {
        offset.saturating_add(total).max(0)
    } else {
        offset.min(total)
    };
    let end = if length < 0 {
        total
    } else {
        start.saturating_add(length).min(total)
    };
    let place = |n: i64| usize::try_from(n).unwrap_or(0);
    Ok(characters[place(start)..place(end)].concat().into())
}

pub(super) fn trim(args: &[Value]) -> Outcome {
    let any = text(args, 1);
    Ok(text(args, 0).trim_matches(|c| any.contains(c)).into())
}

pub(super) fn trimprefix(args: &[Value]) -> Outcome {
    let whole = text(args, 0);
    Ok(whole.strip_prefix(text(args, 1)).unwrap_or(whole).into())
}

pub(super) fn trimsuffix(args: &[Value]) -> Outcome {
    let whole = text(args, 0);
    Ok(whole.strip_suffix(text(args, 1)).unwrap_or(whole).into())
}

pub(super) fn trimspace(args: &[Value]) -> Outcome {
    Ok(text(args, 0).trim().into())
}
