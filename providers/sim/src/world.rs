//! What is on the simulated hosts, and what will go wrong. No futures here: each method is one instant.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{
    Action, Change, Facts, Failure, HostName, Impact, Mark, Observed, Project, Readiness, Remedy,
    ResourceId, Unmarked, names,
};
use serde_json::Value;

/// One object of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// None: a stranger's.
    pub mark: Option<Mark>,
    pub body: Value,
    /// False: cut off while it was being made or removed.
    pub whole: bool,
    /// Never the same for two objects, also of the same name: what an engine calls its id.
    pub identity: u64,
    /// How often it was started.
    pub starts: u32,
}

/// What is asked of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Create,
    Prepare,
    Update,
    Restart,
    Replace,
    Delete,
    Migrate,
}

impl From<&Action> for Verb {
    fn from(action: &Action) -> Self {
        match action {
            Action::Create { .. } => Self::Create,
            Action::Prepare { .. } => Self::Prepare,
            Action::Update {
                impact: Impact::Restart,
                ..
            } => Self::Restart,
            Action::Update { .. } => Self::Update,
            Action::Replace { .. } => Self::Replace,
            Action::Delete => Self::Delete,
            Action::Migrate { .. } => Self::Migrate,
        }
    }
}

/// One call of `apply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub resource: ResourceId,
    pub verb: Verb,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It fails and has no effect.
    Before(Remedy),
    /// Its effect is half there, then it fails.
    Half(Remedy),
    /// It has its effect, then fails, as when the connection is lost.
    After(Remedy),
    /// It says that it is done, and did nothing.
    Lie,
    /// It says that it is done, and did this instead.
    LieWith(Value),
    /// It never answers.
    Hang,
    /// Its effect is nearly there: of what is replaced the old one is gone, and the new one has not its name.
    Late(Remedy),
    /// The process that called is killed, before, amid, late in or after the effect.
    CrashBefore,
    CrashHalf,
    CrashLate,
    CrashAfter,
}

/// Which call a fault is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The n-th call of `apply` from now on, from 1.
    Call(u32),
    /// The next such call.
    On(ResourceId, Verb),
}

/// Is shown each change just before its effect.
pub type Witness = Box<dyn FnMut(&Change) + Send>;

/// All hosts.
#[derive(Default)]
pub struct World {
    pub objects: BTreeMap<ResourceId, Object>,
    /// Every call of `apply`, in order.
    pub calls: Vec<Call>,
    /// Hosts that do not answer.
    pub unreachable: BTreeSet<HostName>,
    /// What is discovered.
    pub facts: BTreeMap<HostName, Facts>,
    /// What `ready` answers, one after the other, and the last for ever; otherwise by the object's state.
    pub readiness: BTreeMap<ResourceId, Vec<Readiness>>,
    pub witness: Option<Witness>,
    /// How often an object of that name came into being.
    pub made: BTreeMap<ResourceId, u32>,
    /// What ran on two hosts at once.
    pub ran_twice: BTreeSet<ResourceId>,
    faults: Vec<(When, Fault)>,
    identities: u64,
}

impl World {
    /// Each fault happens once.
    pub fn fail(&mut self, when: When, fault: Fault) {
        self.faults.push((when, fault));
    }

    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.faults.len()
    }

    /// Puts an object there; without a mark it is a stranger's.
    pub fn put(&mut self, id: ResourceId, mark: Option<Mark>, body: Value) {
        let identity = self.next_identity();
        self.objects.insert(
            id,
            Object {
                mark,
                body,
                whole: true,
                identity,
                starts: 1,
            },
        );
    }

    pub(crate) fn observe(&self, project: &Project, id: &ResourceId) -> Observed {
        match self.objects.get(id) {
            None => Observed::Absent,
            Some(object) => object.observed(project, id),
        }
    }

    /// Notes the call and says what goes wrong with it.
    pub(crate) fn called(&mut self, change: &Change) -> Option<Fault> {
        let verb = Verb::from(&change.action);
        self.calls.push(Call {
            resource: change.id.clone(),
            verb,
        });
        let mut hit = None;
        for (index, (when, _)) in self.faults.iter_mut().enumerate() {
            let now = match when {
                When::Call(left) => {
                    *left = left.saturating_sub(1);
                    *left == 0
                }
                When::On(id, wanted) => *id == change.id && *wanted == verb,
            };
            if now && hit.is_none() {
                hit = Some(index);
            }
        }
        hit.map(|index| self.faults.remove(index).1)
    }

    /// The first half of an effect, after which the object is visibly unfinished.
    pub(crate) fn first_half(&mut self, change: &Change) -> Result<(), Failure> {
        self.refuse_strangers(change)?;
        if let Some(witness) = &mut self.witness {
            witness(change);
        }
        if let Action::Migrate { to, after, .. } = &change.action {
            return self.begin_to_move(change, to, after);
        }
        let identity = self.next_identity();
        match (&change.action, self.objects.get_mut(&change.id)) {
            (Action::Create { body, .. }, None) => {
                let mark = Some(change.mark.clone());
                let object = Object {
                    mark,
                    body: body.clone(),
                    whole: false,
                    identity,
                    starts: 0,
                };
                self.objects.insert(change.id.clone(), object);
                *self.made.entry(change.id.clone()).or_default() += 1;
            }
            (Action::Create { anew: true, .. }, Some(_)) => {
                return Err(refused(
                    change,
                    Remedy::Replan,
                    "the world changed meanwhile: its name is taken",
                ));
            }
            (Action::Create { body, .. }, Some(object))
                if object.whole && !same_but_state(&object.body, body) =>
            {
                return Err(refused(
                    change,
                    Remedy::Replan,
                    "it is there, and it is another",
                ));
            }
            (Action::Create { .. }, Some(_)) => {}
            (Action::Prepare { .. }, Some(_)) => {}
            (Action::Prepare { .. } | Action::Update { .. }, None) => {
                return Err(refused(change, Remedy::Replan, "it is not there"));
            }
            (Action::Update { after, impact, .. }, Some(object)) => {
                object.half_updated(after, *impact)
            }
            (Action::Replace { body, .. }, _) => self.make_next(change, body),
            (Action::Delete, Some(object)) => object.whole = false,
            (Action::Delete | Action::Migrate { .. }, _) => {}
        }
        Ok(())
    }

    /// What is to be there is begun; it runs here.
    fn begin_to_move(
        &mut self,
        change: &Change,
        to: &ResourceId,
        after: &Value,
    ) -> Result<(), Failure> {
        let Some(here) = self.objects.get(&change.id).filter(|here| here.whole) else {
            return Err(refused(change, Remedy::Replan, "it is not there"));
        };
        if self.objects.contains_key(to) {
            let cause = "something is there already";
            return Err(refused(change, Remedy::Operator, cause));
        }
        let there = Object {
            body: after.clone(),
            whole: false,
            ..here.clone()
        };
        self.objects.insert(to.clone(), there);
        Ok(())
    }

    /// It runs there, and stands still here.
    fn move_over(&mut self, change: &Change, to: &ResourceId) {
        if let Some(there) = self.objects.get_mut(to) {
            there.whole = true;
            if let Some(here) = self.objects.get_mut(&change.id) {
                here.body["state"] = "paused".into();
            }
        }
    }

    /// The new one beside the old one, as far as it is not there already, by itself or under its final name.
    fn make_next(&mut self, change: &Change, body: &Value) {
        let there = self.objects.get(&change.id);
        if there.is_some_and(|object| same_but_state(&object.body, body)) {
            return;
        }
        let object = Object {
            mark: Some(change.mark.clone()),
            body: body.clone(),
            whole: true,
            identity: self.next_identity(),
            starts: 0,
        };
        self.objects.insert(next(&change.id), object);
    }

    /// The old one goes where there is a new one.
    pub(crate) fn late(&mut self, change: &Change) {
        if let Action::Migrate { to, .. } = &change.action {
            self.move_over(change, to);
        }
        let replaces = matches!(change.action, Action::Replace { .. });
        if replaces && self.objects.contains_key(&next(&change.id)) {
            self.objects.remove(&change.id);
        }
    }

    pub(crate) fn second_half(&mut self, change: &Change) {
        match (&change.action, self.objects.get_mut(&change.id)) {
            (Action::Create { body, .. }, Some(object)) => {
                object.starts += u32::from(!object.whole || object.body != *body);
                object.whole = true;
                object.body = body.clone();
            }
            (Action::Prepare { after }, Some(object)) => {
                object.body[NEXT_START] = next_start(after).into();
            }
            (Action::Update { after, impact, .. }, Some(object)) => {
                object.starts += u32::from(*impact == Impact::Restart);
                object.body = after.clone();
            }
            (Action::Replace { body, .. }, _) => {
                if let Some(object) = self.objects.remove(&next(&change.id)) {
                    self.objects.insert(change.id.clone(), object);
                    *self.made.entry(change.id.clone()).or_default() += 1;
                }
                if let Some(object) = self.objects.get_mut(&change.id) {
                    object.starts += 1;
                    object.body = body.clone();
                }
            }
            (Action::Delete | Action::Migrate { .. }, _) => {
                drop(self.objects.remove(&change.id));
            }
            (_, None) => {}
        }
    }

    /// A machine that runs somewhere runs nowhere else.
    pub(crate) fn look_for_twins(&mut self, of: &ResourceId) {
        let runs = |(id, object): &(&ResourceId, &Object)| {
            id.kind == "domain"
                && id.kind == of.kind
                && id.name == of.name
                && object.whole
                && object.body["state"] == "running"
        };
        if self.objects.iter().filter(runs).count() > 1 {
            self.ran_twice.insert(of.clone());
        }
    }

    pub(crate) fn lie(&mut self, change: &Change, body: Value) {
        if let Some(object) = self.objects.get_mut(&change.id) {
            object.body = body;
        }
    }

    pub(crate) fn readiness(&mut self, id: &ResourceId) -> Readiness {
        if let Some(answers) = self
            .readiness
            .get_mut(id)
            .filter(|answers| !answers.is_empty())
        {
            return if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0].clone()
            };
        }
        let state = self
            .objects
            .get(id)
            .map(|object| object.body.get("state").and_then(Value::as_str));
        match state {
            Some(None | Some("running")) => Readiness::Ready,
            Some(Some(state)) => Readiness::Failed(format!("it is {state}")),
            None => Readiness::Failed("it is not there".to_owned()),
        }
    }

    /// Law 6: nothing without our mark is changed or deleted, ever.
    fn refuse_strangers(&self, change: &Change) -> Result<(), Failure> {
        match self.objects.get(&change.id) {
            Some(object) if object.is_imported(change) => Ok(()),
            Some(object) if !object.is_of(&change.mark.project) => {
                Err(refused(change, Remedy::Operator, "it is not ours"))
            }
            _ => Ok(()),
        }
    }

    fn next_identity(&mut self) -> u64 {
        self.identities += 1;
        self.identities
    }
}

impl Object {
    fn is_of(&self, project: &Project) -> bool {
        self.mark
            .as_ref()
            .is_some_and(|mark| mark.project == *project)
    }

    /// The very one that was imported.
    fn is_imported(&self, change: &Change) -> bool {
        let identity = self.identity.to_string();
        self.mark.is_none() && change.imported.as_ref() == Some(&identity)
    }

    pub(crate) fn observed(&self, project: &Project, id: &ResourceId) -> Observed {
        match &self.mark {
            Some(mark) if mark.project == *project => {
                let address = mark.address.clone();
                match self.whole {
                    true => Observed::Present {
                        address,
                        body: self.body.clone().into(),
                    },
                    false => Observed::Partial {
                        address,
                        why: "it was cut off".to_owned(),
                    },
                }
            }
            mark => Observed::Foreign {
                what: format!("{} `{}`", id.kind, id.name),
                unmarked: mark.is_none().then(|| {
                    Box::new(Unmarked {
                        identity: self.identity.to_string(),
                        body: Ok(self.body.clone()),
                    })
                }),
            },
        }
    }

    /// A restart has stopped it; an update has changed the first attribute that differs.
    fn half_updated(&mut self, after: &Value, impact: Impact) {
        let (Some(body), Some(after)) = (self.body.as_object_mut(), after.as_object()) else {
            return;
        };
        if impact == Impact::Restart && body.contains_key("state") {
            body.insert("state".to_owned(), "shutoff".into());
            return;
        }
        if let Some((name, value)) = after
            .iter()
            .find(|(name, value)| body.get(*name) != Some(value))
        {
            body.insert(name.clone(), value.clone());
        }
    }
}

/// The attribute that says of what runs that its next start makes another of it.
pub(crate) const NEXT_START: &str = "next_start";

/// What it says.
pub(crate) fn next_start(after: &Value) -> String {
    names::digest(&[&after.to_string()])
}

/// The one that is to take its place.
fn next(id: &ResourceId) -> ResourceId {
    ResourceId {
        name: names::next(&id.name),
        ..id.clone()
    }
}

/// What is made is started last: a call made again goes on from there.
fn same_but_state(one: &Value, other: &Value) -> bool {
    let rest = |body: &Value| {
        let mut rest = body.clone();
        rest.as_object_mut().map(|body| body.remove("state"));
        rest
    };
    rest(one) == rest(other)
}

pub(crate) fn refused(change: &Change, remedy: Remedy, cause: &str) -> Failure {
    let doing = format!(
        "{} {}",
        format!("{:?}", Verb::from(&change.action)).to_lowercase(),
        change.id
    );
    Failure::new(remedy, doing, cause)
}
