//! What is there of ours, with secrets as digests.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Observed, Provider, ResourceId, SECRET};
use infra_plan::{Outcome, Record};
use infra_state::Key;
use serde_json::{Value, json};

use super::Session;
use super::import::Imports;
use crate::cli::ui::Stop;
use crate::declared::Workload;
use crate::world::World;

impl Session {
    /// Everything of ours, with secrets as digests.
    ///
    /// # Errors
    /// When a daemon that is needed does not answer.
    pub async fn observe(
        &self,
        world: &World,
        desired: &BTreeMap<ResourceId, &Value>,
    ) -> Result<BTreeMap<ResourceId, Observed>, Stop> {
        let none = Imports::new();
        Ok(self.observe_with(world, desired, &none).await?.0)
    }

    /// The same, and what is taken over; and of all that was ever imported what its daemon knows it by.
    ///
    /// # Errors
    /// When a daemon that is needed does not answer, or something cannot be taken over.
    pub(super) async fn observe_with(
        &self,
        world: &World,
        desired: &BTreeMap<ResourceId, &Value>,
        imports: &Imports,
    ) -> Result<(BTreeMap<ResourceId, Observed>, BTreeMap<ResourceId, String>), Stop> {
        let prior = self.prior();
        let known = |(id, record): (&ResourceId, &Record)| {
            let identity = record.imported.clone()?;
            Some((id.clone(), (identity, record.address.clone())))
        };
        let mut imported: BTreeMap<_, _> = prior.resources.iter().filter_map(known).collect();
        if self.options.facts.is_some() {
            let mut found = as_recorded(prior);
            found.retain(|id, _| self.can_look(id));
            return Ok((found, identities(imported)));
        }
        self.settle(world).await;
        let known = prior
            .resources
            .keys()
            .chain(desired.keys())
            .chain(&self.loaded.in_doubt);
        let ids: BTreeSet<ResourceId> = known.filter(|id| self.can_look(id)).cloned().collect();
        let observation = world.observe(self.project(), &ids).await;
        if !observation.failures.is_empty() {
            return Err(Stop::all(observation.failures));
        }
        let mut found = observation.found;
        // Nothing is to be done about what outlives its use: it is forgotten.
        let ours = |id: &ResourceId| !self.outlives(id) && !prior.released.contains(id);
        found.retain(|id, _| desired.contains_key(id) || ours(id));
        let taken = self.importable(imports, &found)?.into_iter();
        imported.extend(taken.map(|(id, identity)| {
            let to = imports[&id].to.clone();
            (id, (identity, to))
        }));
        // What carries the mark by now is known by that.
        imported.retain(|id, _| {
            let found = found.get(id);
            !matches!(
                found,
                Some(Observed::Present { .. } | Observed::Partial { .. })
            )
        });
        let by_mark = prior.made_as.by_mark();
        for (id, observed) in &mut found {
            declared_now(observed, &by_mark);
            if let Some((identity, address)) = imported.get(id) {
                let is = std::mem::replace(observed, Observed::Absent);
                *observed = is.imported(identity, address);
            }
            if let Observed::Present { body, .. } = observed {
                let recorded = prior.resources.get(id).map(|r| &*r.body);
                *body = self
                    .masked(body, desired.get(id).copied(), recorded)?
                    .into();
            }
        }
        Ok((found, identities(imported)))
    }

    /// Whether an object stays when nobody wants it any more: it is not ours alone.
    #[must_use]
    pub fn outlives(&self, id: &ResourceId) -> bool {
        outlives(&self.providers, id)
    }

    /// The body with digests for secrets: those that the wanted and the recorded one have, and any that the
    /// configuration holds. Of what nothing is recorded, all that may be a secret and is not wanted openly.
    fn masked(
        &self,
        body: &Value,
        wanted: Option<&Value>,
        recorded: Option<&Value>,
    ) -> Result<Value, Stop> {
        let held: Vec<Value> = self.vault.digests().map(|d| json!({ SECRET: d })).collect();
        let held = Value::Array(held);
        let vouched = recorded.cloned().unwrap_or_else(|| veil(body, wanted));
        let likes: Vec<&Value> = wanted.into_iter().chain([&vouched, &held]).collect();
        if !likes.iter().any(|like| names_secret(like)) {
            return Ok(body.clone());
        }
        Ok(masked(body, &likes, wanted, &self.store.key()?))
    }

    /// The body of an object that nothing vouches for: all that may be a secret is one.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn veiled(&self, body: &Value) -> Result<Value, Stop> {
        self.masked(body, None, None)
    }

    /// What was found at an address with nothing to vouch for it, open again where the configuration has the same
    /// text openly: so that it does not look changed when that text is.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn opened(&self, address: &Address, body: &Value) -> Result<Value, Stop> {
        let workloads = &self.configuration.declared.workloads;
        match workloads.iter().find(|w| w.address == *address) {
            Some(workload) => Ok(opened(body, &texts(workload), &self.store.key()?)),
            None => Ok(body.clone()),
        }
    }
}

fn identities(imported: BTreeMap<ResourceId, (String, Address)>) -> BTreeMap<ResourceId, String> {
    let identity = |(id, (identity, _))| (id, identity);
    imported.into_iter().map(identity).collect()
}

/// Whether an object stays when nobody wants it any more.
pub(super) fn outlives(providers: &[Box<dyn Provider>], id: &ResourceId) -> bool {
    let provider = providers.iter().find(|p| p.name() == id.provider);
    provider.is_some_and(|p| p.outlives(id))
}

/// Marks say what an object was made for; everything else goes by where that is declared now.
fn declared_now(observed: &mut Observed, by_mark: &BTreeMap<&Address, &Address>) {
    if let Observed::Present { address, .. } | Observed::Partial { address, .. } = observed
        && let Some(now) = by_mark.get(address)
    {
        *address = (*now).clone();
    }
}

fn masked(body: &Value, likes: &[&Value], wanted: Option<&Value>, key: &Key) -> Value {
    let masked = infra_state::mask(body, likes, key);
    opened(&masked, wanted.unwrap_or(&Value::Null), key)
}

/// Whether there is a secret's digest in it.
fn names_secret(body: &Value) -> bool {
    match body {
        Value::Object(members) => {
            members.contains_key(SECRET) || members.values().any(names_secret)
        }
        Value::Array(items) => items.iter().any(names_secret),
        _ => false,
    }
}

/// A secret that nobody knows: no digest is the same.
fn unknown() -> Value {
    json!({ SECRET: "" })
}

/// A body in which all is secret that may be: the language lets secrets stand nowhere else. What is wanted openly at
/// a place is no secret there.
fn veil(body: &Value, wanted: Option<&Value>) -> Value {
    let wanted = wanted.unwrap_or(&Value::Null);
    let hidden = |key: &str| hidden(&body[key], &wanted[key]);
    json!({
        "env": hidden("env"),
        "command": hidden("command"),
        "entrypoint": hidden("entrypoint"),
        "user_data": hidden("user_data"),
        "boot": { "cmdline": self::hidden(&body["boot"]["cmdline"], &wanted["boot"]["cmdline"]) },
    })
}

fn hidden(found: &Value, wanted: &Value) -> Value {
    match found {
        Value::Object(members) => {
            let member = |(key, value): (&String, _)| (key.clone(), hidden(value, &wanted[key]));
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => {
            let item = |(index, value): (usize, _)| hidden(value, &wanted[index]);
            items.iter().enumerate().map(item).collect()
        }
        Value::String(_) if !wanted.is_string() => unknown(),
        _ => Value::Null,
    }
}

/// Texts again, for the digests of what `open` has openly at the same place.
fn opened(masked: &Value, open: &Value, key: &Key) -> Value {
    match (masked, open) {
        (Value::Object(members), Value::String(text)) => {
            let digest = members.get(SECRET).and_then(Value::as_str);
            let same = digest.is_some_and(|digest| key.digest(text) == digest);
            if same { open } else { masked }.clone()
        }
        (Value::Object(members), _) => {
            let member =
                |(name, value): (&String, _)| (name.clone(), opened(value, &open[name], key));
            Value::Object(members.iter().map(member).collect())
        }
        (Value::Array(items), _) => {
            let item = |(index, value): (usize, _)| opened(value, &open[index], key);
            items.iter().enumerate().map(item).collect()
        }
        _ => masked.clone(),
    }
}

/// What a workload's declaration has where secrets may stand, by the places in bodies.
fn texts(workload: &Workload) -> Value {
    let container = workload.container.as_ref();
    let machine = workload.kvm.as_ref();
    json!({
        "env": container.map(|form| &form.env),
        "command": container.map(|form| &form.command),
        "entrypoint": container.map(|form| &form.entrypoint),
        "user_data": machine.map(|form| &form.user_data),
        "boot": { "cmdline": machine.map(|form| &form.cmdline) },
    })
}

/// What is recorded, taken for what is there: nothing is contacted.
fn as_recorded(prior: &Outcome) -> BTreeMap<ResourceId, Observed> {
    let present = |(id, record): (&ResourceId, &Record)| {
        (
            id.clone(),
            Observed::Present {
                address: record.address.clone(),
                body: record.body.clone(),
            },
        )
    };
    prior.resources.iter().map(present).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new([7; Key::BYTES])
    }

    fn digest(text: &str) -> Value {
        json!({ SECRET: key().digest(text) })
    }

    /// Everything in it that may be a secret holds the word.
    fn bodies() -> [Value; 3] {
        [
            json!({"name": "c", "env": {"A": "hunter2", "B": "b hunter2"}, "command": ["serve", "hunter2"],
                "entrypoint": ["hunter2"], "labels": {"l": "v"}, "cpus": "1"}),
            json!({"name": "vm", "boot": {"type": "kernel", "kernel": {"name": "k"}, "cmdline": "key=hunter2"}}),
            json!({"volume": {"name": "seed"}, "meta_data": "m", "user_data": "password: hunter2"}),
        ]
    }

    fn alone(body: &Value) -> Value {
        masked(body, &[&veil(body, None)], None, &key())
    }

    #[test]
    fn what_nothing_vouches_for_shows_nothing_that_may_be_secret() {
        for body in bodies() {
            let masked = alone(&body);
            assert!(!masked.to_string().contains("hunter2"), "{masked}");
            assert_eq!(
                opened(&masked, &body, &key()),
                body,
                "the rest is as it was"
            );
        }
    }

    #[test]
    fn rebuilt_and_planned_with_plain_values_nothing_differs() {
        for body in bodies() {
            let record = alone(&body);
            assert_eq!(masked(&body, &[&body, &record], Some(&body), &key()), body);
        }
    }

    /// And what is another text now is not shown.
    #[test]
    fn what_was_hidden_stays_so_where_the_plan_has_another_text() {
        let body = json!({"env": {"A": "hunter2", "B": "b"}});
        let (record, wanted) = (alone(&body), json!({"env": {"A": "new", "B": "b"}}));
        let masked = masked(&body, &[&wanted, &record], Some(&wanted), &key());
        assert_eq!(masked, json!({"env": {"A": digest("hunter2"), "B": "b"}}));
    }

    /// The state is lost, a secret was rotated and a variable is no longer declared.
    #[test]
    fn what_is_wanted_vouches_only_for_what_it_has_openly() {
        let body = json!({"env": {"OLD": "hunter2", "PASSWORD": "hunter2", "MODE": "old"}});
        let wanted = json!({"env": {"PASSWORD": digest("hunter3"), "MODE": "new"}});
        let likes = [&wanted, &veil(&body, Some(&wanted))];
        let secret = digest("hunter2");
        assert_eq!(
            masked(&body, &likes, Some(&wanted), &key()),
            json!({"env": {"OLD": secret, "PASSWORD": secret, "MODE": "old"}})
        );
    }
}
