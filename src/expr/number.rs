//! Numbers: binary floating point with a 512-bit significand, whole numbers kept as such where they fit.

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(i64);

impl Number {
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        Some(self.0)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
