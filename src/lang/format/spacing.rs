//! Which tokens of a line stand apart by a blank.

use super::tokens::{Kind, Token};

/// Words after which a bracket is not a call's or an index's.
const KEYWORDS: [&str; 3] = ["for", "in", "if"];

/// Whether a token stands apart from those before it on its line.
pub(super) fn apart(before: &[Token<'_>], token: &Token<'_>) -> bool {
    let Some((last, earlier)) = before.split_last() else {
        return false;
    };
    match (last.kind, token.kind) {
        (Kind::Comment, _) | (_, Kind::Comment) => true,
        (_, Kind::Comma) | (_, Kind::Dot) => false,
        (Kind::Open, Kind::Close) => false,
        (Kind::Open, _) => last.text == "{",
        (_, Kind::Close) => token.text == "}",
        (Kind::Dot, _) => last.text == "...",
        (Kind::Comma | Kind::Assign, _) => true,
        (Kind::Operator, _) => !is_sign(last, earlier),
        (_, Kind::Operator) => !is_splat(last, token),
        (Kind::Word | Kind::Close, Kind::Open) => token.text == "{" || is_keyword(last),
        _ => true,
    }
}

fn is_keyword(token: &Token<'_>) -> bool {
    KEYWORDS.contains(&&*token.text)
}

/// `-` and `!` before their only operand; `*` in `a.*.b`, which is a name's place.
fn is_sign(token: &Token<'_>, before: &[Token<'_>]) -> bool {
    let operand_before = before.last().is_some_and(|t| match t.kind {
        Kind::Word => !is_keyword(t),
        Kind::Close | Kind::Heredoc => true,
        Kind::Operator => t.text == "*" && before.len() > 1 && before[before.len() - 2].text == ".",
        _ => false,
    });
    token.text == "!" || token.text == "-" && !operand_before
}

fn is_splat(before: &Token<'_>, token: &Token<'_>) -> bool {
    token.text == "*" && (before.text == "." || before.text == "[")
}
