//! Secret values on their way: put into a body just before the daemon is called, taken out of what the
//! daemon says before anybody compares or prints it. Pure; values are in memory only.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use infra_api::SECRET;
use serde_json::{Map, Value, json};

use crate::Key;

/// The secret values of this run, by their digests.
#[derive(Clone, Default)]
pub struct Vault(BTreeMap<String, String>);

impl Vault {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a value in and gives the digest that stands for it.
    pub fn insert(&mut self, key: &Key, value: &str) -> String {
        let digest = key.digest(value);
        self.0.insert(digest.clone(), value.to_owned());
        digest
    }

    #[must_use]
    pub fn get(&self, digest: &str) -> Option<&str> {
        self.0.get(digest).map(String::as_str)
    }

    /// Whether the configuration holds no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands for its values, in order.
    pub fn digests(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A daemon's words without the values, which it may quote.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut values: Vec<&str> = self.0.values().map(String::as_str).collect();
        // The longest first: one secret may be the beginning of another.
        values.sort_by_key(|value| Reverse(value.len()));
        let values = values.into_iter().filter(|value| !value.is_empty());
        values.fold(text.to_owned(), |text, value| {
            text.replace(value, "(sensitive)")
        })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The body with every secret's value in its place, or the digests whose values the vault does not have.
pub fn fill(body: &Value, vault: &Vault) -> Result<Value, Vec<String>> {
    let mut missing = BTreeSet::new();
    let filled = fill_in(body, vault, &mut missing);
    if missing.is_empty() {
        Ok(filled)
    } else {
        Err(missing.into_iter().collect())
    }
}

fn fill_in(body: &Value, vault: &Vault, missing: &mut BTreeSet<String>) -> Value {
    match body {
        Value::Object(fields) => match (digest_of(body), fields) {
            (Some(digest), _) => match vault.get(digest) {
                Some(value) => Value::String(value.to_owned()),
                None => {
                    missing.insert(digest.to_owned());
                    Value::Null
                }
            },
            (None, fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), fill_in(value, vault, missing)))
                    .collect(),
            ),
        },
        Value::Array(items) => items
            .iter()
            .map(|item| fill_in(item, vault, missing))
            .collect(),
        plain => plain.clone(),
    }
}

/// What was observed with digests in the place of secrets: where a body of `like` has a secret, whatever
/// stands there now; and every text equal to one of those secrets, wherever it stands, except where `like`
/// has the same text openly.
#[must_use]
pub fn mask(observed: &Value, like: &[&Value], key: &Key) -> Value {
    let mut known = BTreeSet::new();
    like.iter().for_each(|body| digests(body, &mut known));
    if known.is_empty() {
        return observed.clone();
    }
    Mask { key, known }.at(observed, like)
}

struct Mask<'a> {
    key: &'a Key,
    known: BTreeSet<&'a str>,
}

impl Mask<'_> {
    /// `like`: what the bodies have at this place.
    fn at(&self, observed: &Value, like: &[&Value]) -> Value {
        if like.iter().any(|body| digest_of(body).is_some()) {
            return self.hidden(observed);
        }
        match observed {
            Value::Object(fields) => {
                let masked = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.at(value, &inside(like, name))));
                Value::Object(masked.collect::<Map<_, _>>())
            }
            Value::Array(items) => {
                let masked = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.at(item, &inside(like, index)));
                masked.collect()
            }
            Value::String(text)
                if !like.contains(&observed) && self.known.contains(&*self.key.digest(text)) =>
            {
                self.hidden(observed)
            }
            plain => plain.clone(),
        }
    }

    fn hidden(&self, value: &Value) -> Value {
        let digest = match value {
            Value::String(text) => self.key.digest(text),
            other => self.key.digest(&other.to_string()),
        };
        json!({ SECRET: digest })
    }
}

fn inside<'a>(like: &[&'a Value], index: impl serde_json::value::Index + Copy) -> Vec<&'a Value> {
    like.iter().filter_map(|body| body.get(index)).collect()
}

fn digests<'a>(body: &'a Value, into: &mut BTreeSet<&'a str>) {
    match (digest_of(body), body) {
        (Some(digest), _) => drop(into.insert(digest)),
        (None, Value::Object(fields)) => fields.values().for_each(|value| digests(value, into)),
        (None, Value::Array(items)) => items.iter().for_each(|item| digests(item, into)),
        _ => {}
    }
}

/// The digest, where this is `{"$secret": "…"}` and nothing else.
fn digest_of(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get(SECRET)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new([7; 32])
    }

    fn vault() -> (Vault, Value) {
        let mut vault = Vault::new();
        let digest = vault.insert(&key(), "hunter2");
        (vault, json!({ SECRET: digest }))
    }

    #[test]
    fn masking_undoes_filling() {
        let (vault, secret) = vault();
        let body = json!({"env": {"PASSWORD": secret, "USER": "me"}, "command": ["serve", secret], "cpus": "1"});
        let filled = fill(&body, &vault).unwrap();
        assert_eq!(filled["env"], json!({"PASSWORD": "hunter2", "USER": "me"}));
        assert_eq!(filled["command"], json!(["serve", "hunter2"]));
        assert_eq!(mask(&filled, &[&body], &key()), body);
        assert_eq!(mask(&filled, &[], &key()), filled);
    }

    #[test]
    fn a_missing_value_is_named() {
        let (_, secret) = vault();
        let digest = key().digest("hunter2");
        assert_eq!(
            fill(&json!([secret, secret]), &Vault::new()),
            Err(vec![digest])
        );
    }

    #[test]
    fn what_stands_in_a_secrets_place_is_secret_whatever_it_is() {
        let (_, secret) = vault();
        let like = json!({"env": {"PASSWORD": secret}});
        for found in [json!("other"), json!(17), json!(["a"])] {
            let masked = mask(&json!({"env": {"PASSWORD": found}}), &[&like], &key());
            assert!(digest_of(&masked["env"]["PASSWORD"]).is_some(), "{masked}");
        }
    }

    #[test]
    fn a_secret_is_hidden_where_nobody_expected_it_but_open_text_stays_open() {
        let (_, secret) = vault();
        let like = json!({"env": {"PASSWORD": secret}, "state": "hunter2"});
        let observed = json!({"labels": {"copied": "hunter2"}, "state": "hunter2"});
        let masked = mask(&observed, &[&like], &key());
        assert_eq!(masked["labels"]["copied"], secret);
        assert_eq!(masked["state"], "hunter2");
    }

    #[test]
    fn a_daemon_that_quotes_a_secret_is_not_quoted() {
        let mut vault = vault().0;
        vault.insert(&key(), "hunter");
        let text = vault.scrub("bad value PASSWORD=hunter2: too short");
        assert_eq!(text, "bad value PASSWORD=(sensitive): too short");
    }

    #[test]
    fn debug_shows_digests_only() {
        let (vault, _) = vault();
        assert!(!format!("{vault:?}").contains("hunter2"));
    }
}
