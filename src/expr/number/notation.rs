//! Numbers ↔ digits: what is read is rounded correctly, what is written is as short as it can be.

use super::{Form, MAX_EXPONENT, Number};
use dashu_int::ops::{BitTest, DivRem, PowerOfTwo, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig};
use std::fmt;

/// Notations.
impl Number {
    /// The digits that name the number, without sign and point, and the place of the point among them:
    /// before (0), after the first so many, or beyond either end.
    pub(crate) fn digits(&self) -> (String, isize) {
        let float = self.float();
        let repr = float.repr();
        if repr.significand().is_zero() {
            return ("0".into(), 1);
        }
        let magnitude = repr.significand().clone().unsigned_abs();
        let (digits, point) = shortest(magnitude, repr.exponent(), float.precision());
        let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
        (text.trim_end_matches('0').into(), point)
    }

    /// The digits of a whole number in another base.
    pub(crate) fn to_radix(&self, radix: u8) -> Option<String> {
        self.is_whole()
            .then(|| self.float().to_int().value().in_radix(radix).to_string())
    }

    /// With exactly so many decimals, the last one rounded to even.
    pub(crate) fn to_fixed(&self, decimals: usize) -> String {
        let float = self.float();
        let (sign, magnitude) = float.repr().significand().clone().into_parts();
        let exponent = float.repr().exponent();
        let scaled = magnitude * UBig::from(10u8).pow(decimals);
        let rounded = if exponent >= 0 {
            scaled << exponent.unsigned_abs()
        } else {
            shift_to_even(scaled, exponent.unsigned_abs())
        };
        let digits = format!("{:0>1$}", rounded.to_string(), decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if sign == Sign::Negative { "-" } else { "" };
        let dot = if decimals > 0 { "." } else { "" };
        format!("{sign}{whole}{dot}{fraction}")
    }
}

/// Divides by a power of two, rounding to the nearest, to the even of two.
fn shift_to_even(n: UBig, bits: usize) -> UBig {
    let floor = n.clone() >> bits;
    let rest = n - (floor.clone() << bits);
    let double = rest << 1;
    let half = UBig::ONE << bits;
    if double > half || (double == half && floor.bit(0)) {
        floor + 1u8
    } else {
        floor
    }
}

/// Splits decimal notation into a whole number and the power of ten it is times.
pub(super) fn decimal(text: &str) -> Option<(IBig, isize)> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<isize>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match digits.as_bytes().first()? {
        b'-' => (Sign::Negative, &digits[1..]),
        b'+' => (Sign::Positive, &digits[1..]),
        _ => (Sign::Positive, digits),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.checked_sub_unsigned(fraction.len())?;
    let in_range = exponent.abs() <= MAX_EXPONENT && all.len() <= MAX_EXPONENT.unsigned_abs();
    let magnitude = UBig::from_str_radix(&all, 10).ok()?;
    in_range.then(|| (IBig::from_parts(sign, magnitude), exponent))
}

/// The fewest decimal digits that still name this number and no other of its precision, and the place of
/// the decimal point before (0) or after the first so many of them. This is the digit generation of
/// Steele and White: the value is r/s, and digits come off until what is left is less than half the
/// distance to the neighbour below or above.
fn shortest(magnitude: UBig, exponent: isize, precision: usize) -> (Vec<u8>, isize) {
    let missing = precision.saturating_sub(magnitude.bit_len());
    let magnitude = magnitude << missing;
    let exponent = exponent - isize::try_from(missing).unwrap_or(isize::MAX);
    let inclusive = !magnitude.bit(0);
    // Below a power of two the neighbour is half as far away.
    let at_power = magnitude.is_power_of_two();
    let (up, down) = (
        exponent.max(0).unsigned_abs(),
        (-exponent).max(0).unsigned_abs(),
    );
    let mut r = (magnitude.clone() << up) << 2;
    let mut s = (UBig::ONE << down) << 2;
    let mut above = (UBig::ONE << up) << 1;
    let mut below = if at_power {
        UBig::ONE << up
    } else {
        above.clone()
    };
    let mut point = estimate(magnitude.bit_len(), exponent);
    let power = UBig::from(10u8).pow(point.unsigned_abs());
    if point >= 0 {
        s *= power;
    } else {
        r *= &power;
        above *= &power;
        below *= &power;
    }
    while reaches(&(&r + &above), &s, inclusive) {
        s *= 10u8;
        point += 1;
    }
    let mut digits = Vec::new();
    loop {
        let (digit, rest) = (r * 10u8).div_rem(&s);
        (r, above, below) = (rest, above * 10u8, below * 10u8);
        let digit = u8::try_from(digit).unwrap_or(9);
        let low = reaches(&below, &r, inclusive);
        let high = reaches(&(&r + &above), &s, inclusive);
        if low || high {
            let round_up = high && (!low || &r * 2u8 >= s);
            digits.push(digit + u8::from(round_up));
            return (digits, point);
        }
        digits.push(digit);
    }
}

fn reaches(a: &UBig, b: &UBig, inclusive: bool) -> bool {
    if inclusive { a >= b } else { a > b }
}

/// The power of ten just above such a number, or one less.
fn estimate(bits: usize, exponent: isize) -> isize {
    let log2 = isize::try_from(bits)
        .unwrap_or(isize::MAX)
        .saturating_add(exponent)
        - 1;
    // log10(2) to nine digits, rounded down, is exact enough for exponents within the limit.
    log2.saturating_mul(301_029_995).div_euclid(1_000_000_000)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let float = match &self.0 {
            Form::Int(int) => return write!(f, "{int}"),
            Form::Float(float) => float,
        };
        let repr = float.repr();
        let (sign, magnitude) = repr.significand().clone().into_parts();
        let (digits, point) = shortest(magnitude, repr.exponent(), float.precision());
        if sign == Sign::Negative {
            f.write_str("-")?;
        }
        f.write_str(&positional(&digits, point))
    }
}

/// Digits and the place of the point, without an exponent.
fn positional(digits: &[u8], point: isize) -> String {
    let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
    let after = point.unsigned_abs();
    match point {
        ..=0 => format!("0.{}{text}", "0".repeat(after)),
        _ if after >= text.len() => format!("{text}{}", "0".repeat(after - text.len())),
        _ => format!("{}.{}", &text[..after], &text[after..]),
    }
}
