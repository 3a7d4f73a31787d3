//! Containers as they are: reads only.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use infra_api::target::Container;
use infra_api::{Failure, Observed, Project};
use serde::Deserialize;
use serde_json::Value;

use crate::calls::{Claim, Thing, doing, files, image, marked, must_be_ours, observed};
use crate::kind::CONTAINER as KIND;
use crate::mark::{self, Labels, short};
use crate::text::inspect::{Inspect, Origin};
use crate::text::{decode, unmarked};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped, filters};

/// A container of a list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    pub(crate) id: String,
    names: Option<Vec<String>>,
    pub(crate) state: String,
    labels: Labels,
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

/// All there are, and those of them that were looked at, by id.
pub(crate) struct Containers {
    pub(crate) all: Vec<Summary>,
    pub(crate) whole: BTreeMap<String, Inspect>,
}

impl Summary {
    fn name(&self) -> String {
        let name = self.names.iter().flatten().next();
        name.map_or_else(
            || short(&self.id).to_owned(),
            |name| name.trim_start_matches('/').to_owned(),
        )
    }

    /// Its names; links have slashes in theirs, and are nobody's own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.names.iter().flatten();
        names.filter_map(|name| name.strip_prefix('/'))
    }
}

/// `seen`: all there are, and some of them whole, as they were just now.
pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
    seen: Option<Containers>,
) -> Result<Vec<(String, Observed)>, Failure> {
    let failed = |e: Trouble| e.failure(format!("listing the containers of {}", wire.host));
    let Containers { all, mut whole } = match seen {
        Some(seen) => seen,
        None => Containers {
            all: all(wire, &marked(project)).await.map_err(failed)?,
            whole: BTreeMap::new(),
        },
    };
    let ours = all.iter().filter(|one| mark::is_of(&one.labels, project));
    let each = try_join_all(ours.map(|one| {
        let before = whole.remove(&one.id);
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
    observe_all(wire, &found, project).await.map_err(failed)
}

/// Many at once, each as it is: one question tells which of the names are free, and each image is asked for once.
pub(crate) async fn survey(
    wire: &Wire,
    project: &Project,
    names: &[&str],
) -> Result<Vec<(String, Observed)>, Failure> {
    let failed = |e: Trouble| e.failure(format!("reading the containers of {}", wire.host));
    let all = all(wire, "").await.map_err(failed)?;
    let known: BTreeSet<&str> = all.iter().flat_map(Summary::names).collect();
    let taken = |name: &&str| known.contains(name);
    let (taken, free): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| taken(name));
    let each = try_join_all(taken.iter().map(|name| find(wire, name)));
    let found: Vec<Inspect> = each.await.map_err(failed)?.into_iter().flatten().collect();
    let mut told = observe_all(wire, &found, project).await.map_err(failed)?;
    told.extend(
        free.into_iter()
            .map(|name| (name.to_owned(), Observed::Absent)),
    );
    Ok(told)
}

async fn observe_all(
    wire: &Wire,
    found: &[Inspect],
    project: &Project,
) -> Answer<Vec<(String, Observed)>> {
    let origins = origins(wire, found).await?;
    let none = Origin::default();
    let observed = found.iter().map(|one| {
        let origin = origins.get(&runs(one)).unwrap_or(&none);
        async move {
            let seen = observe(wire, one, origin, project).await?;
            Ok::<_, Trouble>((one.plain_name().to_owned(), seen))
        }
    });
    try_join_all(observed).await
}

/// `made`: whether this one was made or changed a moment ago, by its id. Any other is given back, for the act that this
/// look may be for.
pub(crate) async fn read(
    wire: &Wire,
    project: &Project,
    name: &str,
    made: impl FnOnce(&str) -> bool,
) -> Result<(Observed, Option<Inspect>), Failure> {
    let failed = |e: Trouble| e.failure(doing(wire, "reading", KIND, name));
    let Some(found) = find(wire, name).await.map_err(failed)? else {
        return Ok((Observed::Absent, None));
    };
    let made = made(&found.id);
    let origin = match made {
        true => own_origin(wire, &found).await,
        false => origin(wire, &found).await,
    };
    let observed = observe(wire, &found, &origin.map_err(failed)?, project).await;
    Ok((observed.map_err(failed)?, (!made).then_some(found)))
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
pub(crate) async fn whole(
    wire: &Wire,
    found: &Inspect,
    origin: &Origin,
) -> Answer<Result<Container, String>> {
    let files = files::read(wire, found).await?;
    let labels = found.own_labels();
    let body = match mark::of(&labels) {
        Some(_) => decode::decode(found, origin),
        None => unmarked::decode(found, origin),
    };
    Ok(body.map(|body| Container { files, ..body }))
}

pub(crate) fn told(found: &Inspect) -> String {
    let (name, id) = (found.plain_name(), short(&found.id));
    format!("container `{name}` (id {id}, made {})", found.created)
}

fn thing<'a>(found: &'a Inspect, labels: &'a Labels) -> Thing<'a> {
    Thing {
        told: told(found),
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

pub(crate) async fn origin(wire: &Wire, found: &Inspect) -> Answer<Origin> {
    let (reference, id) = runs(found);
    let named = image::stands_for(wire, &reference).await?;
    let now = named.as_ref().map(|image| image.id.clone());
    let pinned = named.as_ref().and_then(|image| image.pinned(&reference));
    let own = match named {
        Some(image) if image.id == id => Some(image),
        _ => image::of_id(wire, &id).await?,
    };
    Ok(Origin {
        now,
        config: own.map(|image| image.config.unwrap_or_default()),
        pinned,
    })
}

/// The same, where it is known that the reference stands for what it runs: it was made of it, or compared with it, a
/// moment ago.
/// (See [`image::of_id`].)
pub(crate) async fn own_origin(wire: &Wire, found: &Inspect) -> Answer<Origin> {
    let (reference, id) = runs(found);
    let Some(own) = image::of_id(wire, &id).await? else {
        return origin(wire, found).await;
    };
    Ok(Origin {
        now: Some(id),
        pinned: own.pinned(&reference),
        config: Some(own.config.unwrap_or_default()),
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
