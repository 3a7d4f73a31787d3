//! Seeds → inputs nobody wrote, the same for the same number.

/// Numbers that look drawn (splitmix64), from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What readers stumble over.
const STUMBLES: [&str; 36] = [
    "-1",
    "0",
    "1",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "4294967296",
    "1e999",
    "0.1",
    "1e-400",
    "NaN",
    "null",
    "true",
    "\"\"",
    "\\u0000",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "𝄞",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "${",
    "%{ if true }",
    "<",
    "&#0;",
    "<![CDATA[",
    "..",
    "/",
    "\n",
    "0-4294967295",
    "10.0.0.0/0",
];

/// Inputs are no longer than this: all grow, and what is wrong with long ones is wrong with these.
const LONGEST: usize = 1 << 16;

/// All that inputs of one reader are made of.
pub(crate) struct Corpus {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    pub(crate) fn new(seeds: Vec<Vec<u8>>) -> Self {
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let all = seeds.iter().flat_map(|s| s.split(move |b| !is_part(b)));
        let mut words: Vec<Vec<u8>> = all.filter(|w| !w.is_empty()).map(<[u8]>::to_vec).collect();
        words.extend(STUMBLES.map(|w| w.as_bytes().to_vec()));
        words.sort();
        words.dedup();
        Self { seeds, words }
    }

    /// One of the seeds after some changes; a few as they are.
    pub(crate) fn input(&self, dice: &mut Dice) -> Vec<u8> {
        let mut input = dice.pick(&self.seeds).clone();
        for _ in 0..dice.below(8) {
            self.change(&mut input, dice);
            input.truncate(LONGEST);
        }
        input
    }

    fn change(&self, input: &mut Vec<u8>, dice: &mut Dice) {
        let at = dice.below(input.len() + 1);
        let size = 1 << dice.below(10);
        let end = (at + 1 + dice.below(size)).min(input.len());
        let range = at.min(end)..end;
        match dice.below(9) {
            0 if !range.is_empty() => input[at] ^= 1 << dice.below(8),
            1 => drop(input.drain(range)),
            2 => {
                // Again and again: what is nested or listed becomes deep or long.
                let piece = input[range].repeat(1 + dice.below(200));
                input.splice(at..at, piece);
            }
            3 => input.truncate(at),
            4 => {
                let other = dice.pick(&self.seeds);
                let from = dice.below(other.len() + 1);
                let length = dice.below(256).min(other.len() - from);
                input.splice(range, other[from..from + length].iter().copied());
            }
            5 => {
                input.splice(at..at, dice.pick(&self.words).iter().copied());
            }
            _ => {
                let word = word_at(input, at);
                input.splice(word, dice.pick(&self.words).iter().copied());
            }
        }
    }
}

/// The word or number that stands at a place, or nothing.
fn word_at(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let before = input[..at].iter().rev().take_while(|b| is_part(b)).count();
    let after = input[at..].iter().take_while(|b| is_part(b)).count();
    at - before..at + after
}
