//! The contract's effects.

use std::collections::BTreeMap;
use std::time::Duration;

use infra_api::facts::Facts;
use infra_api::target::{HostMount, Slice, Unit};
use infra_api::{
    Action, Change, Daemon, Failure, Impact, Observed, Pending, Progress, Project, Readiness,
    Remedy, ResourceId, Trace,
};
use infra_door::{Door, Order};
use serde::Deserialize;
use serde_json::Value;

use crate::look::{Look, look};
use crate::text::Mine;
use crate::{MOUNT, PROVIDER, SLICE, UNIT, act, around, file, object, switch};

/// A stop may take as long as a unit is given for it, which is 90 s where nothing is written.
const STEP: Duration = Duration::from_secs(300);

/// A health check that takes longer is no answer.
const PROBE: Duration = Duration::from_secs(10);

/// The systemd of a host.
pub(crate) struct Systemd {
    door: Door,
}

impl Systemd {
    pub(crate) fn new(door: Door) -> Self {
        Self { door }
    }

    fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::new(self.door.host(), PROVIDER, kind, name)
    }

    async fn step(&self, doing: &str, script: &str) -> Result<(), Failure> {
        let order = Order::script(doing, script).as_change().within(STEP);
        let said = self.door.run(order).await?;
        match said.code {
            Some(0) => Ok(()),
            code => {
                let doing = format!("{doing} on host `{}`", self.door.host());
                let failure = Failure::new(Remedy::Operator, doing, said.why());
                Err(match code {
                    Some(9) => failure.hint("move that file away, or give the unit's another path"),
                    Some(switch::BACK) => {
                        failure.hint("`journalctl -u` there tells why the new one does not run")
                    }
                    _ => failure.hint("`systemctl status` and `journalctl -u` there tell more"),
                })
            }
        }
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let (kind, name) = (change.id.kind.as_str(), change.id.name.as_str());
        let project = &change.mark.project;
        let file = file(kind, name);
        let found = look(&self.door, project, std::slice::from_ref(&file)).await?;
        let mine = self.own(&found, project, (kind, name))?;
        let (doing, script) = match &change.action {
            Action::Create { body, .. } => ("making", made(change, body, mine.as_ref(), None)),
            Action::Update { after, impact, .. } => (
                "changing",
                made(change, after, mine.as_ref(), Some(*impact)),
            ),
            Action::Delete if kind == UNIT => {
                ("removing", Ok(act::remove_all(name, mine.as_ref())))
            }
            Action::Delete => ("removing", Ok(around::remove(&file))),
            Action::Prepare { .. } | Action::Replace { .. } | Action::Migrate { .. } => {
                ("replacing", Err(format!("a {kind} is changed where it is")))
            }
        };
        let doing = format!("{doing} the {kind} `{name}`");
        if matches!(change.action, Action::Delete)
            && mine.is_none()
            && found.observed(project, kind, name) == Observed::Absent
        {
            return Ok(());
        }
        progress.say("systemd is told");
        match script {
            Ok(script) => self.step(&doing, &script).await,
            Err(why) => Err(Failure::new(Remedy::Operator, doing, why)),
        }
    }

    /// What carries our mark under that name; nothing where nobody has it.
    fn own(
        &self,
        found: &Look,
        project: &Project,
        (kind, name): (&str, &str),
    ) -> Result<Option<Mine>, Failure> {
        match found.observed(project, kind, name) {
            Observed::Foreign { what, .. } => {
                let host = self.door.host();
                let doing = format!("changing the {kind} `{name}` on host `{host}`");
                Err(Failure::new(Remedy::Replan, doing, format!("it is {what}")))
            }
            _ => Ok(found.mine(name).filter(|_| kind == UNIT)),
        }
    }
}

/// The script that makes it as its body says.
fn made(
    change: &Change,
    body: &Value,
    there: Option<&Mine>,
    how: Option<Impact>,
) -> Result<String, String> {
    let mark = &change.mark;
    let unread = |error: serde_json::Error| error.to_string();
    match change.id.kind.as_str() {
        SLICE => {
            let slice = Slice::deserialize(body).map_err(unread)?;
            Ok(around::settle_slice(&slice, mark))
        }
        MOUNT => {
            let mount = HostMount::deserialize(body).map_err(unread)?;
            Ok(around::settle_mount(&mount, mark))
        }
        _ => act::settle(&Unit::deserialize(body).map_err(unread)?, mark, there, how),
    }
}

impl Daemon for Systemd {
    fn discover<'a>(&'a self, facts: &'a mut Facts) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            let order = Order::new(
                "asking systemd for its version",
                &["systemctl", "--version"],
            );
            // Where there is none, the kernel's facts say so.
            if let Ok(said) = self.door.must(order).await {
                facts.versions.systemd = said.text().split_whitespace().nth(1).map(str::to_owned);
            }
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            let found = look(&self.door, project, &[]).await?;
            let objects = found.names.iter().filter_map(|file| object(file));
            let all = objects
                .map(|(kind, name)| (self.id(kind, name), found.observed(project, kind, name)));
            let ours = |(_, observed): &(ResourceId, Observed)| {
                matches!(
                    observed,
                    Observed::Present { .. } | Observed::Partial { .. }
                )
            };
            let mut all: Vec<_> = all.filter(ours).collect();
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            Ok(all)
        })
    }

    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>> {
        Box::pin(async move {
            let found = look(&self.door, project, &[file(&id.kind, &id.name)]).await?;
            Ok(found.observed(project, &id.kind, &id.name))
        })
    }

    fn survey<'a>(
        &'a self,
        project: &'a Project,
        ids: &'a [&'a ResourceId],
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let names: Vec<String> = ids.iter().map(|id| file(&id.kind, &id.name)).collect();
            let found = look(&self.door, project, &names).await?;
            let all = ids
                .iter()
                .map(|id| ((*id).clone(), found.observed(project, &id.kind, &id.name)));
            Ok(all.collect())
        })
    }

    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.change(change, progress))
    }

    fn ready<'a>(&'a self, id: &'a ResourceId) -> Pending<'a, Result<Readiness, Failure>> {
        Box::pin(async move {
            // What stands around a unit is there once it is made.
            if id.kind != UNIT {
                return Ok(Readiness::Ready);
            }
            // Whose it is does not matter to who waits for it.
            let found = look(&self.door, &Project::new(""), &[file(UNIT, &id.name)]).await?;
            let Some(mine) = found.mine(&id.name) else {
                return Ok(Readiness::Failed(
                    "there is no such unit of ours".to_owned(),
                ));
            };
            match found.state(&mine.unit).as_str() {
                "failed" => {
                    return Ok(Readiness::Failed(format!(
                        "it failed: {}",
                        found.result(&id.name)
                    )));
                }
                "stopped" => return Ok(Readiness::Failed("it is stopped".to_owned())),
                "starting" => return Ok(Readiness::Waiting("it is starting".to_owned())),
                _ if mine.unit.life.task && found.is_busy(&id.name) => {
                    return Ok(Readiness::Waiting("it has not ended".to_owned()));
                }
                _ => {}
            }
            let check = &mine.unit.life.health_check;
            if check.is_empty() {
                return Ok(Readiness::Ready);
            }
            let words: Vec<&str> = check.iter().map(String::as_str).collect();
            let order = Order::new("checking a unit's health", &words)
                .as_root()
                .within(PROBE);
            let said = self.door.run(order).await?;
            Ok(match said.code {
                Some(0) => Readiness::Ready,
                _ => Readiness::Waiting(format!("its health check says: {}", said.why())),
            })
        })
    }

    fn traces<'a>(
        &'a self,
        objects: &'a [(&'a ResourceId, &'a Value)],
    ) -> Pending<'a, Result<BTreeMap<ResourceId, Trace>, Failure>> {
        let trace = |id: &ResourceId| Trace::Group(format!("{}.service", id.name));
        let units = objects.iter().filter(|(id, _)| id.kind == UNIT);
        let traces = units.map(|(id, _)| ((*id).clone(), trace(id)));
        let traces = traces.collect();
        Box::pin(async { Ok(traces) })
    }

    fn last_words<'a>(
        &'a self,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Option<String>, Failure>> {
        Box::pin(async move {
            let unit = format!("{}.service", id.name);
            let words = [
                "journalctl",
                "-u",
                &unit,
                "-n",
                "20",
                "-o",
                "cat",
                "--no-pager",
            ];
            let said = self
                .door
                .run(Order::new("reading a unit's log", &words).as_root())
                .await?;
            let text = said.text();
            Ok((said.code == Some(0) && !text.trim().is_empty()).then_some(text))
        })
    }
}
