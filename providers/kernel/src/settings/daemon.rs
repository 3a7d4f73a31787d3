//! The contract's effects.

use std::time::Duration;

use infra_api::target::KernelSetting;
use infra_api::{
    Action, Change, Daemon, Failure, Observed, Pending, Progress, Project, Remedy, ResourceId,
};
use infra_door::{Door, Order};
use serde::Deserialize;

use super::look::{look, observed};
use super::{act, file, id};

/// Many pages may have to be made whole first.
const STEP: Duration = Duration::from_secs(300);

/// The settings of a host.
pub(super) struct Settings {
    door: Door,
}

impl Settings {
    pub(super) fn new(door: Door) -> Self {
        Self { door }
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let file = file(&change.id);
        let project = &change.mark.project;
        let (doing, script) = match &change.action {
            Action::Create { body, .. } | Action::Update { after: body, .. } => {
                let setting = KernelSetting::deserialize(body).map_err(|error| {
                    let doing = format!("reading the plan of {}", change.id);
                    Failure::new(Remedy::Operator, doing, error.to_string())
                })?;
                ("setting", act::set(&change.mark, &setting))
            }
            Action::Delete => ("putting back", act::unset(&change.mark, &file)),
            Action::Prepare { .. } | Action::Replace { .. } | Action::Migrate { .. } => {
                let doing = format!("replacing {}", change.id);
                return Err(Failure::new(
                    Remedy::Operator,
                    doing,
                    "a setting is changed where it is",
                ));
            }
        };
        let doing = format!("{doing} {file}");
        if let Observed::Foreign { what, .. } = observed(&look(&self.door).await?, project, &file) {
            let doing = format!("{doing} on host `{}`", self.door.host());
            return Err(Failure::new(Remedy::Replan, doing, format!("it is {what}"))
                .hint("one project alone sets it: take it out of the other one's `host` block, or of this one's"));
        }
        let order = Order::script(&doing, &script).as_change().within(STEP);
        let said = self.door.run(order).await?;
        let hint = match said.code {
            Some(0) => {
                if said.text().trim() == act::KEPT {
                    progress.say("the kernel does not take back what was found: it stays until the host starts anew");
                }
                return Ok(());
            }
            Some(4) => {
                "ask for fewer, or make them when the host starts: `hugepages=` on its kernel's command line"
            }
            Some(6) => "install it there (`apt-get install tuned`), or leave the `tuned` block out",
            Some(7) => "the card's driver does not take it: leave out what the card cannot do",
            Some(5) => "a card's functions change only while nobody has one: stop who has them",
            _ => "what was found is recorded and is put back by `infra destroy`",
        };
        let doing = format!("{doing} on host `{}`", self.door.host());
        Err(Failure::new(Remedy::Operator, doing, said.why()).hint(hint))
    }
}

impl Daemon for Settings {
    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            let all = look(&self.door).await?;
            let own = all.iter().filter(|(record, _)| record.project == *project);
            let mut own: Vec<(ResourceId, Observed)> = own
                .map(|(record, _)| {
                    let file = &record.file;
                    (id(self.door.host(), file), observed(&all, project, file))
                })
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
            Ok(observed(&all, project, &file(id)))
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
            let of = |id: &&ResourceId| ((*id).clone(), observed(&all, project, &file(id)));
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
