//! Versions and constraints on them, as `required_version` writes them: `>= 1.2, < 2.0`, `~> 1.4`.

use std::cmp::Ordering;
use std::fmt;

/// `1.2.3-beta.1`; missing parts are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    parts: Vec<u64>,
    prerelease: Vec<String>,
}

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.split('+').next()?;
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, rest)) => (numbers, rest.split('.').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let parts: Option<Vec<u64>> = numbers.split('.').map(|n| n.parse().ok()).collect();
        let valid = prerelease.iter().all(|part: &String| !part.is_empty());
        parts
            .filter(|p| p.len() <= 3 && valid)
            .map(|parts| Self { parts, prerelease })
    }

    fn part(&self, index: usize) -> u64 {
        self.parts.get(index).copied().unwrap_or(0)
    }

    fn numbers(&self) -> [u64; 3] {
        [self.part(0), self.part(1), self.part(2)]
    }

    fn order(&self, other: &Self) -> Ordering {
        let ours = self.numbers().cmp(&other.numbers());
        ours.then_with(
            || match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => self.prerelease_order(other),
            },
        )
    }

    fn prerelease_order(&self, other: &Self) -> Ordering {
        let key = |part: &String| (part.parse::<u64>().map_or((1, 0), |n| (0, n)), part.clone());
        let ours: Vec<_> = self.prerelease.iter().map(key).collect();
        ours.cmp(&other.prerelease.iter().map(key).collect())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers();
        write!(f, "{major}.{minor}.{patch}")?;
        match self.prerelease.is_empty() {
            true => Ok(()),
            false => write!(f, "-{}", self.prerelease.join(".")),
        }
    }
}

/// Several conditions, all of which must hold.
#[derive(Debug)]
pub(crate) struct Constraint(Vec<(&'static str, Version)>);

/// Longer ones first, so that `>=` is not read as `>`.
const OPERATORS: [&str; 7] = [">=", "<=", "!=", "~>", ">", "<", "="];

impl Constraint {
    /// The part that is wrong is the error.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parse = |part: &str| Self::condition(part.trim()).ok_or_else(|| part.trim().to_owned());
        text.split(',')
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn condition(part: &str) -> Option<(&'static str, Version)> {
        let operator = OPERATORS
            .iter()
            .find(|operator| part.starts_with(**operator));
        let rest = operator.map_or(part, |operator| &part[operator.len()..]);
        Some((
            operator.copied().unwrap_or("="),
            Version::parse(rest.trim())?,
        ))
    }

    pub(crate) fn allows(&self, version: &Version) -> bool {
        self.0
            .iter()
            .all(|(operator, wanted)| holds(version, operator, wanted))
    }
}

fn holds(version: &Version, operator: &str, wanted: &Version) -> bool {
    let order = version.order(wanted);
    // A version that is not finished is only allowed where one like it is asked for.
    let early = !version.prerelease.is_empty();
    let asked = !wanted.prerelease.is_empty() && wanted.numbers() == version.numbers();
    match operator {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        _ if early && !asked => false,
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        _ => order.is_ge() && same_line(version, wanted),
    }
}

/// `~> 1.2` allows all of 1, `~> 1.2.3` all of 1.2: only the last part written may grow.
fn same_line(version: &Version, wanted: &Version) -> bool {
    let fixed = wanted.parts.len().saturating_sub(1);
    (0..fixed).all(|i| version.part(i) == wanted.part(i))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(constraint: &str, version: &str) -> bool {
        Constraint::parse(constraint)
            .unwrap()
            .allows(&Version::parse(version).unwrap())
    }

    #[test]
    fn constraints_hold_as_terraform_has_them() {
        for (constraint, yes, no) in [
            ("1.2.3", "1.2.3", "1.2.4"),
            ("= 1.2", "1.2.0", "1.2.1"),
            ("!= 1.2.0", "1.2.1", "1.2.0"),
            ("> 1.2", "1.2.1", "1.2.0"),
            (">=1.2", "1.2.0", "1.1.9"),
            ("< 2", "1.99.0", "2.0.0"),
            ("<= 2", "2.0.0", "2.0.1"),
            ("~> 1.2", "1.9.0", "2.0.0"),
            ("~> 1.2", "1.2.0", "1.1.0"),
            ("~> 1.2.3", "1.2.9", "1.3.0"),
            ("~> 1", "7.0.0", "0.9.0"),
            (">= 1.0, < 2.0, != 1.5.0", "1.4.0", "1.5.0"),
            (">= 1.0.0-beta", "1.0.0-rc", "1.1.0-rc"),
            (">= 1.0.0-beta.2", "1.0.0-beta.10", "1.0.0-beta.1"),
            (">= 1.0", "1.0.0", "1.0.0-rc"),
        ] {
            assert!(allows(constraint, yes), "{constraint} {yes}");
            assert!(!allows(constraint, no), "{constraint} {no}");
        }
    }

    #[test]
    fn what_is_no_constraint_is_named() {
        for (text, wrong) in [
            ("", ""),
            (">= x", ">= x"),
            ("1.0, => 2", "=> 2"),
            ("1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(Constraint::parse(text).map(|_| ()), Err(wrong.to_owned()));
        }
    }
}
