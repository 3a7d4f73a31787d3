//! The lines in which two texts differ.

use std::ops::Range;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 2;
/// Above so many pairs of lines no common ones are looked for between the first and the last difference.
const PAIRS: usize = 250_000;

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Same(String),
    Gone(String),
    New(String),
    /// So many equal lines are not shown.
    Skipped(usize),
}

/// What goes and what comes, with a little around it.
pub(super) fn diff(before: &[String], after: &[String]) -> Vec<Line> {
    let head = common(before.iter(), after.iter());
    let tail = common(before[head..].iter().rev(), after[head..].iter().rev());
    let (gone, new) = (
        &before[head..before.len() - tail],
        &after[head..after.len() - tail],
    );
    let same = |range: Range<usize>| before[range].iter().cloned().map(Line::Same);
    let mut lines: Vec<Line> = same(0..head).collect();
    lines.extend(middle(gone, new));
    lines.extend(same(before.len() - tail..before.len()));
    condensed(&lines)
}

fn common<'a>(
    before: impl Iterator<Item = &'a String>,
    after: impl Iterator<Item = &'a String>,
) -> usize {
    before.zip(after).take_while(|(b, a)| b == a).count()
}

/// By the longest common subsequence; of equals, what goes stands before what comes.
fn middle(before: &[String], after: &[String]) -> Vec<Line> {
    // Nothing is made that is as large as the pairs are many: of two long texts it would not fit into memory.
    if before.len().saturating_mul(after.len()) > PAIRS {
        return replaced(before, after).collect();
    }
    let longest = longest_common(before, after);
    let (mut b, mut a) = (0, 0);
    let mut lines = Vec::new();
    while b < before.len() && a < after.len() {
        if before[b] == after[a] {
            lines.push(Line::Same(before[b].clone()));
            (b, a) = (b + 1, a + 1);
        } else if longest[b + 1][a] >= longest[b][a + 1] {
            lines.push(Line::Gone(before[b].clone()));
            b += 1;
        } else {
            lines.push(Line::New(after[a].clone()));
            a += 1;
        }
    }
    lines.extend(replaced(&before[b..], &after[a..]));
    lines
}

/// All goes, then all comes.
fn replaced(before: &[String], after: &[String]) -> impl Iterator<Item = Line> {
    let gone = before.iter().cloned().map(Line::Gone);
    gone.chain(after.iter().cloned().map(Line::New))
}

/// How many lines the rests from (b, a) on have in common.
fn longest_common(before: &[String], after: &[String]) -> Vec<Vec<u32>> {
    let mut longest = vec![vec![0; after.len() + 1]; before.len() + 1];
    for b in (0..before.len()).rev() {
        for a in (0..after.len()).rev() {
            longest[b][a] = if before[b] == after[a] {
                longest[b + 1][a + 1] + 1
            } else {
                longest[b + 1][a].max(longest[b][a + 1])
            };
        }
    }
    longest
}

/// Equal lines far from any change become one mark.
fn condensed(lines: &[Line]) -> Vec<Line> {
    let changed: Vec<bool> = lines.iter().map(|l| !matches!(l, Line::Same(_))).collect();
    let near = |at: usize| {
        let from = at.saturating_sub(CONTEXT);
        let to = (at + CONTEXT + 1).min(changed.len());
        changed[from..to].contains(&true)
    };
    let mut shown = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match (near(at), shown.last_mut()) {
            (true, _) => shown.push(line.clone()),
            (false, Some(Line::Skipped(n))) => *n += 1,
            (false, _) => shown.push(Line::Skipped(1)),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn shown(before: &str, after: &str) -> String {
        let word = |line: &Line| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Gone(text) => format!("-{text}"),
            Line::New(text) => format!("+{text}"),
            Line::Skipped(n) => format!("…{n}"),
        };
        diff(&lines(before), &lines(after))
            .iter()
            .map(word)
            .collect()
    }

    #[test]
    fn what_differs() {
        assert_eq!(shown("a b c", "a x c"), " a-b+x c");
        assert_eq!(shown("a b c d e f", "a b c d e x"), "…3 d e-f+x");
        assert_eq!(shown("a b c", "b c d"), "-a b c+d");
        assert_eq!(shown("", "a"), "+a");
        assert_eq!(shown("a", "a"), "…1");
    }

    #[test]
    fn of_long_texts_all_goes_and_all_comes() {
        // All pairs of these would take 40 GB.
        let text = |word: &str| -> Vec<String> {
            let other = |n| format!("{word} {n}");
            (0..100_000).map(other).collect()
        };
        let lines = diff(&text("before"), &text("after"));
        let (gone, new) = lines.split_at(100_000);
        assert!(gone.iter().all(|line| matches!(line, Line::Gone(_))));
        assert!(new.iter().all(|line| matches!(line, Line::New(_))));
        assert_eq!(new.len(), 100_000);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_it(
            before in prop::collection::vec("[abc]", 0..8),
            after in prop::collection::vec("[abc]", 0..8),
        ) {
            let lines = middle(&before, &after);
            let side = |gone: bool| -> Vec<String> {
                lines.iter().filter_map(|line| match line {
                    Line::Same(text) => Some(text.clone()),
                    Line::Gone(text) => gone.then(|| text.clone()),
                    Line::New(text) => (!gone).then(|| text.clone()),
                    Line::Skipped(_) => None,
                }).collect()
            };
            prop_assert_eq!(side(true), before);
            prop_assert_eq!(side(false), after);
        }
    }
}
