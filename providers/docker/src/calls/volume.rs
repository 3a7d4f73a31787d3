//! Volumes. Creating one that is there answers 201 and changes nothing, whatever was asked for: what is
//! there is looked at first.

use infra_api::target::ContainerVolume;
use infra_api::{Failure, Mark, Observed, Project};
use serde::Deserialize;
use serde_json::json;

use crate::calls::{Claim, Thing, doing, gone, look, marked, must_be_ours, observed};
use crate::kind::VOLUME as KIND;
use crate::text::volume::{self, Volume};
use crate::trouble::Trouble;
use crate::wire::{Wire, escaped};

pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct List {
        volumes: Option<Vec<Volume>>,
    }
    let answer = wire
        .get::<List>(&format!("/volumes?{}", marked(project)))
        .await;
    let found = answer.map_err(|e| e.failure(format!("listing the volumes of {}", wire.host)))?;
    Ok(found
        .volumes
        .iter()
        .flatten()
        .map(|one| (one.name.clone(), observe(one, project)))
        .collect())
}

pub(crate) async fn read(wire: &Wire, project: &Project, name: &str) -> Result<Observed, Failure> {
    let found = find(wire, name, &doing(wire, "reading", KIND, name)).await?;
    Ok(found.map_or(Observed::Absent, |one| observe(&one, project)))
}

fn observe(found: &Volume, project: &Project) -> Observed {
    observed(&thing(found), project, Ok(volume::decode(found)))
}

/// The engine has no id for a volume: when it was made tells one from the next.
fn thing(found: &Volume) -> Thing<'_> {
    Thing {
        told: format!("volume `{}` (made {})", found.name, found.created_at),
        identity: &found.created_at,
        labels: &found.labels,
    }
}

async fn find(wire: &Wire, name: &str, doing: &str) -> Result<Option<Volume>, Failure> {
    wire.find(&format!("/volumes/{}", escaped(name)))
        .await
        .map_err(|e| e.failure(doing))
}

pub(crate) async fn create(
    wire: &Wire,
    body: &ContainerVolume,
    mark: &Mark,
) -> Result<(), Failure> {
    let doing = doing(wire, "creating", KIND, &body.name);
    if let Some(found) = find(wire, &body.name, &doing).await? {
        must_be_ours(&doing, &thing(&found), Claim::by(mark))?;
        if volume::decode(&found) == *body {
            return Ok(());
        }
        remove(wire, &body.name, &doing).await?;
    }
    let made = wire
        .client()
        .create_volume(volume::encode(body, mark))
        .await;
    made.map_err(|e| Trouble::from(e).failure(&doing))?;
    // Somebody may have made one in between, and the engine would have said 201 all the same.
    match find(wire, &body.name, &doing).await? {
        Some(found) => must_be_ours(&doing, &thing(&found), Claim::by(mark)),
        None => Ok(()),
    }
}

pub(crate) async fn delete(wire: &Wire, name: &str, claim: Claim<'_>) -> Result<(), Failure> {
    let doing = doing(wire, "removing", KIND, name);
    let Some(found) = find(wire, name, &doing).await? else {
        return Ok(());
    };
    must_be_ours(&doing, &thing(&found), claim)?;
    remove(wire, name, &doing).await
}

async fn remove(wire: &Wire, name: &str, doing: &str) -> Result<(), Failure> {
    let answer = wire
        .client()
        .remove_volume(name, None::<bollard::query_parameters::RemoveVolumeOptions>)
        .await;
    let Err(trouble) = gone(answer.map_err(Trouble::from)) else {
        return Ok(());
    };
    let in_use = trouble.status() == Some(409);
    let failure = trouble.failure(doing);
    if !in_use {
        return Err(failure);
    }
    let users = look::named(wire, &json!({"volume": [name]})).await?;
    Err(failure.hint(format!("used by {}: remove these first", users.join(", "))))
}
