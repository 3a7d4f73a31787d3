//! The contract's effects.

use std::path::Path;
use std::time::Duration;

use infra_api::target::{Package, UnpackedFiles};
use infra_api::{
    Action, Change, Daemon, Failure, Observed, Pending, Progress, Project, Remedy, ResourceId,
};
use infra_door::{Door, Order};
use serde::Deserialize;
use serde_json::Value;

use crate::look::{look, observed, own};
use crate::{PACKAGE, PROVIDER, UNPACKS, files, packages};

/// A package and what it needs may have to come from far away; so may an archive.
const STEP: Duration = Duration::from_secs(1800);

/// The software of a host.
pub(crate) struct Software {
    door: Door,
}

impl Software {
    pub(crate) fn new(door: Door) -> Self {
        Self { door }
    }

    fn id(&self, (kind, name): (&str, &str)) -> ResourceId {
        ResourceId::new(self.door.host(), PROVIDER, kind, name)
    }

    fn trouble(&self, doing: &str, remedy: Remedy, why: impl std::fmt::Display) -> Failure {
        let doing = format!("{doing} on host `{}`", self.door.host());
        Failure::new(remedy, doing, why)
    }

    /// What a script printed.
    async fn step(&self, doing: &str, script: &str) -> Result<String, (Option<i32>, Failure)> {
        let order = Order::script(doing, script).as_change().within(STEP);
        let said = self.door.run(order).await.map_err(|lost| (None, lost))?;
        match said.code {
            Some(0) => Ok(said.text()),
            code => Err((code, self.trouble(doing, Remedy::Operator, said.why()))),
        }
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let id = &change.id;
        let doing = match change.action {
            Action::Delete => format!("removing {id}"),
            _ => format!("making {id}"),
        };
        let found = look(&self.door).await?;
        let at = (id.kind.as_str(), id.name.as_str());
        if let Observed::Foreign { what, .. } = observed(&found, &change.mark.project, at) {
            let failure = self.trouble(&doing, Remedy::Replan, format!("it is {what}"));
            return Err(failure.hint("one project alone has a package on a host: take it out of the other one's workloads, or of this one's"));
        }
        let unplanned = |why: String| self.trouble(&doing, Remedy::Operator, why);
        match &change.action {
            Action::Create { body, source, .. } if id.kind != PACKAGE => {
                let files = UnpackedFiles::deserialize(body);
                let files = files.map_err(|error| unplanned(error.to_string()))?;
                let source = source.as_deref();
                let archive =
                    source.ok_or_else(|| unplanned("the plan names no archive".to_owned()))?;
                self.unpack(change, &files, (archive, &doing), progress)
                    .await
            }
            Action::Create { body, .. } | Action::Update { after: body, .. }
                if id.kind == PACKAGE =>
            {
                self.install(change, body, &doing, progress).await
            }
            Action::Delete if id.kind == PACKAGE => {
                let script = packages::unset(&change.mark, &id.name);
                let said = self.step(&doing, &script).await.map_err(|(_, why)| why)?;
                if said.trim() == packages::KEPT {
                    progress.say(
                        "it stays: others on the host need it, or what was found is to be had no more",
                    );
                }
                Ok(())
            }
            Action::Delete => {
                let removed = self.step(&doing, &files::remove(&id.name)).await;
                removed.map(drop).map_err(|(_, why)| why)
            }
            _ => Err(unplanned("it is made anew, and never changed".to_owned())),
        }
    }

    async fn unpack(
        &self,
        change: &Change,
        files: &UnpackedFiles,
        (archive, doing): (&Path, &str),
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let begun = self.step(doing, &files::begin(&change.mark, files)).await;
        let begun = begun.map_err(|(code, failure)| match code {
            Some(9) => failure.hint("move that folder away"),
            _ => failure,
        })?;
        if begun.trim() == files::HERE {
            return Ok(());
        }
        progress.say("the archive is uploaded");
        let receive = files::receive(&files.name);
        let words = ["sh", "-c", &receive];
        let order = Order::new(doing, &words)
            .with_file(archive)
            .as_change()
            .within(STEP);
        self.door.must(order).await?;
        progress.say("the archive is unpacked");
        let unpacked = self.step(doing, &files::unpack(files)).await;
        let archive = archive.display();
        unpacked.map(drop).map_err(|(code, failure)| match code {
            Some(files::CHANGED) => {
                let why = format!(
                    "archive {archive} is not the one that was planned: {}",
                    failure.cause
                );
                self.trouble(doing, Remedy::Replan, why)
            }
            Some(files::UNUSABLE) => {
                let why = format!("archive {archive}: {}", failure.cause);
                self.trouble(doing, Remedy::Operator, why).hint(UNPACKS)
            }
            _ => failure,
        })
    }

    async fn install(
        &self,
        change: &Change,
        body: &Value,
        doing: &str,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let package = Package::deserialize(body)
            .map_err(|error| self.trouble(doing, Remedy::Operator, error.to_string()))?;
        progress.say("apt is told");
        let installed = self
            .step(doing, &packages::set(&change.mark, &package))
            .await;
        installed.map(drop).map_err(|(code, failure)| match code {
            Some(packages::UNKNOWN) => failure.hint(
                "write a version that the host's sources have (`apt-cache madison NAME` there), or add a source",
            ),
            Some(packages::NO_APT) => {
                failure.hint("packages are of hosts with Debian or what is made of it")
            }
            _ => failure.hint("`apt-get install` there tells more; what was found is recorded"),
        })
    }
}

impl Daemon for Software {
    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            let all = look(&self.door).await?;
            let mut own: Vec<(ResourceId, Observed)> = own(&all, project)
                .map(|at| (self.id(at), observed(&all, project, at)))
                .collect();
            own.sort_by(|(a, _), (b, _)| a.cmp(b));
            Ok(own)
        })
    }

    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>> {
        Box::pin(async move {
            let all = look(&self.door).await?;
            Ok(observed(&all, project, (&id.kind, &id.name)))
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
            let all = look(&self.door).await?;
            let of =
                |id: &&ResourceId| ((*id).clone(), observed(&all, project, (&id.kind, &id.name)));
            Ok(ids.iter().map(of).collect())
        })
    }

    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.change(change, progress))
    }
}
