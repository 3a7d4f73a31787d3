//! How systemd writes words: quoted where they need it, with `%` doubled, since it would be a specifier.

/// A word of a command line or list.
pub(super) fn word(text: &str, command: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    let bare = !text.is_empty() && text.chars().all(plain);
    if bare {
        return text.to_owned();
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            '\r' => out += "\\r",
            '%' => out += "%%",
            // Of a variable, in a command alone.
            '$' if command => out += "$$",
            c if c.is_control() => out += &format!("\\x{:02x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value that is one word for all its blanks.
pub(super) fn whole(text: &str) -> String {
    text.replace('%', "%%")
}

/// What [`whole`] wrote.
pub(super) fn unwhole(text: &str) -> String {
    text.replace("%%", "%")
}

/// The words of a line that [`word`] wrote, or a person.
pub(super) fn words(line: &str, command: bool) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Some(words);
        }
        let mut word = String::new();
        let mut quote: Option<char> = None;
        loop {
            let Some(c) = chars.peek().copied() else {
                match quote {
                    Some(_) => return None,
                    None => break,
                }
            };
            chars.next();
            match c {
                c if quote == Some(c) => quote = None,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                '\\' => word.push(escaped(&mut chars)?),
                '%' => {
                    chars.next_if_eq(&'%')?;
                    word.push('%');
                }
                '$' if command => {
                    chars.next_if_eq(&'$')?;
                    word.push('$');
                }
                c if c.is_whitespace() && quote.is_none() => break,
                c => word.push(c),
            }
        }
        words.push(word);
    }
}

fn escaped(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'x' => {
            let digits: String = chars.by_ref().take(2).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        c @ ('"' | '\'' | '\\' | ' ') => c,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_read_as_written(list in prop::collection::vec("\\PC{0,12}|[\\x01-\\x7f]{0,6}", 0..5), command: bool) {
            let line = list.iter().map(|text| word(text, command)).collect::<Vec<_>>().join(" ");
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(words(&line, command), Some(list));
        }
    }

    #[test]
    fn what_a_specifier_or_variable_would_be_is_not_understood() {
        for line in ["%n", "$HOME", "\"open", "\\q"] {
            assert_eq!(words(line, true), None, "{line}");
        }
        assert_eq!(
            words("a  'b c'", true),
            Some(vec!["a".into(), "b c".into()])
        );
    }
}
