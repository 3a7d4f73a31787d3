//! The contract's effects.

use std::collections::BTreeMap;
use std::time::Duration;

use infra_api::facts::Facts;
use infra_api::target::Unit;
use infra_api::{
    Action, Change, Daemon, Failure, Observed, Pending, Progress, Project, Readiness, Remedy,
    ResourceId, Trace,
};
use infra_door::{Door, Order};
use serde::Deserialize;
use serde_json::Value;

use crate::act;
use crate::look::{Look, look};
use crate::switch;
use crate::text::Mine;
use crate::{PROVIDER, UNIT};

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

    fn id(&self, name: &str) -> ResourceId {
        ResourceId::new(self.door.host(), PROVIDER, UNIT, name)
    }

    async fn step(&self, doing: &str, script: &str) -> Result<(), Failure> {
        let order = Order::new(doing, &["sh"])
            .with(script.as_bytes())
            .as_root()
            .within(STEP);
        let said = self.door.run(order).await?;
        match said.code {
            Some(0) => Ok(()),
            code => {
                let doing = format!("{doing} on host `{}`", self.door.host());
                let failure = Failure::new(Remedy::Operator, doing, said.why());
                Err(match code {
                    Some(9) => failure.hint("move that file away, or give the unit's another path"),
                    Some(switch::BACK) => failure.hint("`journalctl -u` there tells why the new one does not run"),
                    _ => failure.hint("`systemctl status` and `journalctl -u` there tell more"),
                })
            }
        }
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let name = &change.id.name;
        let project = &change.mark.project;
        let found = look(&self.door, project, &[name]).await?;
        let mine = self.own(&found, project, name)?;
        let make = |body: &Value, how| {
            let unit = Unit::deserialize(body).map_err(|error| error.to_string())?;
            act::settle(&unit, &change.mark, mine.as_ref(), how)
        };
        let (doing, script) = match &change.action {
            Action::Create { body, .. } => ("making", make(body, None)),
            Action::Update { after, impact, .. } => ("changing", make(after, Some(*impact))),
            Action::Delete => ("removing", Ok(act::remove_all(name, mine.as_ref()))),
            Action::Prepare { .. } | Action::Replace { .. } | Action::Migrate { .. } => {
                ("replacing", Err("a unit is changed where it is".to_owned()))
            }
        };
        let doing = format!("{doing} the unit `{name}`");
        if matches!(change.action, Action::Delete)
            && mine.is_none()
            && found.observed(project, name) == Observed::Absent
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
    fn own(&self, found: &Look, project: &Project, name: &str) -> Result<Option<Mine>, Failure> {
        match found.observed(project, name) {
            Observed::Foreign { what, .. } => {
                let doing = format!("changing the unit `{name}` on host `{}`", self.door.host());
                Err(Failure::new(Remedy::Replan, doing, format!("it is {what}")))
            }
            _ => Ok(found.mine(name)),
        }
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
            let names = found.names.iter();
            let all = names.map(|name| (self.id(name), found.observed(project, name)));
            let ours = |(_, observed): &(ResourceId, Observed)| {
                matches!(
                    observed,
                    Observed::Present { .. } | Observed::Partial { .. }
                )
            };
            Ok(all.filter(ours).collect())
        })
    }

    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>> {
        Box::pin(async move {
            let found = look(&self.door, project, &[&id.name]).await?;
            Ok(found.observed(project, &id.name))
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
            let names: Vec<&str> = ids.iter().map(|id| id.name.as_str()).collect();
            let found = look(&self.door, project, &names).await?;
            let all = ids
                .iter()
                .map(|id| ((*id).clone(), found.observed(project, &id.name)));
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
            // Whose it is does not matter to who waits for it.
            let found = look(&self.door, &Project::new(""), &[&id.name]).await?;
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
        let traces = objects.iter().map(|(id, _)| ((*id).clone(), trace(id)));
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
