//! A unit's environment, in a file of its own that only root reads: a unit's own text is for everybody.

use std::collections::BTreeMap;

/// One variable a line, in double quotes.
pub(crate) fn write_env(env: &BTreeMap<String, String>) -> String {
    let line = |(name, value): (&String, &String)| {
        let mut out = format!("{name}=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\' | '`' | '$') {
                out.push('\\');
            }
            out.push(c);
        }
        out + "\"\n"
    };
    env.iter().map(line).collect()
}

/// What [`write_env`] wrote; nothing where it is something else.
pub(crate) fn read_env(text: &str) -> Option<BTreeMap<String, String>> {
    let mut env = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(chars.next()?.1),
                (_, c) => value.push(c),
            }
        };
        env.insert(name.to_owned(), value);
        rest = after[end..].strip_prefix('\n')?;
    }
    Some(env)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_environment_is_read_as_written(env in prop::collection::btree_map("[A-Z_]{1,4}", "[^\\x00]{0,12}", 0..5)) {
            prop_assert_eq!(read_env(&write_env(&env)), Some(env));
        }
    }

    #[test]
    fn what_a_person_wrote_otherwise_is_not_understood() {
        for text in ["A=b\n", "A=\"b", "A=\"b\" # c\n"] {
            assert_eq!(read_env(text), None, "{text}");
        }
    }
}
