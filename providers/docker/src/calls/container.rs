//! Containers. Every step begins with what is there and goes on from it: an answer that did not come
//! tells nothing (a frozen engine starts the container when it thaws).

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::ContainerCreateResponse;
use bollard::query_parameters::{RemoveContainerOptions, StopContainerOptions};
use infra_api::target::Container;
use infra_api::{Edit, Failure, Impact, Mark, Progress, Remedy};
use serde_json::{Value, json};

use crate::calls::look::{find, inspect, must_own, origin, own_origin, told, whole};
use crate::calls::{Claim, TAKEN, doing, gone, patiently, settle};
use crate::impact::impact_of;
use crate::kind::CONTAINER as KIND;
use crate::mark;
use crate::text::inspect::Inspect;
use crate::text::{container, decode, file};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped};

/// How long a removal that is under way may take.
const REMOVAL: Duration = Duration::from_secs(30);

// ── making ────────────────────────────────────────────────────────────────────────────────────────

/// How one is made.
pub(crate) struct Making<'a> {
    pub(crate) mark: &'a Mark,
    /// Nobody had the name: whoever has it now came in between, also where it is ours.
    pub(crate) anew: bool,
    /// Is told the id of the one that is made.
    pub(crate) made: &'a (dyn Fn(&str) + Sync),
    pub(crate) progress: &'a dyn Progress,
}

pub(crate) async fn create(
    wire: &Wire,
    body: &Container,
    making: &Making<'_>,
) -> Result<(), Failure> {
    let progress = making.progress;
    let doing = doing(wire, "creating", KIND, &body.name);
    match patiently(|| begin(wire, body, making, &doing)).await? {
        Begun::Now(id) => {
            (making.made)(&id);
            match settle::is_whole_when_made(wire, body) {
                true => settle::start(wire, &id, body, progress).await,
                false => settle::settle(wire, &id, body, progress).await,
            }
        }
        Begun::Before(id) => settle::settle(wire, &id, body, progress).await,
    }
}

/// The id of the one that is there.
enum Begun {
    /// Just as it was asked for.
    Now(String),
    /// By a call that was cut off: it may be anywhere on its way.
    Before(String),
}

/// It is made at once: the engine itself tells whether the name is taken, and until then nothing is touched. Whatever
/// else of ours has its name is removed.
async fn begin(
    wire: &Wire,
    body: &Container,
    making: &Making<'_>,
    doing: &str,
) -> Result<Begun, Failure> {
    let mark = making.mark;
    let failed = |e: Trouble| e.failure(doing);
    let taken = match make(wire, body, mark, doing).await {
        Ok(id) => return Ok(Begun::Now(id)),
        Err(failure) if failure.cause.contains(TAKEN) => failure,
        Err(failure) => return Err(failure),
    };
    // One that is still being made or removed has the name and cannot be seen.
    let found = find(wire, &body.name).await.map_err(failed)?.ok_or(taken)?;
    must_own(doing, &found, Claim::by(mark))?;
    if making.anew {
        return Err(came_between(doing, &found));
    }
    if begun(wire, &found, body, mark).await.map_err(failed)? {
        return Ok(Begun::Before(found.id));
    }
    making.progress.say("removing what was half made");
    remove(wire, &found).await.map_err(failed)?;
    make(wire, body, mark, doing).await.map(Begun::Now)
}

/// The plan knew of none.
fn came_between(doing: &str, found: &Inspect) -> Failure {
    let cause = format!(
        "the world changed meanwhile: there is {} by now",
        told(found)
    );
    Failure::new(Remedy::Replan, doing, cause).hint("nothing was done to it; plan again")
}

/// Whether what is there was begun as this body: all that is fixed when it is made is the same.
pub(crate) async fn begun(
    wire: &Wire,
    found: &Inspect,
    body: &Container,
    mark: &Mark,
) -> Answer<bool> {
    if matches!(found.state.status.as_str(), "dead" | "removing") {
        return Ok(false);
    }
    let same_address =
        mark::of(&found.own_labels()).is_some_and(|(_, address)| address == mark.address);
    let there = decode::decode(found, &origin(wire, found).await?);
    let same = there.is_ok_and(|there| {
        let Container {
            state,
            networks,
            files,
            ..
        } = body.clone();
        Container {
            state,
            networks,
            files,
            ..there
        } == *body
    });
    let files = body.files.iter();
    let files = files.map(|(path, file)| (path.clone(), file.binary));
    Ok(same_address && same && file::ours(found).into_iter().eq(files))
}

pub(crate) async fn make(
    wire: &Wire,
    body: &Container,
    mark: &Mark,
    doing: &str,
) -> Result<String, Failure> {
    let request =
        container::encode(body, mark).map_err(|why| Failure::new(Remedy::Operator, doing, why))?;
    let request = container::attached(request, body, wire.makes_in_several_networks());
    let path = format!("/containers/create?name={}", escaped(&body.name));
    let made = wire.post::<ContainerCreateResponse>(&path, &request).await;
    made.map(|made| made.id).map_err(|e| refused(e, doing))
}

/// Its image is not there, or its name was taken in between: the world is not as planned.
fn refused(trouble: Trouble, doing: &str) -> Failure {
    let replan = matches!(trouble.status(), Some(404 | 409));
    let failure = trouble.failure(doing);
    let remedy = if replan {
        Remedy::Replan
    } else {
        failure.remedy
    };
    Failure { remedy, ..failure }
}

/// As it was just looked at, or as it is now.
async fn found(wire: &Wire, name: &str, looked: Option<Inspect>) -> Answer<Option<Inspect>> {
    match looked {
        Some(found) => Ok(Some(found)),
        None => find(wire, name).await,
    }
}

// ── changing ──────────────────────────────────────────────────────────────────────────────────────

/// The id of the one that was changed. What its image's name stands for was compared just before. `looked`: as it was
/// found in this moment.
pub(crate) async fn update(
    wire: &Wire,
    body: &Container,
    claim: Claim<'_>,
    looked: Option<Inspect>,
    progress: &dyn Progress,
) -> Result<String, Failure> {
    let doing = doing(wire, "changing", KIND, &body.name);
    let failed = |e: Trouble| e.failure(&doing);
    let replan = |why: String| Failure::new(Remedy::Replan, &doing, why);
    let found = found(wire, &body.name, looked).await.map_err(failed)?;
    let found = found.ok_or_else(|| replan("it is not there".to_owned()))?;
    must_own(&doing, &found, claim)?;
    let origin = own_origin(wire, &found).await.map_err(failed)?;
    let now = whole(wire, &found, &origin).await.map_err(failed)?;
    let changed = changed(&now.map_err(replan)?, body);
    let fixed: Vec<String> = changed
        .iter()
        .filter(|(_, impact)| *impact == Impact::Replace)
        .map(|(path, _)| path.join("."))
        .collect();
    if !fixed.is_empty() {
        return Err(replan(format!(
            "{} cannot be changed while it exists",
            fixed.join(", ")
        )));
    }
    // The rest is settled below.
    let settled = |path: &[String]| matches!(path[0].as_str(), "state" | "networks" | "files");
    if changed.iter().any(|(path, _)| !settled(path)) {
        let request =
            container::update(body).map_err(|why| Failure::new(Remedy::Operator, &doing, why))?;
        wire.client()
            .update_container(&found.id, request)
            .await
            .map_err(|e| failed(e.into()))?;
    }
    settle::from(wire, &found, body, progress).await?;
    Ok(found.id)
}

/// The attributes that differ, and what changing them takes.
fn changed(now: &Container, body: &Container) -> Vec<(Vec<String>, Impact)> {
    let (before, after) = (json!(now), json!(body));
    let mut paths = Vec::new();
    differ(&mut Vec::new(), Some(&before), Some(&after), &mut paths);
    let weighed = paths.into_iter().map(|(path, removed)| {
        let edit = Edit {
            path: &path,
            removed,
            before: &before,
            after: &after,
        };
        let impact = impact_of(KIND, &edit);
        (path, impact)
    });
    weighed.collect()
}

/// Each with whether it is gone.
fn differ(
    path: &mut Vec<String>,
    now: Option<&Value>,
    wanted: Option<&Value>,
    changed: &mut Vec<(Vec<String>, bool)>,
) {
    match (now, wanted) {
        (now, wanted) if now == wanted => {}
        (Some(Value::Object(now)), Some(Value::Object(wanted))) => {
            let names: BTreeSet<&String> = now.keys().chain(wanted.keys()).collect();
            for name in names {
                path.push(name.clone());
                differ(path, now.get(name), wanted.get(name), changed);
                path.pop();
            }
        }
        _ => changed.push((path.clone(), wanted.is_none())),
    }
}

// ── away ──────────────────────────────────────────────────────────────────────────────────────────

/// `looked`: as it was found in this moment. Its mark cannot change, and its id is never another's.
pub(crate) async fn delete(
    wire: &Wire,
    name: &str,
    claim: Claim<'_>,
    looked: Option<Inspect>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let doing = doing(wire, "removing", KIND, name);
    let failed = |e: Trouble| e.failure(&doing);
    let Some(found) = found(wire, name, looked).await.map_err(failed)? else {
        return Ok(());
    };
    must_own(&doing, &found, claim)?;
    progress.say("stopping");
    remove(wire, &found).await.map_err(failed)
}

/// Stopped as it likes to be (its signal, its seconds, ten by default), then removed with its anonymous
/// volumes. By force, which also finishes a removal that was cut off (`dead`).
pub(crate) async fn remove(wire: &Wire, found: &Inspect) -> Answer<()> {
    if matches!(
        found.state.status.as_str(),
        "running" | "restarting" | "paused"
    ) {
        stop(wire, &found.id).await?;
    }
    let options = RemoveContainerOptions {
        v: true,
        force: true,
        ..RemoveContainerOptions::default()
    };
    let removed = wire
        .client()
        .remove_container(&found.id, Some(options))
        .await;
    match gone(removed.map_err(Trouble::from)) {
        Err(Trouble::Refused {
            status: 409,
            message,
        }) if message.contains("already in progress") => until_gone(wire, &found.id).await,
        other => other,
    }
}

/// As it likes to be, which may take as long as it was given.
pub(crate) async fn stop(wire: &Wire, id: &str) -> Answer<()> {
    let client = wire.patient_client();
    let stopped = client.stop_container(id, None::<StopContainerOptions>);
    gone(stopped.await.map_err(Trouble::from))
}

/// Somebody else removes it.
async fn until_gone(wire: &Wire, id: &str) -> Answer<()> {
    let gone = async {
        while inspect(wire, id).await?.is_some() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    };
    let late = |_| {
        Trouble::Lost(format!(
            "another removal is not done after {} s",
            REMOVAL.as_secs()
        ))
    };
    tokio::time::timeout(REMOVAL, gone).await.map_err(late)?
}
