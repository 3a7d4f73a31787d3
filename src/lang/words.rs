//! Small help with wording: the nearest of known words, and lists of words.

/// The known word a person most likely meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let near = known
        .into_iter()
        .filter(|k| *k != word)
        .map(|k| (distance(word, k), k));
    near.filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, known)| known)
}

/// Swapped neighbours count once; `-` and `_`, and upper and lower case, are as good as equal.
fn distance(a: &str, b: &str) -> usize {
    let plain = |s: &str| s.to_lowercase().replace('-', "_");
    strsim::damerau_levenshtein(&plain(a), &plain(b))
}

/// "did you mean `x`?", or else all that is known, unless that is too much to read.
#[must_use]
pub fn suggest<'a, I>(word: &str, known: I, what: &str) -> Option<String>
where
    I: IntoIterator<Item = &'a str> + Clone,
{
    if let Some(near) = nearest(word, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let mut all: Vec<&str> = known.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    (1..=24)
        .contains(&all.len())
        .then(|| format!("{what}: {}", listed(&all, "and")))
}

/// `a`, `b` and `c`.
pub(crate) fn listed(words: &[&str], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// "an" before output, "a" before size.
pub(crate) fn article(noun: &str) -> &'static str {
    match noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O', 'U']) {
        true => "an",
        false => "a",
    }
}

pub(crate) fn with_article(noun: &str) -> String {
    format!("{} {noun}", article(noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_near() {
        let known = ["cpus", "memory", "depends_on", "runtime"];
        assert_eq!(nearest("cpu", known), Some("cpus"));
        assert_eq!(nearest("memroy", known), Some("memory"));
        assert_eq!(nearest("depends-on", known), Some("depends_on"));
        assert_eq!(nearest("disk", known), None);
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(listed(&[], "and"), "");
        assert_eq!(listed(&["a"], "and"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
