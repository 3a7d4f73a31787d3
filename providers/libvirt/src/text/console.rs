//! What stands on a serial console: text as a terminal takes it, with colours and what moves its cursor.

/// So many are shown of a guest that does not become ready.
const LAST: usize = 5;

/// A line is no longer than this where it is shown.
const WIDTH: usize = 200;

/// Without what only a terminal understands.
fn plain(said: &str) -> String {
    let mut text = String::with_capacity(said.len());
    let mut chars = said.chars();
    while let Some(c) = chars.next() {
        match c {
            // An escape: `[`, parameters, and a letter; or one character.
            '\u{1b}' => {
                if chars.next() == Some('[') {
                    let _ = chars.by_ref().find(|c| matches!(c, '@'..='~'));
                }
            }
            '\n' | '\t' => text.push(c),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// Whether a line has this text, as a person reads it.
pub(crate) fn has_line(said: &str, text: &str) -> bool {
    plain(said).lines().any(|line| line.contains(text))
}

/// cloud-init ends with `Cloud-init v. 24.1 finished at …`.
pub(crate) fn has_finished(said: &str) -> bool {
    let is = |line: &str| {
        let rest = line.split_once("Cloud-init v. ").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.contains(" finished at "))
    };
    plain(said).lines().any(is)
}

/// The last ones that say anything; nothing where there is none.
pub(crate) fn last_lines(said: &str) -> Option<String> {
    let text = plain(said);
    let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
    let mut last: Vec<String> = lines
        .rev()
        .take(LAST)
        .map(|line| line.chars().take(WIDTH).collect())
        .collect();
    last.reverse();
    (!last.is_empty()).then(|| last.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_as_it_is_read() {
        let said = "\u{1b}[0;32m  OK  \u{1b}[0m] Started \u{1b}[1mssh\u{1b}[0m.\r\nweb login: ";
        assert!(has_line(said, "Started ssh."));
        assert!(has_line(said, "login:"));
        assert!(!has_line(said, "ssh.web"), "on one line");
        assert!(!has_line("", "x"));
    }

    #[test]
    fn cloud_init_has_finished_when_it_says_so() {
        let end =
            "[   12.3] cloud-init[512]: Cloud-init v. 22.4.2 finished at Tue, 24 Nov 2026\r\n";
        assert!(has_finished(end));
        assert!(!has_finished("Cloud-init v. 22.4.2 running 'init' at Tue"));
        assert!(!has_finished("my job finished at noon"));
    }

    #[test]
    fn the_last_lines_are_those_that_say_something() {
        assert_eq!(last_lines("\r\n \n"), None);
        assert_eq!(
            last_lines("1\n2\n3\n\n4\r\n5\n\u{1b}[31m6\u{1b}[0m\n"),
            Some("2\n3\n4\n5\n6".into())
        );
        assert_eq!(last_lines(&"x".repeat(300)).map(|l| l.len()), Some(200));
    }
}
