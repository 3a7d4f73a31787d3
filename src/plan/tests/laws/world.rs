//! Small worlds for the laws: what is there, what the state says, what is wanted. A thing's number is its place in
//! the order of containment: it stands on lower ones only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use infra_api::{Address, Edit, HostName, IdSet, Impact, Observed, Project, Resource, ResourceId};
use infra_plan::{
    Basis, Claims, Desired, Inputs, Outcome, Plan, Record, Refusal, Rolling, Timeouts, assemble,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What was found in a thing's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Whole,
    Half,
    Strangers,
}

/// One thing, as it is and as it is wanted.
#[derive(Clone)]
pub(crate) struct Thing {
    pub(crate) number: usize,
    pub(crate) found: Found,
    pub(crate) recorded: bool,
    pub(crate) wanted: bool,
    pub(crate) prevent_destroy: bool,
    /// By attribute: what is found and what is wanted.
    pub(crate) attributes: BTreeMap<String, (Value, Value)>,
    pub(crate) stands_on: BTreeSet<usize>,
    pub(crate) stood_on: BTreeSet<usize>,
    pub(crate) waits_for: BTreeSet<usize>,
    pub(crate) ignored: Vec<Vec<String>>,
    /// The new one before the old one.
    pub(crate) first: bool,
}

/// A line, so that a small world that breaks a law can be read.
impl fmt::Debug for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differs = self
            .attributes
            .iter()
            .map(|(key, (found, wanted))| format!("{key} {found}→{wanted}"));
        write!(
            f,
            "t{} {:?} recorded={} wanted={} on={:?} was_on={:?} waits={:?} {}",
            self.number,
            self.found,
            self.recorded,
            self.wanted,
            self.stands_on,
            self.stood_on,
            self.waits_for,
            differs.collect::<Vec<_>>().join(" ")
        )
    }
}

impl Thing {
    /// Wanted and there, without a difference.
    pub(crate) fn settled(number: usize) -> Self {
        Self {
            number,
            found: Found::Whole,
            recorded: true,
            wanted: true,
            prevent_destroy: false,
            attributes: BTreeMap::new(),
            stands_on: BTreeSet::new(),
            stood_on: BTreeSet::new(),
            waits_for: BTreeSet::new(),
            ignored: Vec::new(),
            first: false,
        }
    }

    pub(crate) fn with(mut self, attribute: &str, found: Value, wanted: Value) -> Self {
        self.attributes
            .insert(attribute.to_owned(), (found, wanted));
        self
    }

    pub(crate) fn on(mut self, others: &[usize]) -> Self {
        self.stands_on = others.iter().copied().collect();
        self.stood_on = self.stands_on.clone();
        self
    }

    pub(crate) fn found(mut self, found: Found, recorded: bool) -> Self {
        (self.found, self.recorded) = (found, recorded);
        self
    }

    pub(crate) fn unwanted(mut self) -> Self {
        self.wanted = false;
        self
    }

    pub(crate) fn protected(mut self) -> Self {
        self.prevent_destroy = true;
        self
    }

    pub(crate) fn is_there(&self) -> bool {
        matches!(self.found, Found::Whole | Found::Half)
    }

    pub(crate) fn body_found(&self) -> Value {
        self.body(|(found, _)| found)
    }

    pub(crate) fn body_wanted(&self) -> Value {
        self.body(|(_, wanted)| wanted)
    }

    fn body(&self, side: impl Fn(&(Value, Value)) -> &Value) -> Value {
        let member = |(key, pair): (&String, _)| (key.clone(), side(pair).clone());
        let members = self.attributes.iter().map(member);
        Value::Object(members.filter(|(_, v)| !v.is_null()).collect())
    }
}

/// The order of ids is not the order of addresses.
pub(crate) fn id(number: usize) -> ResourceId {
    let kind = ["even", "a_odd"][number % 2];
    ResourceId::new(&HostName::new("h"), "sim", kind, &format!("t{number:05}"))
}

pub(crate) fn address(number: usize) -> Address {
    Address::new(format!("workload.t{number:05}"))
}

/// `boot…` takes a restart, `core…` a replacement, the rest is live.
pub(crate) fn impact(_: &ResourceId, edit: &Edit<'_>) -> Impact {
    match edit.path[0].as_str() {
        key if key.starts_with("boot") => Impact::Restart,
        key if key.starts_with("core") => Impact::Replace,
        _ => Impact::InPlace,
    }
}

/// `cpus` (or `boot_cpus`) are its own, `ip` is exclusive.
pub(crate) fn claims(_: &ResourceId, _: &Address, body: &Value, _: bool) -> Claims {
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let cpus = text("cpus").or_else(|| text("boot_cpus"));
    Claims {
        cpus: cpus.map_or_else(IdSet::new, |c| c.parse().unwrap()),
        dedicated: true,
        exclusive: text("ip").into_iter().collect(),
    }
}

/// A whole world, and what is asked of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) things: Vec<Thing>,
    /// Order of the inputs.
    pub(crate) backwards: bool,
    pub(crate) destroy: bool,
    pub(crate) replace: BTreeSet<ResourceId>,
    /// Instances of one block by their numbers, and how many change at a time.
    pub(crate) rolling: Vec<(Vec<usize>, usize)>,
}

impl World {
    pub(crate) fn of(things: impl IntoIterator<Item = Thing>) -> Self {
        Self {
            things: things.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn thing(&self, id: &ResourceId) -> &Thing {
        let number: usize = id.name[1..].parse().unwrap();
        self.things.iter().find(|t| t.number == number).unwrap()
    }

    pub(crate) fn state(&self) -> Outcome {
        let record = |t: &Thing| Record {
            address: address(t.number),
            body: t.body_found().into(),
            after: t.stood_on.iter().map(|n| id(*n)).collect(),
            prevent_destroy: t.prevent_destroy,
            imported: None,
            unready: false,
        };
        let recorded = self.things.iter().filter(|t| t.recorded);
        Outcome {
            resources: recorded.map(|t| (id(t.number), record(t))).collect(),
            ..Outcome::default()
        }
    }

    pub(crate) fn observed(&self) -> BTreeMap<ResourceId, Observed> {
        let found = |t: &Thing| match t.found {
            Found::Nothing => Observed::Absent,
            Found::Whole => Observed::Present {
                address: address(t.number),
                body: t.body_found().into(),
            },
            Found::Half => Observed::Partial {
                address: address(t.number),
                why: "cut off".to_owned(),
            },
            Found::Strangers => Observed::Foreign {
                what: "a stranger's".to_owned(),
                unmarked: None,
            },
        };
        self.things
            .iter()
            .map(|t| (id(t.number), found(t)))
            .collect()
    }

    pub(crate) fn desired(&self) -> Vec<Desired> {
        let wanted = self.things.iter().filter(|t| t.wanted && !self.destroy);
        let mut desired: Vec<Desired> = wanted
            .map(|t| Desired {
                resource: Resource {
                    id: id(t.number),
                    address: address(t.number),
                    body: t.body_wanted().into(),
                    source: None,
                    after: t.stands_on.iter().map(|n| id(*n)).collect(),
                },
                prevent_destroy: t.prevent_destroy,
                create_before_destroy: t.first,
                timeouts: Timeouts::default(),
                until_ready: false,
                stopped_when: None,
                ignore_changes: t.ignored.clone(),
                migration: None,
            })
            .collect();
        if self.backwards {
            desired.reverse();
        }
        desired
    }

    pub(crate) fn depends_on(&self) -> Vec<(ResourceId, ResourceId)> {
        let of = |t: &Thing| {
            let own = id(t.number);
            t.waits_for
                .clone()
                .into_iter()
                .map(move |n| (own.clone(), id(n)))
        };
        let mut pairs: Vec<_> = self.things.iter().flat_map(of).collect();
        if self.backwards {
            pairs.reverse();
        }
        pairs
    }

    fn rolling(&self) -> Vec<Rolling> {
        let of = |(instances, max_parallel): &(Vec<usize>, usize)| Rolling {
            instances: instances.iter().map(|n| id(*n)).collect(),
            max_parallel: *max_parallel,
            until_ready: true,
        };
        self.rolling.iter().map(of).collect()
    }

    pub(crate) fn plan(&self) -> Result<Plan, Vec<Refusal>> {
        self.plan_on(&self.state())
    }

    /// On a state that remembers something else.
    pub(crate) fn plan_on(&self, state: &Outcome) -> Result<Plan, Vec<Refusal>> {
        plan_of(self, state, &self.observed(), self.desired(), &self.replace)
    }

    /// The plan that would be made after `plan` has been applied.
    pub(crate) fn again(&self, plan: &Plan) -> Result<Plan, Vec<Refusal>> {
        let mut observed = self.observed();
        observed.retain(|_, o| matches!(o, Observed::Foreign { .. }));
        let present = plan.result.resources.iter().map(|(id, record)| {
            let (address, body) = (record.address.clone(), record.body.clone());
            (id.clone(), Observed::Present { address, body })
        });
        observed.extend(present);
        plan_of(
            self,
            &plan.result,
            &observed,
            self.desired(),
            &BTreeSet::new(),
        )
    }
}

fn plan_of(
    world: &World,
    state: &Outcome,
    observed: &BTreeMap<ResourceId, Observed>,
    desired: Vec<Desired>,
    replace: &BTreeSet<ResourceId>,
) -> Result<Plan, Vec<Refusal>> {
    assemble(Inputs {
        project: &Project::new("p"),
        basis: Basis::default(),
        state,
        desired,
        observed,
        depends_on: &world.depends_on(),
        rolling: &world.rolling(),
        impact: &impact,
        claims: &claims,
        swaps: &|id| id.kind == "a_odd",
        prepared: &|_, _, _| None,
        migrates: &|_, _| Err(Vec::new()),
        replace,
        result: Outcome::default(),
        secrets: Vec::new(),
        destroy: world.destroy,
        left: &BTreeSet::new(),
        imported: &BTreeMap::new(),
        in_doubt: &BTreeSet::new(),
    })
}

/// Dice for one thing.
type Dice = (u8, u8, u8, [bool; 4], [u8; 3]);

/// Worlds in which only things nothing stands on hold CPUs and addresses, as it is with workloads.
pub(crate) fn worlds(most: usize) -> impl Strategy<Value = World> {
    let dice = (
        0..10u8,
        0..10u8,
        0..10u8,
        any::<[bool; 4]>(),
        any::<[u8; 3]>(),
    );
    let held = |n: usize| {
        (
            Just((0..n).collect::<Vec<_>>()).prop_shuffle(),
            Just((0..n).collect::<Vec<_>>()).prop_shuffle(),
        )
    };
    prop::collection::vec(dice, 1..=most).prop_flat_map(move |dice| {
        let n = dice.len();
        (Just(dice), held(n), any::<bool>(), 0..8u8, 1..4usize).prop_map(
            |(dice, (before, after), backwards, destroy, at_a_time)| {
                let things = dice.iter().enumerate();
                let mut things: Vec<Thing> = things
                    .map(|(n, dice)| thing(n, dice, before[n], after[n]))
                    .collect();
                let workloads = tie(&mut things, &dice);
                // Two blocks, whose instances stand among each other.
                let block = |first| workloads.iter().copied().skip(first).step_by(2).collect();
                World {
                    things,
                    backwards,
                    destroy: destroy == 0,
                    replace: BTreeSet::new(),
                    rolling: vec![(block(0), at_a_time), (block(1), 1)],
                }
            },
        )
    })
}

fn thing(number: usize, dice: &Dice, before: usize, after: usize) -> Thing {
    let (found, wanted, holds, [live, boot, core, recorded], _) = *dice;
    let found = match found {
        0..2 => Found::Nothing,
        2 => Found::Half,
        _ => Found::Whole,
    };
    let differs = |differs: bool| (json!(0), json!(i32::from(differs)));
    let mut attributes = BTreeMap::from([
        ("live".to_owned(), differs(live)),
        ("boot".to_owned(), differs(boot && holds % 2 == 0)),
        ("core".to_owned(), differs(core && holds % 3 == 0)),
    ]);
    let held = |text: &str| {
        let text = |n: usize| json!(format!("{text}{n}"));
        (text(before), text(after))
    };
    match holds {
        0..4 => drop(attributes.insert("cpus".to_owned(), held(""))),
        4..6 => drop(attributes.insert("boot_cpus".to_owned(), held(""))),
        6..8 => drop(attributes.insert("ip".to_owned(), held("ip "))),
        _ => {}
    }
    Thing {
        found,
        recorded: recorded || wanted > 2,
        wanted: wanted > 1,
        attributes,
        ..Thing::settled(number)
    }
}

/// Lets things stand on lower ones. Only those on which nothing stands change what they stand on, wait for others
/// and hold anything: workloads.
fn tie(things: &mut [Thing], dice: &[Dice]) -> BTreeSet<usize> {
    let wanted: Vec<bool> = things.iter().map(|t| t.wanted).collect();
    let there: Vec<bool> = things.iter().map(Thing::is_there).collect();
    let chosen = |n: usize, mask: u8| (0..n.min(8)).filter(move |m| mask >> m & 1 == 1);
    let mut workloads: BTreeSet<usize> = (0..things.len()).collect();
    for (n, thing) in things.iter_mut().enumerate().rev() {
        let [on, moves, _] = dice[n].4;
        let is_workload = workloads.contains(&n);
        let now = if is_workload { on ^ moves } else { on };
        let stays = |m: &usize| is_workload || wanted[*m] && there[*m];
        thing.stands_on = chosen(n, now & dice[0].4[0])
            .filter(|m| wanted[*m] && stays(m))
            .collect();
        thing.stood_on = chosen(n, on & dice[0].4[0])
            .filter(|m| there[*m] && stays(m))
            .collect();
        workloads.retain(|m| !thing.stands_on.contains(m) && !thing.stood_on.contains(m));
    }
    for n in 0..things.len() {
        let waits = chosen(n, dice[n].4[2]).filter(|m| wanted[*m] && workloads.contains(m));
        if workloads.contains(&n) {
            things[n].waits_for = waits.collect();
        } else {
            let holds = |key: &str| key.ends_with("cpus") || key == "ip";
            things[n].attributes.retain(|key, _| !holds(key));
        }
    }
    workloads
}
