//! A word that names addresses: one itself, all instances of a block, all in a module, or a glob.

use infra_api::Address;

/// `workload.web` (with all its instances), `workload.web[0]`, `module.m` (with all in it), `workload.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names this address, or a block or module that the address is an instance of or in.
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        let text = address.as_str();
        let ends = text.char_indices().filter(|(_, c)| matches!(c, '.' | '['));
        let mut outer = ends.map(|(at, _)| &text[..at]);
        glob(&self.0, text) || outer.any(|text| glob(&self.0, text))
    }
}

/// Whether `text` is `pattern`, in which a `*` stands for any text. What follows a `*` is looked for as early as it can
/// be: where that fails, no later place would do for the part before the next `*`.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split('*');
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_words_name() {
        let all = [
            "workload.web",
            "workload.web[0]",
            "workload.web[\"a.b\"]",
            "workload.webs",
            "module.m.workload.web",
            "module.m[1].workload.web",
            "module.mm.network.lan",
            "network.lan",
        ];
        let named = |word: &str| {
            let pattern = Pattern::new(word);
            let of = |a: &&&str| pattern.matches(&Address::new(**a));
            all.iter().filter(of).copied().collect::<Vec<_>>()
        };
        assert_eq!(named("workload.web"), all[0..3]);
        assert_eq!(named("workload.web[*]"), all[1..3]);
        assert_eq!(named("workload.web[0]"), all[1..2]);
        assert_eq!(named("workload.web[\"a.b\"]"), all[2..3]);
        assert_eq!(named("workload.w*s"), all[3..4]);
        assert_eq!(named("module.m"), all[4..6]);
        assert_eq!(named("module.m.*"), all[4..5]);
        assert_eq!(named("module.m*"), all[4..7]);
        assert_eq!(
            named("*.workload.*"),
            all[4..6],
            "inside of modules, at any depth"
        );
        assert_eq!(named("*"), all);
        assert_eq!(named("workload"), all[0..4]);
        for nothing in ["", "web", "workload.", "workload.*.x", "network.la"] {
            assert_eq!(named(nothing), [""; 0], "{nothing}");
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text) in [
            ("a*b*c", "abc"),
            ("a*b*c", "aXbYbc"),
            ("*", ""),
            ("**", "x"),
            ("*a", "aa"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a*b", "ab c"), ("a*a", "a"), ("*b*", "ac"), ("ab", "abc")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
