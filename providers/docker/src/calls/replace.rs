//! A container made anew beside the old one: what the engine refuses to make costs nobody anything, and in between there
//! is no moment at which neither is there. Cut off anywhere, the same call goes on; what it leaves has its own name and
//! mark until it takes the old one's.

use std::time::Duration;

use bollard::query_parameters::RenameContainerOptions;
use infra_api::target::Container;
use infra_api::{Failure, Mark, Progress, Readiness, Remedy, names};

use crate::calls::container::{begun, make, remove};
use crate::calls::look::{find, must_own};
use crate::calls::{Claim, doing, patiently, settle};
use crate::kind::CONTAINER as KIND;
use crate::ready;
use crate::text::inspect::Inspect;
use crate::trouble::Trouble;
use crate::wire::Wire;

/// How often it is asked whether the new one is ready.
const ASK_AGAIN: Duration = Duration::from_millis(500);

pub(crate) async fn replace(
    wire: &Wire,
    body: &Container,
    early: bool,
    claim: Claim<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let doing = doing(wire, "replacing", KIND, &body.name);
    let failed = |e: Trouble| e.failure(&doing);
    let mark = claim.mark;
    let old = own(wire, &body.name, claim, &doing).await?;
    if let Some(found) = &old
        && begun(wire, found, body, mark).await.map_err(failed)?
    {
        return settle::settle(wire, &found.id, body, progress).await;
    }
    let next = Container {
        name: names::next(&body.name),
        ..body.clone()
    };
    let id = patiently(|| beside(wire, &next, mark, &doing)).await?;
    if early {
        settle::settle(wire, &id, &next, progress).await?;
        until_ready(wire, &next.name, &doing, progress).await?;
    }
    if let Some(old) = &old {
        progress.say("stopping the old one");
        remove(wire, old).await.map_err(failed)?;
    }
    patiently(|| rename(wire, &id, &body.name, &doing)).await?;
    settle::settle(wire, &id, body, progress).await
}

/// The container of that name, which must be ours.
async fn own(
    wire: &Wire,
    name: &str,
    claim: Claim<'_>,
    doing: &str,
) -> Result<Option<Inspect>, Failure> {
    let found = find(wire, name).await.map_err(|e| e.failure(doing))?;
    if let Some(found) = &found {
        must_own(doing, found, claim)?;
    }
    Ok(found)
}

/// The id of the new one, made now or by a call that was cut off.
async fn beside(
    wire: &Wire,
    next: &Container,
    mark: &Mark,
    doing: &str,
) -> Result<String, Failure> {
    let failed = |e: Trouble| e.failure(doing);
    if let Some(found) = own(wire, &next.name, Claim::by(mark), doing).await? {
        if begun(wire, &found, next, mark).await.map_err(failed)? {
            return Ok(found.id);
        }
        remove(wire, &found).await.map_err(failed)?;
    }
    make(wire, next, mark, doing).await
}

/// The step's own time ends this wait, where nothing else does.
async fn until_ready(
    wire: &Wire,
    name: &str,
    doing: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    loop {
        match ready::container(wire, name)
            .await
            .map_err(|e| e.failure(doing))?
        {
            Readiness::Ready => return Ok(()),
            Readiness::Waiting(what) => progress.say(&format!("the new one: {what}")),
            Readiness::Failed(why) => {
                let why = format!("the new one is not ready: {why}");
                return Err(Failure::new(Remedy::Operator, doing, why).hint(
                    "the old one runs on; see what is wrong with the new one, then plan again",
                ));
            }
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

async fn rename(wire: &Wire, id: &str, name: &str, doing: &str) -> Result<(), Failure> {
    let options = RenameContainerOptions {
        name: name.to_owned(),
    };
    let answer = wire.client().rename_container(id, options).await;
    answer.map_err(|e| Trouble::from(e).failure(doing))
}
