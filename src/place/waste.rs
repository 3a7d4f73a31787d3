//! What CPUs of a node cost beside themselves: criteria in the order of their weight, in one number, so that costs of
//! parts add up and compare as the criteria do.

use std::fmt;
use std::ops::Add;

/// Lower is better; the first criterion that differs decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Waste(u128);

/// Bits of a criterion: machines have fewer than a million of anything counted here.
const BITS: u32 = 20;
const L3S: u32 = 5 * BITS;
const SPLIT: u32 = 4 * BITS;
const DEVICES: u32 = 3 * BITS;
const OPENED_L3S: u32 = 2 * BITS;
const OPENED_CORES: u32 = BITS;

impl Waste {
    pub(crate) const NONE: Self = Self(0);
    /// It cannot be had.
    pub(crate) const NEVER: Self = Self(u128::MAX);

    /// A domain of L3 used; what nothing is known of is one.
    pub(crate) const L3: Self = Self(1 << L3S);
    /// A core of which some threads are left to others, by who wants whole ones.
    pub(crate) const SPLIT: Self = Self(1 << SPLIT);
    /// A domain of L3 that nobody used.
    pub(crate) const OPENED_L3: Self = Self(1 << OPENED_L3S);
    /// A core that nobody used.
    pub(crate) const OPENED_CORE: Self = Self(1 << OPENED_CORES);

    /// Free devices on a node of who wants none.
    pub(crate) fn devices(free: u32) -> Self {
        Self(u128::from(free) << DEVICES)
    }

    /// Threads left over in the L3 domains that are used.
    pub(crate) fn left(threads: u32) -> Self {
        Self(u128::from(threads))
    }

    pub(crate) fn can_be_had(self) -> bool {
        self != Self::NEVER
    }

    fn part(self, shift: u32) -> u32 {
        let part = (self.0 >> shift) & ((1 << BITS) - 1);
        u32::try_from(part).unwrap_or(u32::MAX)
    }

    pub(crate) fn l3s(self) -> u32 {
        self.part(L3S)
    }

    pub(crate) fn split_cores(self) -> u32 {
        self.part(SPLIT)
    }

    pub(crate) fn device_nodes(self) -> u32 {
        self.part(DEVICES)
    }

    pub(crate) fn opened_l3s(self) -> u32 {
        self.part(OPENED_L3S)
    }

    pub(crate) fn opened_cores(self) -> u32 {
        self.part(OPENED_CORES)
    }

    pub(crate) fn left_in_l3s(self) -> u32 {
        self.part(0)
    }
}

impl Add for Waste {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Debug for Waste {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.can_be_had() {
            return f.write_str("never");
        }
        write!(
            f,
            "l3s {} split {} devices {} opened {}+{} left {}",
            self.l3s(),
            self.split_cores(),
            self.device_nodes(),
            self.opened_l3s(),
            self.opened_cores(),
            self.left_in_l3s()
        )
    }
}
