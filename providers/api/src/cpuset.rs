//! A set of small ids (CPUs, NUMA nodes) as the kernel writes it: `0-3,8`.
//!
//! Text in, set algebra, text out. Which ids exist on a host is not known here; that is
//! [`crate::facts`].

use std::cmp::Ordering;
use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const BITS: u32 = u64::BITS;

/// An ordered set of small ids. Equal sets have equal text: `0-3,8`, and `` for the empty one.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct IdSet {
    // Bit `i % 64` of word `i / 64` is id `i`. The last word is never zero, so that derived
    // equality and hashing are those of sets.
    words: Vec<u64>,
}

/// Text that is no set of ids, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdSetError {
    text: String,
    reason: String,
}

impl fmt::Display for IdSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a set of ids: {}", self.text, self.reason)
    }
}

impl std::error::Error for IdSetError {}

impl IdSet {
    /// The largest id a set may hold. Linux ends at 8192 CPUs and 1024 nodes; a larger number is
    /// a mistake and must not become a gigabyte of bits.
    pub const MAX_ID: u32 = 65_535;

    pub const fn new() -> Self {
        IdSet { words: Vec::new() }
    }

    /// Adds an id; false if it was there, or if it is larger than [`IdSet::MAX_ID`].
    pub fn insert(&mut self, id: u32) -> bool {
        if id > IdSet::MAX_ID || self.contains(id) {
            return false;
        }
        let word = word_of(id);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit_of(id);
        true
    }

    /// Takes an id out; false if it was not there.
    pub fn remove(&mut self, id: u32) -> bool {
        if !self.contains(id) {
            return false;
        }
        self.words[word_of(id)] &= !bit_of(id);
        self.trim();
        true
    }

    pub fn contains(&self, id: u32) -> bool {
        self.words
            .get(word_of(id))
            .is_some_and(|word| word & bit_of(id) != 0)
    }

    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    pub fn last(&self) -> Option<u32> {
        let word = self.words.last()?;
        let base = u32::try_from(self.words.len() - 1).ok()? * BITS;
        Some(base + BITS - 1 - word.leading_zeros())
    }

    /// The ids, ascending.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            words: &self.words,
            next: 0,
        }
    }

    pub fn is_subset(&self, other: &IdSet) -> bool {
        (self - other).is_empty()
    }

    pub fn is_disjoint(&self, other: &IdSet) -> bool {
        self.words.iter().zip(&other.words).all(|(a, b)| a & b == 0)
    }

    /// The kernel's hexadecimal mask: groups of 32 bits, the highest first, `00000000,0000000f`.
    pub fn from_mask(text: &str) -> Result<IdSet, IdSetError> {
        let trimmed = text.trim();
        parse_mask(trimmed).map_err(|reason| IdSetError {
            text: trimmed.to_owned(),
            reason,
        })
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }

    /// Applies `op` word by word, the shorter set filled up with zeros.
    fn zip(&self, other: &IdSet, op: impl Fn(u64, u64) -> u64) -> IdSet {
        let at = |set: &IdSet, i: usize| set.words.get(i).copied().unwrap_or(0);
        let len = self.words.len().max(other.words.len());
        let words = (0..len).map(|i| op(at(self, i), at(other, i))).collect();
        let mut set = IdSet { words };
        set.trim();
        set
    }
}

const fn word_of(id: u32) -> usize {
    (id / BITS) as usize
}

const fn bit_of(id: u32) -> u64 {
    1 << (id % BITS)
}

/// Ascending ids of an [`IdSet`].
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    words: &'a [u64],
    next: u32,
}

impl Iterator for Iter<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        loop {
            let word = self.words.get(word_of(self.next))?;
            let rest = word & (u64::MAX << (self.next % BITS));
            let base = self.next - self.next % BITS;
            if rest != 0 {
                let id = base + rest.trailing_zeros();
                self.next = id + 1;
                return Some(id);
            }
            self.next = base + BITS;
        }
    }
}

impl<'a> IntoIterator for &'a IdSet {
    type Item = u32;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<u32> for IdSet {
    fn from_iter<I: IntoIterator<Item = u32>>(ids: I) -> Self {
        let mut set = IdSet::new();
        set.extend(ids);
        set
    }
}

impl Extend<u32> for IdSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, ids: I) {
        for id in ids {
            self.insert(id);
        }
    }
}

impl<const N: usize> From<[u32; N]> for IdSet {
    fn from(ids: [u32; N]) -> Self {
        ids.into_iter().collect()
    }
}

impl BitOr for &IdSet {
    type Output = IdSet;
    fn bitor(self, other: &IdSet) -> IdSet {
        self.zip(other, |a, b| a | b)
    }
}

impl BitAnd for &IdSet {
    type Output = IdSet;
    fn bitand(self, other: &IdSet) -> IdSet {
        self.zip(other, |a, b| a & b)
    }
}

impl Sub for &IdSet {
    type Output = IdSet;
    fn sub(self, other: &IdSet) -> IdSet {
        self.zip(other, |a, b| a & !b)
    }
}

/// As the lists of ids compare: `0-1` before `0,2` before `1`.
impl Ord for IdSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for IdSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl fmt::Display for IdSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (first, last) in runs(self) {
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
            comma = ",";
        }
        Ok(())
    }
}

/// Maximal ranges of consecutive ids, each as (first, last).
fn runs(set: &IdSet) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for id in set {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => runs.push((id, id)),
        }
    }
    runs
}

/// The kernel's list format, strides (`0-10:2/4`: the first two of every four) included.
impl FromStr for IdSet {
    type Err = IdSetError;

    fn from_str(text: &str) -> Result<Self, IdSetError> {
        let trimmed = text.trim();
        parse_list(trimmed).map_err(|reason| IdSetError {
            text: trimmed.to_owned(),
            reason,
        })
    }
}

fn parse_list(text: &str) -> Result<IdSet, String> {
    let mut set = IdSet::new();
    // The kernel prints the empty set as an empty line.
    if text.is_empty() {
        return Ok(set);
    }
    for item in text.split(',') {
        add_item(&mut set, item)?;
    }
    Ok(set)
}

/// `8`, `0-3` or `0-10:2/4`.
fn add_item(set: &mut IdSet, item: &str) -> Result<(), String> {
    let (range, stride) = match item.split_once(':') {
        Some((range, stride)) => (range, Some(stride)),
        None => (item, None),
    };
    let (first, last) = parse_range(range)?;
    let (used, group) = match stride {
        Some(text) => parse_stride(text)?,
        None => (1, 1),
    };
    set.extend((first..=last).filter(|id| (id - first) % group < used));
    Ok(())
}

fn parse_range(text: &str) -> Result<(u32, u32), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (parse_id(first)?, parse_id(last)?);
    if first > last {
        return Err(format!("the range {first}-{last} runs backwards"));
    }
    Ok((first, last))
}

fn parse_stride(text: &str) -> Result<(u32, u32), String> {
    let parsed = text
        .split_once('/')
        .and_then(|(used, group)| Some((parse_id(used).ok()?, parse_id(group).ok()?)));
    match parsed {
        Some((used, group)) if 0 < used && used <= group => Ok((used, group)),
        _ => Err(format!("`{text}` is no stride; one looks like `2/4`")),
    }
}

fn parse_id(text: &str) -> Result<u32, String> {
    // `u32::from_str` takes a leading plus; the kernel does not.
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` is no number; a set looks like `0-3,8`"));
    }
    match text.parse() {
        Ok(id) if id <= IdSet::MAX_ID => Ok(id),
        _ => Err(format!("{text} is larger than any id ({})", IdSet::MAX_ID)),
    }
}

fn parse_mask(text: &str) -> Result<IdSet, String> {
    let groups: Vec<&str> = text.split(',').collect();
    if groups.len() > (IdSet::MAX_ID / 32 + 1) as usize {
        return Err(format!("it has bits above {}", IdSet::MAX_ID));
    }
    let mut set = IdSet::new();
    for (group, base) in groups.iter().rev().zip((0..).step_by(32)) {
        let bits = parse_group(group)?;
        set.extend(
            (0..32)
                .filter(|bit| bits & (1 << bit) != 0)
                .map(|bit| base + bit),
        );
    }
    Ok(set)
}

fn parse_group(text: &str) -> Result<u32, String> {
    let hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    match u32::from_str_radix(text, 16) {
        Ok(bits) if hex => Ok(bits),
        _ => Err(format!("`{text}` is no group of 32 bits in hexadecimal")),
    }
}

impl Serialize for IdSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IdSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for IdSet {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IdSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A set of ids (CPUs, NUMA nodes) as the kernel lists them: `0-3,8`; empty text is the empty set",
            "pattern": "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$",
            "examples": ["0-3,8"],
        })
    }
}

#[cfg(test)]
#[path = "cpuset_tests.rs"]
mod tests;
