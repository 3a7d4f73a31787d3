//! The project's key, and the digests that stand for secret values. Where secrets stand in bodies is
//! [`crate::vault`].

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use infra_api::names;
use sha2::Sha256;

/// What every digest begins with.
pub(crate) const PREFIX: &str = "hmac-sha256:";

/// 32 random bytes. With it a digest tells that a secret changed; without it nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    pub const BYTES: usize = 32;

    #[must_use]
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// What stands for `value` in bodies, plans and states.
    #[must_use]
    pub fn digest(&self, value: &str) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length");
        mac.update(value.as_bytes());
        format!("{PREFIX}{}", names::hex(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_and_value_and_shows_neither() {
        let (one, two) = (Key::new([1; 32]), Key::new([2; 32]));
        let digest = one.digest("hunter2");
        assert!(
            digest.starts_with(PREFIX) && digest.len() == PREFIX.len() + 64,
            "{digest}"
        );
        assert_eq!(digest, one.digest("hunter2"));
        assert_ne!(digest, one.digest("hunter3"));
        assert_ne!(digest, two.digest("hunter2"));
        assert_eq!(format!("{one:?}"), "Key(…)");
    }

    /// `printf hunter2 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01`
    #[test]
    fn the_digest_is_the_well_known_one() {
        let expected = "f26b540759235a9d2d6decc1bddffcf36ee1b113d12bf4928ebdfc77a8d2a181";
        assert_eq!(
            Key::new([1; 32]).digest("hunter2"),
            format!("{PREFIX}{expected}")
        );
    }
}
