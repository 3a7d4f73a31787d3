//! Words for a shell of somebody else's.

/// A word that a shell takes as it is, whatever is in it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_them_as_they_are() {
        for word in [
            "", "a b", "it's", "$(x)", "`x`", "a\nb", "~", "*", "\\", "-n", "ü", "a;b", "!x", "'",
        ] {
            let said = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output();
            assert_eq!(String::from_utf8(said.unwrap().stdout).unwrap(), word);
        }
        assert_eq!(quoted("/usr/bin/x-1.2"), "/usr/bin/x-1.2");
    }
}
