//! Numbers: binary floating point with a 512-bit significand, so that what a person writes in decimal
//! comes out as it went in. Whole numbers that fit are kept as such, which is also what is fast.

use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, Repr};
use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};
use std::cmp::Ordering;
use std::sync::Arc;

mod notation;

type Float = FBig<HalfEven, 2>;

/// Bits of the significand of numbers that are written, and of what is computed from them.
const PRECISION: usize = 512;

/// Powers of two (and of ten, when parsing) beyond this are refused: no quantity of a machine is near, and printing
/// one would fill the memory.
const MAX_EXPONENT: isize = 100_000;

/// A number. Equal numbers are equal however they came about.
#[derive(Clone, Debug)]
pub struct Number(Form);

#[derive(Clone, Debug)]
enum Form {
    Int(i64),
    /// Never a whole number that would fit the other form.
    Float(Arc<Float>),
}

/// Why an operation has no result; to be shown as it is.
pub(crate) type Undefined = &'static str;

const TOO_LARGE: Undefined = "the result is too large";
const BY_ZERO: Undefined = "division by zero";

impl Number {
    /// Reads decimal notation, with an exponent or without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(int) = text.parse() {
            return Some(Self(Form::Int(int)));
        }
        let (mantissa, exponent) = notation::decimal(text)?;
        let context = Context::<HalfEven>::new(PRECISION);
        let power = UBig::from(10u8).pow(exponent.unsigned_abs());
        let float = if exponent >= 0 {
            context.convert_int::<2>(mantissa * power).value()
        } else {
            context
                .div(&Repr::new(mantissa, 0), &Repr::new(power.into(), 0))
                .ok()?
                .value()
        };
        Self::from_float(float).ok()
    }

    /// Digits in a base up to 36, with a sign before them or without.
    #[must_use]
    pub fn parse_radix(digits: &str, base: u32) -> Option<Self> {
        let int = IBig::from_str_radix(digits, base).ok()?;
        let bits = int.clone().unsigned_abs().bit_len();
        Self::from_float(
            Context::<HalfEven>::new(PRECISION.max(bits))
                .convert_int::<2>(int)
                .value(),
        )
        .ok()
    }

    /// What a function computed in double precision; it prints as such a number does.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let float = Float::try_from(value).ok()?;
        if float.repr().is_infinite() {
            return None;
        }
        Self::from_float(float).ok()
    }

    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.float().to_f64().value()
    }

    /// The number, if it is whole and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Form::Int(int) => Some(int),
            Form::Float(_) => None,
        }
    }

    /// The number, if it is whole, not negative and fits.
    #[must_use]
    pub fn as_usize(&self) -> Option<usize> {
        self.as_i64().and_then(|int| usize::try_from(int).ok())
    }

    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Form::Int(_) => true,
            Form::Float(float) => float.repr().is_int(),
        }
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> i64 {
        match self.cmp(&Self::from(0)) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// # Errors
    /// When the result is too large.
    pub fn add(&self, other: &Self) -> Result<Self, Undefined> {
        self.combine(other, i64::checked_add, |context, a, b| {
            context.add(a, b).map(|r| r.value())
        })
    }

    /// # Errors
    /// When the result is too large.
    pub fn sub(&self, other: &Self) -> Result<Self, Undefined> {
        self.combine(other, i64::checked_sub, |context, a, b| {
            context.sub(a, b).map(|r| r.value())
        })
    }

    /// # Errors
    /// When the result is too large.
    pub fn mul(&self, other: &Self) -> Result<Self, Undefined> {
        self.combine(other, i64::checked_mul, |context, a, b| {
            context.mul(a, b).map(|r| r.value())
        })
    }

    /// # Errors
    /// When the other is zero, or the result is too large.
    pub fn div(&self, other: &Self) -> Result<Self, Undefined> {
        if other.signum() == 0 {
            return Err(BY_ZERO);
        }
        let exact = |a: i64, b: i64| {
            if a.checked_rem(b)? == 0 {
                a.checked_div(b)
            } else {
                None
            }
        };
        self.combine(other, exact, |context, a, b| {
            context.div(a, b).map(|r| r.value())
        })
    }

    /// The remainder of the division towards zero; it has the sign of the first.
    ///
    /// # Errors
    /// When the other is zero.
    pub fn rem(&self, other: &Self) -> Result<Self, Undefined> {
        if let (Form::Int(a), Form::Int(b)) = (&self.0, &other.0)
            && let Some(rest) = a.checked_rem(*b)
        {
            return Ok(Self::from(rest));
        }
        self.sub(&self.div(other)?.trunc()?.mul(other)?)
    }

    /// # Errors
    /// When the result is too large.
    pub fn neg(&self) -> Result<Self, Undefined> {
        Self::from(0).sub(self)
    }

    /// # Errors
    /// When the result is too large.
    pub fn floor(&self) -> Result<Self, Undefined> {
        self.round(Float::floor)
    }

    /// # Errors
    /// When the result is too large.
    pub fn ceil(&self) -> Result<Self, Undefined> {
        self.round(Float::ceil)
    }

    fn trunc(&self) -> Result<Self, Undefined> {
        self.round(Float::trunc)
    }

    fn round(&self, f: impl Fn(&Float) -> Float) -> Result<Self, Undefined> {
        match &self.0 {
            Form::Int(_) => Ok(self.clone()),
            Form::Float(float) => Self::from_float(f(float)),
        }
    }

    fn combine(
        &self,
        other: &Self,
        ints: impl Fn(i64, i64) -> Option<i64>,
        floats: impl Fn(Context<HalfEven>, &Repr<2>, &Repr<2>) -> Result<Float, dashu_float::FpError>,
    ) -> Result<Self, Undefined> {
        if let (Form::Int(a), Form::Int(b)) = (&self.0, &other.0)
            && let Some(result) = ints(*a, *b)
        {
            return Ok(Self::from(result));
        }
        let context = Context::new(self.precision().max(other.precision()));
        let result =
            floats(context, self.float().repr(), other.float().repr()).map_err(|_| TOO_LARGE)?;
        Self::from_float(result)
    }

    fn precision(&self) -> usize {
        match &self.0 {
            Form::Int(_) => PRECISION,
            Form::Float(float) => float.precision(),
        }
    }

    fn float(&self) -> Float {
        match &self.0 {
            Form::Int(int) => Context::<HalfEven>::new(PRECISION)
                .convert_int::<2>((*int).into())
                .value(),
            Form::Float(float) => (**float).clone(),
        }
    }

    fn from_float(float: Float) -> Result<Self, Undefined> {
        let repr = float.repr();
        if !repr.is_finite() || repr.exponent().abs() > MAX_EXPONENT * 4 {
            return Err(TOO_LARGE);
        }
        if repr.is_int()
            && let Ok(int) = i64::try_from(float.to_int().value())
        {
            return Ok(Self(Form::Int(int)));
        }
        Ok(Self(Form::Float(Arc::new(float))))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Int(a), Form::Int(b)) => a.cmp(b),
            _ => self.float().cmp(&other.float()),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Form::Int(value))
    }
}

impl From<i32> for Number {
    fn from(value: i32) -> Self {
        Self::from(i64::from(value))
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self::from(i64::from(value))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or_else(|_| Self::from_large(value as u64), Self::from)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::from_large(value), Self::from)
    }
}

impl Number {
    fn from_large(value: u64) -> Self {
        let float = Context::<HalfEven>::new(PRECISION)
            .convert_int::<2>(value.into())
            .value();
        Self(Form::Float(Arc::new(float)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn decimal_comes_out_as_it_went_in() {
        let tenth = number("0.1").add(&number("0.2")).unwrap();
        assert_eq!(tenth.to_string(), "0.3");
        assert_eq!(tenth, number("0.3"));
        for text in [
            "1.5",
            "-0.000125",
            "12345678901234567890123456789",
            "9223372036854775808",
        ] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("1e3").to_string(), "1000");
        assert_eq!(number("1e100").to_string(), format!("1{}", "0".repeat(100)));
    }

    #[test]
    fn a_whole_result_is_an_integer() {
        assert_eq!(number("2.5").mul(&number("4")).unwrap().as_i64(), Some(10));
        assert_eq!(
            number("9223372036854775807")
                .add(&number("1"))
                .unwrap()
                .as_i64(),
            None
        );
    }

    #[test]
    fn no_result() {
        assert_eq!(number("1").div(&number("0")), Err(BY_ZERO));
        assert_eq!(number("1").rem(&number("0")), Err(BY_ZERO));
        assert!(Number::parse("1e999999999").is_none());
        assert!(Number::parse("").is_none());
        assert!(Number::parse("1.2.3").is_none());
        assert!(Number::parse("--1").is_none());
    }

    proptest! {
        #[test]
        fn print_and_parse_agree(a in any::<i64>(), b in any::<i64>(), e in -40i32..40) {
            let n = number(&format!("{a}e{e}")).div(&number(&b.to_string()).add(&number("0.5")).unwrap()).unwrap();
            prop_assert_eq!(&number(&n.to_string()), &n);
        }

        #[test]
        fn short_decimals_are_kept(a in any::<i32>(), fraction in 1u32..1_000_000_000) {
            let text = format!("{a}.{fraction:09}");
            prop_assert_eq!(number(&text).to_string(), text.trim_end_matches('0'));
        }

        #[test]
        fn doubles_print_shortest(x in -1e15f64..1e15) {
            prop_assert_eq!(Number::from_f64(x).unwrap().to_string(), x.to_string());
        }

        #[test]
        fn order_is_that_of_the_values(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (number(&format!("{a}.25")), number(&b.to_string()));
            prop_assert_eq!(x.cmp(&y), x.sub(&y).unwrap().signum().cmp(&0));
        }
    }
}
