//! Names and marks are derived from the address a thing was made for. Where that is not its address any more, the
//! state says so.

use std::collections::BTreeMap;

use infra_api::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of what has moved: its address now, and the one it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MadeAs(BTreeMap<Address, Address>);

impl MadeAs {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address in names and marks of what is declared at this one.
    #[must_use]
    pub fn of<'a>(&'a self, address: &'a Address) -> &'a Address {
        self.0.get(address).unwrap_or(address)
    }

    /// The other way round: the addresses in marks, and where what carries them is declared now.
    #[must_use]
    pub fn by_mark(&self) -> BTreeMap<&Address, &Address> {
        self.0.iter().map(|(now, made)| (made, now)).collect()
    }

    /// What was at one address is at another: it keeps what it was made as.
    pub fn moved(&mut self, from: &Address, to: &Address) {
        let made = self.0.remove(from).unwrap_or_else(|| from.clone());
        if made != *to {
            self.0.insert(to.clone(), made);
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&Address) -> bool) {
        self.0.retain(|now, _| keep(now));
    }

    /// Address now and address made as.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.0.iter()
    }
}
