//! Sizes and durations as people write them: `8GiB`, `200us`.
//!
//! A quantity without its unit is an error and what does not come out whole is an error: nothing
//! is rounded or guessed. In JSON both are integers (bytes, nanoseconds).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A size in bytes. Text: `8GiB`, `512 MiB`, `1.5GiB`, `2MB` (decimal).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A span of time in nanoseconds. Text: `200us`, `1.5s`, `2m`.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Duration(pub u64);

/// Text that is no quantity, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitError(String);

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnitError {}

/// A kind of quantity: its units from large to small, and how to speak of them.
struct Kind {
    /// What a person calls it, with its article.
    name: &'static str,
    /// The unit everything is counted in.
    base: &'static str,
    /// Where two texts are equally short, the earlier unit is printed.
    units: &'static [(&'static str, u64)],
    /// Two units to offer where none was given.
    offer: [&'static str; 2],
}

const SIZE: Kind = Kind {
    name: "a size",
    base: "bytes",
    units: &[
        ("PiB", 1 << 50),
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("PB", 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
        ("B", 1),
    ],
    offer: ["MiB", "GiB"],
};

const TIME: Kind = Kind {
    name: "a duration",
    base: "nanoseconds",
    units: &[
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ],
    offer: ["ms", "s"],
};

/// Digits of a number that nobody means in large units.
const LONG: usize = 5;

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        SIZE.parse(text).map(Bytes)
    }
}

impl FromStr for Duration {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        TIME.parse(text).map(Duration)
    }
}

/// The shortest exact text: `8 GiB`, `1.5 GiB`, `2 MB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&SIZE.text(self.0))
    }
}

/// The shortest exact text: `200 us`, `1.5 s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&TIME.text(self.0))
    }
}

impl Kind {
    fn parse(&self, text: &str) -> Result<u64, UnitError> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = (&text[..end], text[end..].trim_start());
        let Some((whole, fraction)) = split_number(number) else {
            let [_, large] = self.offer;
            return Err(UnitError(format!(
                "`{text}` is not {}: write it like `8{large}`",
                self.name
            )));
        };
        let scale = self.scale(text, number, unit)?;
        exact(whole, fraction, scale).ok_or_else(|| self.inexact(text))
    }

    fn scale(&self, text: &str, number: &str, unit: &str) -> Result<u64, UnitError> {
        if let Some((_, scale)) = self.units.iter().find(|(name, _)| *name == unit) {
            return Ok(*scale);
        }
        if unit.is_empty() {
            let [mut small, mut large] = self.offer;
            // A number this long counts the smallest unit.
            if number.len() > LONG {
                let (base, _) = self.units[self.units.len() - 1];
                (small, large) = (base, small);
            }
            return Err(UnitError(format!(
                "`{text}` has no unit: write `{number}{small}` or `{number}{large}`"
            )));
        }
        let known: Vec<&str> = self.units.iter().rev().map(|(name, _)| *name).collect();
        let meant = self
            .meant(unit)
            .map(|name| format!("write `{number}{name}`; "));
        Err(UnitError(format!(
            "`{unit}` in `{text}` is not a unit of {}: {}the units are {}",
            self.name.trim_start_matches("a "),
            meant.unwrap_or_default(),
            known.join(", ")
        )))
    }

    /// The unit somebody who wrote `8G`, `8gib` or `8KB` had in mind.
    fn meant(&self, unit: &str) -> Option<&'static str> {
        let unit = unit.replace('µ', "u");
        let wanted = [unit.clone(), format!("{unit}iB")];
        let mut names = self.units.iter().map(|(name, _)| *name);
        names.find(|name| wanted.iter().any(|w| w.eq_ignore_ascii_case(name)))
    }

    fn inexact(&self, text: &str) -> UnitError {
        UnitError(format!(
            "`{text}` is not a whole number of {} below 2^64",
            self.base
        ))
    }

    fn text(&self, value: u64) -> String {
        // A unit larger than the value would say `0.2 ms`; zero is left with the smallest.
        let fitting = self
            .units
            .iter()
            .filter(|(_, scale)| *scale <= value.max(1));
        let (mut shortest, mut text) = (String::new(), String::new());
        for (unit, scale) in fitting {
            // What is long already without its decimals need not be written to tell.
            let digits = (value / scale)
                .checked_ilog10()
                .map_or(1, |log| log as usize + 1);
            if !shortest.is_empty() && digits + 1 + unit.len() >= shortest.len() {
                continue;
            }
            text.clear();
            if !exact_decimal(value, *scale, &mut text) {
                continue;
            }
            text.push(' ');
            text.push_str(unit);
            if shortest.is_empty() || text.len() < shortest.len() {
                std::mem::swap(&mut shortest, &mut text);
            }
        }
        shortest
    }
}

/// The digits before and after the point; at least one before, and after a point at least one.
fn split_number(number: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    (!whole.is_empty() && !fraction.contains('.')).then_some((whole, fraction))
}

/// `whole.fraction` times `scale`, where that is an integer that fits.
fn exact(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let fraction = fraction.trim_end_matches('0');
    let denominator = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(u128::from(scale))?;
    let value = (product % denominator == 0).then_some(product / denominator)?;
    u64::try_from(value).ok()
}

/// `value` in units of `scale` with at most three decimals, where that is exact, into an empty text.
fn exact_decimal(value: u64, scale: u64, text: &mut String) -> bool {
    use fmt::Write;
    let thousandths = u128::from(value) * 1000;
    let scale = u128::from(scale);
    if !thousandths.is_multiple_of(scale) {
        return false;
    }
    let (whole, rest) = (thousandths / scale / 1000, thousandths / scale % 1000);
    let _ = write!(text, "{whole}.{rest:03}");
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Result<u64, String> {
        text.parse::<Bytes>()
            .map(|b| b.0)
            .map_err(|e| e.to_string())
    }

    fn nanos(text: &str) -> Result<u64, String> {
        text.parse::<Duration>()
            .map(|d| d.0)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("8GiB"), Ok(8 << 30));
        assert_eq!(bytes(" 512 MiB\n"), Ok(512 << 20));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("2MB"), Ok(2_000_000));
        assert_eq!(bytes("0B"), Ok(0));
        assert_eq!(bytes("18446744073709551615B"), Ok(u64::MAX));
        assert_eq!(bytes("1.50000000000000000000GiB"), Ok(3 << 29));
    }

    #[test]
    fn durations() {
        assert_eq!(nanos("200us"), Ok(200_000));
        assert_eq!(nanos("1.5s"), Ok(1_500_000_000));
        assert_eq!(nanos("2m"), Ok(120_000_000_000));
        assert_eq!(
            nanos("0.5ns"),
            Err("`0.5ns` is not a whole number of nanoseconds below 2^64".into())
        );
    }

    #[test]
    fn errors_say_what_to_write() {
        let error = |text| bytes(text).unwrap_err();
        assert_eq!(error("8"), "`8` has no unit: write `8MiB` or `8GiB`");
        assert_eq!(
            error("2097152"),
            "`2097152` has no unit: write `2097152B` or `2097152MiB`"
        );
        assert_eq!(
            nanos("8").unwrap_err(),
            "`8` has no unit: write `8ms` or `8s`"
        );
        assert!(error("8G").contains("write `8GiB`; "), "{}", error("8G"));
        assert!(error("8gib").contains("write `8GiB`; "));
        assert!(error("1KB").contains("write `1kB`; "));
        assert!(error("8 parsecs").contains("the units are B, kB, MB"));
        assert!(nanos("3 µs").unwrap_err().contains("write `3us`; "));
        for bad in [
            "", "GiB", "-1GiB", "1.GiB", ".5GiB", "1..5GiB", "1.2.3GiB", "1e3B", "0.3GiB",
            "16384PiB",
        ] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_is_short_and_exact() {
        let text = |n| Bytes(n).to_string();
        assert_eq!(text(8 << 30), "8 GiB");
        assert_eq!(text(3 << 29), "1.5 GiB");
        assert_eq!(text(2_000_000), "2 MB");
        assert_eq!(text(1024), "1 KiB");
        assert_eq!(text(1001), "1001 B");
        assert_eq!(text(0), "0 B");
        assert_eq!(format!("[{:>7}]", Bytes(8 << 30)), "[  8 GiB]");
        assert_eq!(Duration(200_000).to_string(), "200 us");
        assert_eq!(Duration(90_000_000_000).to_string(), "90 s");
    }

    proptest! {
        #[test]
        fn parse_undoes_display(n in any::<u64>(), shift in 0u32..64) {
            let n = n >> shift << (shift / 2);
            prop_assert_eq!(bytes(&Bytes(n).to_string()), Ok(n));
            prop_assert_eq!(nanos(&Duration(n).to_string()), Ok(n));
        }

        #[test]
        fn round_numbers_too(n in 0u64..5000, unit in 0usize..11, time in 0usize..7) {
            let size = n * SIZE.units[unit].1;
            prop_assert_eq!(bytes(&Bytes(size).to_string()), Ok(size));
            let span = n * TIME.units[time].1;
            prop_assert_eq!(nanos(&Duration(span).to_string()), Ok(span));
        }

        #[test]
        fn no_text_panics(text in "[0-9. ]{0,30}[a-zA-Zµ ]{0,4}") {
            let _ = (bytes(&text), nanos(&text));
        }
    }
}
