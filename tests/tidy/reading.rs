//! Rust as text: what is code, what only stands in a comment or a string, and where functions begin and end.

/// The same text with comments and the contents of strings blanked out; lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let length = not_code(rest);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (hidden, after) = rest.split_at(length);
            code.extend(hidden.chars().map(|c| if c == '\n' { c } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// How many bytes from here on are a comment, a string or a character.
fn not_code(text: &str) -> usize {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |n| from + n);
    if text.starts_with("//") {
        return until("\n", 0);
    }
    if text.starts_with("/*") {
        return (until("*/", 2) + 2).min(text.len());
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    let hashes = text
        .strip_prefix('r')
        .map(|t| t.len() - t.trim_start_matches('#').len());
    if let Some(hashes) = hashes.filter(|n| text[n + 1..].starts_with('"')) {
        let end = format!("\"{}", "#".repeat(hashes));
        return (until(&end, hashes + 2) + end.len()).min(text.len());
    }
    // A lifetime has no closing quote; a character has one at once.
    let character = text
        .strip_prefix('\'')
        .is_some_and(|t| t.starts_with('\\') || t.chars().nth(1) == Some('\''));
    if character { quoted(text, '\'') } else { 0 }
}

/// The length of what begins and ends with a quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return index + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Code without the modules of tests inside it.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        let opens = line.trim() == "#[cfg(test)]"
            && lines.peek().is_some_and(|l| l.trim_end().ends_with('{'));
        if !opens {
            kept.push(line);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        while lines.next().is_some_and(|l| l != end) {}
    }
    kept.join("\n")
}

/// Names and lengths in lines of all functions, from `fn` to the closing brace.
pub(crate) fn functions(code: &str) -> Vec<(String, usize)> {
    let mut functions = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let begins = !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name: String = code[start + 3..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if let Some(end) = body_end(&code[start..]).filter(|_| begins && !name.is_empty()) {
            functions.push((name, code[start..start + end].lines().count()));
        }
    }
    functions
}

/// Where the body that follows a signature ends; nothing where there is none.
fn body_end(code: &str) -> Option<usize> {
    let opening = code
        .find(['{', ';'])
        .filter(|n| code[*n..].starts_with('{'))?;
    let mut depth = 0;
    for (index, c) in code[opening..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(opening + index + 1);
        }
    }
    None
}

/// Whether a word stands in code as such and not as a part of another.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = !code[..at].ends_with(part) || !word.starts_with(part);
        let after = !code[at + word.len()..].starts_with(part) || !word.ends_with(part);
        before && after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = "a(\"x \\\" y\", 'z', '\\'', r#\"q \" r\"#) // c\n<'b> /* d */ e";
        let seen: Vec<_> = code(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(seen, ["a(", ",", ",", ",", ")", "<'b>", "e"]);
    }

    #[test]
    fn functions_have_lengths() {
        let text = "fn a();\nfn b() {\n    let f = |x| { x };\n}\nimpl X { fn c(self) {} }";
        let found = [("b".to_owned(), 3), ("c".to_owned(), 1)];
        assert_eq!(functions(text), found);
    }

    #[test]
    fn modules_of_tests_are_left_out() {
        let text = "a\n#[cfg(test)]\nmod tests {\n    b\n}\nc";
        assert_eq!(without_tests(text), "a\nc");
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("std::env::var", "std::env"));
        assert!(!has_word("std::environment", "std::env"));
        assert!(!has_word("instant", "Instant") && !has_word("MyInstant", "Instant"));
    }
}
