//! Containers. Every step begins with what is there and goes on from it: an answer that did not come
//! tells nothing (a frozen engine starts the container when it thaws).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, StopContainerOptions,
};
use futures_util::future::try_join_all;
use infra_api::target::Container;
use infra_api::{Failure, Impact, Mark, Observed, Progress, Project, Remedy};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::{
    Claim, TAKEN, Thing, doing, files, gone, image, marked, must_be_ours, observed, patiently,
    settle,
};
use crate::kind::CONTAINER as KIND;
use crate::mark::{self, Labels, short};
use crate::text::inspect::{Inspect, Origin};
use crate::text::{container, decode, file, unmarked};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped, filters};

/// How long a removal that is under way may take.
const REMOVAL: Duration = Duration::from_secs(30);

// ── looking ───────────────────────────────────────────────────────────────────────────────────────

/// A container of a list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    pub(crate) id: String,
    names: Option<Vec<String>>,
    pub(crate) state: String,
    pub(crate) ports: Option<Vec<PublishedPort>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PublishedPort {
    #[serde(default, rename = "IP")]
    pub(crate) ip: String,
    pub(crate) public_port: Option<u16>,
    #[serde(rename = "Type")]
    pub(crate) protocol: String,
}

/// In any state.
pub(crate) async fn all(wire: &Wire, query: &str) -> Answer<Vec<Summary>> {
    wire.get(&format!("/containers/json?all=1&{query}")).await
}

/// The containers a filter finds, as they are told to a person.
pub(crate) async fn named(wire: &Wire, filter: &Value) -> Result<Vec<String>, Failure> {
    let answer = all(wire, &filters(filter)).await;
    let found =
        answer.map_err(|e| e.failure(format!("listing the containers of {}", wire.host)))?;
    let mut names: Vec<String> = found.iter().map(Summary::name).collect();
    names.sort();
    Ok(names)
}

impl Summary {
    fn name(&self) -> String {
        let name = self.names.iter().flatten().next();
        name.map_or_else(
            || short(&self.id).to_owned(),
            |name| name.trim_start_matches('/').to_owned(),
        )
    }

    /// Whether its name and state are as they were seen.
    fn is(&self, found: &Inspect) -> bool {
        let names = self.names.iter().flatten();
        found.state.status == self.state && names.into_iter().any(|name| *name == found.name)
    }
}

/// `seen`: by id, as they were just now.
pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
    mut seen: BTreeMap<String, Inspect>,
) -> Result<Vec<(String, Observed)>, Failure> {
    let failed = |e: Trouble| e.failure(format!("listing the containers of {}", wire.host));
    let ids = all(wire, &marked(project)).await.map_err(failed)?;
    let each = try_join_all(ids.iter().map(|one| {
        let before = seen.remove(&one.id).filter(|found| one.is(found));
        async move {
            match before {
                Some(found) => Ok(Some(found)),
                None => inspect(wire, &one.id).await,
            }
        }
    }));
    // One may have gone since; and the filter takes inherited marks too.
    let found = each.await.map_err(failed)?.into_iter().flatten();
    let found: Vec<Inspect> = found.filter(|one| one.own_labels().is_some()).collect();
    let origins = origins(wire, &found).await.map_err(failed)?;
    let none = Origin::default();
    let observed = found.iter().map(|one| {
        let origin = origins.get(&runs(one)).unwrap_or(&none);
        async move {
            let seen = observe(wire, one, origin, project).await?;
            Ok::<_, Trouble>((one.plain_name().to_owned(), seen))
        }
    });
    try_join_all(observed).await.map_err(failed)
}

pub(crate) async fn read(wire: &Wire, project: &Project, name: &str) -> Result<Observed, Failure> {
    let failed = |e: Trouble| e.failure(doing(wire, "reading", KIND, name));
    let Some(found) = find(wire, name).await.map_err(failed)? else {
        return Ok(Observed::Absent);
    };
    let origin = origin(wire, &found).await.map_err(failed)?;
    observe(wire, &found, &origin, project)
        .await
        .map_err(failed)
}

async fn observe(
    wire: &Wire,
    found: &Inspect,
    origin: &Origin,
    project: &Project,
) -> Answer<Observed> {
    let status = found.state.status.as_str();
    let body = match status {
        "dead" | "removing" => Err(format!("its removal was cut off (`{status}`)")),
        _ => whole(wire, found, origin).await?,
    };
    let labels = found.own_labels();
    Ok(observed(&thing(found, &labels), project, body))
}

/// The body of a container, with its files.
async fn whole(wire: &Wire, found: &Inspect, origin: &Origin) -> Answer<Result<Container, String>> {
    let files = files::read(wire, found).await?;
    let labels = found.own_labels();
    let body = match mark::of(&labels) {
        Some(_) => decode::decode(found, origin),
        None => unmarked::decode(found, origin),
    };
    Ok(body.map(|body| Container { files, ..body }))
}

fn thing<'a>(found: &'a Inspect, labels: &'a Labels) -> Thing<'a> {
    Thing {
        told: format!(
            "container `{}` (id {}, made {})",
            found.plain_name(),
            short(&found.id),
            found.created
        ),
        identity: &found.id,
        labels,
    }
}

pub(crate) fn must_own(doing: &str, found: &Inspect, claim: Claim<'_>) -> Result<(), Failure> {
    must_be_ours(doing, &thing(found, &found.own_labels()), claim)
}

pub(crate) async fn inspect(wire: &Wire, id: &str) -> Answer<Option<Inspect>> {
    wire.find(&format!("/containers/{}/json", escaped(id)))
        .await
}

/// By its name only: the engine would take the beginning of an id too.
pub(crate) async fn find(wire: &Wire, name: &str) -> Answer<Option<Inspect>> {
    Ok(inspect(wire, name)
        .await?
        .filter(|found| found.plain_name() == name))
}

/// The reference it was made from, and the id of the image it runs.
fn runs(found: &Inspect) -> (String, String) {
    (found.config.image.clone(), found.image.clone())
}

async fn origin(wire: &Wire, found: &Inspect) -> Answer<Origin> {
    let (reference, id) = runs(found);
    let named = image::find(wire, &reference).await?;
    let now = named.as_ref().map(|image| image.id.clone());
    let pinned = named.as_ref().and_then(|image| image.pinned(&reference));
    let own = match named {
        Some(image) if image.id == id => Some(image),
        _ => image::find(wire, &id).await?,
    };
    Ok(Origin {
        now,
        config: own.map(|image| image.config.unwrap_or_default()),
        pinned,
    })
}

/// Many containers run one image: each is asked for once.
async fn origins(wire: &Wire, found: &[Inspect]) -> Answer<BTreeMap<(String, String), Origin>> {
    let firsts: BTreeMap<_, _> = found.iter().map(|one| (runs(one), one)).collect();
    let each = firsts
        .into_iter()
        .map(|(key, one)| async move { origin(wire, one).await.map(|origin| (key, origin)) });
    Ok(try_join_all(each).await?.into_iter().collect())
}

// ── making ────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn create(
    wire: &Wire,
    body: &Container,
    mark: &Mark,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let doing = doing(wire, "creating", KIND, &body.name);
    match patiently(|| begin(wire, body, mark, &doing, progress)).await? {
        Begun::Now(id) if settle::is_whole_when_made(body) => {
            settle::start(wire, &id, body, progress).await
        }
        Begun::Now(id) | Begun::Before(id) => settle::settle(wire, &id, body, progress).await,
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
    mark: &Mark,
    doing: &str,
    progress: &dyn Progress,
) -> Result<Begun, Failure> {
    let failed = |e: Trouble| e.failure(doing);
    let taken = match make(wire, body, mark, doing).await {
        Ok(id) => return Ok(Begun::Now(id)),
        Err(failure) if failure.cause.contains(TAKEN) => failure,
        Err(failure) => return Err(failure),
    };
    // One that is still being made or removed has the name and cannot be seen.
    let found = find(wire, &body.name).await.map_err(failed)?.ok_or(taken)?;
    must_own(doing, &found, Claim::by(mark))?;
    if begun(wire, &found, body, mark).await.map_err(failed)? {
        return Ok(Begun::Before(found.id));
    }
    progress.say("removing what was half made");
    remove(wire, &found).await.map_err(failed)?;
    make(wire, body, mark, doing).await.map(Begun::Now)
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
    let options = CreateContainerOptions {
        name: Some(body.name.clone()),
        ..CreateContainerOptions::default()
    };
    let made = wire.client().create_container(Some(options), request).await;
    made.map(|made| made.id)
        .map_err(|e| refused(e.into(), doing))
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

// ── changing ──────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn update(
    wire: &Wire,
    body: &Container,
    claim: Claim<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let doing = doing(wire, "changing", KIND, &body.name);
    let failed = |e: Trouble| e.failure(&doing);
    let replan = |why: String| Failure::new(Remedy::Replan, &doing, why);
    let found = find(wire, &body.name).await.map_err(failed)?;
    let found = found.ok_or_else(|| replan("it is not there".to_owned()))?;
    must_own(&doing, &found, claim)?;
    let origin = origin(wire, &found).await.map_err(failed)?;
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
    settle::settle(wire, &found.id, body, progress).await
}

/// The attributes that differ, and what changing them takes.
fn changed(now: &Container, body: &Container) -> Vec<(Vec<String>, Impact)> {
    let mut changed = Vec::new();
    differ(
        &mut Vec::new(),
        Some(&json!(now)),
        Some(&json!(body)),
        &mut changed,
    );
    changed
}

fn differ(
    path: &mut Vec<String>,
    now: Option<&Value>,
    wanted: Option<&Value>,
    changed: &mut Vec<(Vec<String>, Impact)>,
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
        _ => changed.push((path.clone(), crate::impact(KIND, path, wanted.is_none()))),
    }
}

// ── away ──────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn delete(
    wire: &Wire,
    name: &str,
    claim: Claim<'_>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let doing = doing(wire, "removing", KIND, name);
    let failed = |e: Trouble| e.failure(&doing);
    let Some(found) = find(wire, name).await.map_err(failed)? else {
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
