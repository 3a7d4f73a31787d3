//! Networks: looked up by name, then called by id, for names are not unique.

use infra_api::target::ContainerNetwork;
use infra_api::{Failure, Mark, Observed, Project, Remedy};
use serde_json::json;

use crate::calls::{Claim, Thing, doing, gone, marked, must_be_ours, observed, patiently};
use crate::kind::NETWORK as KIND;
use crate::mark::{self, short};
use crate::text::network::{self, Network};
use crate::trouble::Trouble;
use crate::wire::{Wire, escaped, filters};

/// `seen`: all there are, as they were just now.
pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
    seen: Option<Vec<Network>>,
) -> Result<Vec<(String, Observed)>, Failure> {
    let found = match seen {
        Some(seen) => seen,
        None => those(wire, &marked(project)).await?,
    };
    let ours = found.iter().filter(|one| mark::is_of(&one.labels, project));
    Ok(ours
        .map(|one| (one.name.clone(), observe(one, project)))
        .collect())
}

/// Without who is attached.
pub(crate) async fn all(wire: &Wire) -> Result<Vec<Network>, Failure> {
    wire.networks().await.map_err(|e| unlisted(wire, e))
}

async fn those(wire: &Wire, query: &str) -> Result<Vec<Network>, Failure> {
    let answer = wire.get(&format!("/networks?{query}")).await;
    answer.map_err(|e| unlisted(wire, e))
}

fn unlisted(wire: &Wire, trouble: Trouble) -> Failure {
    trouble.failure(format!("listing the networks of {}", wire.host))
}

/// And the network itself, for the act that this look may be for.
pub(crate) async fn read(
    wire: &Wire,
    project: &Project,
    name: &str,
) -> Result<(Observed, Option<Network>), Failure> {
    let found = named(wire, name, &doing(wire, "reading", KIND, name)).await?;
    let observed = found.as_ref().map(|one| observe(one, project));
    Ok((observed.unwrap_or(Observed::Absent), found))
}

fn observe(found: &Network, project: &Project) -> Observed {
    observed(&thing(found), project, network::decode(found))
}

fn thing(found: &Network) -> Thing<'_> {
    Thing {
        told: format!(
            "network `{}` (id {}, made {})",
            found.name,
            short(&found.id),
            found.created
        ),
        identity: &found.id,
        labels: &found.labels,
    }
}

/// The one network of this name, without who is attached to it.
pub(crate) async fn named(
    wire: &Wire,
    name: &str,
    doing: &str,
) -> Result<Option<Network>, Failure> {
    let named = filters(&json!({"name": [name]}));
    let mut found = those(wire, &named).await?;
    // The engine's filter takes parts of names too.
    found.retain(|one| one.name == name);
    match found.as_slice() {
        [] | [_] => Ok(found.pop()),
        several => Err(ambiguous(doing, several)),
    }
}

/// The same, with who is attached to it now. `looked`: what was found under the name in this moment.
async fn find(
    wire: &Wire,
    name: &str,
    looked: Option<Option<Network>>,
    doing: &str,
) -> Result<Option<Network>, Failure> {
    let named = match looked {
        Some(found) => found,
        None => named(wire, name, doing).await?,
    };
    let Some(one) = named else {
        return Ok(None);
    };
    let path = format!("/networks/{}", escaped(&one.id));
    wire.find(&path).await.map_err(|e| e.failure(doing))
}

fn ambiguous(doing: &str, several: &[Network]) -> Failure {
    let things: Vec<String> = several.iter().map(|one| thing(one).told).collect();
    Failure::new(
        Remedy::Operator,
        doing,
        format!("there are several: {}", things.join(", ")),
    )
    .hint(
        "the engine lets two networks have one name: remove one by its id, `docker network rm ID`",
    )
}

/// `looked`: what was found under its name in this moment; only the first attempt goes by it.
pub(crate) async fn create(
    wire: &Wire,
    body: &ContainerNetwork,
    mark: &Mark,
    mut looked: Option<Option<Network>>,
) -> Result<(), Failure> {
    let doing = doing(wire, "creating", KIND, &body.name);
    patiently(|| make(wire, body, mark, looked.take(), &doing)).await
}

async fn make(
    wire: &Wire,
    body: &ContainerNetwork,
    mark: &Mark,
    looked: Option<Option<Network>>,
    doing: &str,
) -> Result<(), Failure> {
    if let Some(found) = find(wire, &body.name, looked, doing).await? {
        must_be_ours(doing, &thing(&found), Claim::by(mark))?;
        if network::decode(&found).as_ref() == Ok(body) {
            return Ok(());
        }
        remove(wire, &found, doing).await?;
    }
    let made = wire
        .client()
        .create_network(network::encode(body, mark))
        .await;
    made.map(drop).map_err(|e| Trouble::from(e).failure(doing))
}

/// `looked`: what was found under its name in this moment.
pub(crate) async fn delete(
    wire: &Wire,
    name: &str,
    claim: Claim<'_>,
    looked: Option<Option<Network>>,
) -> Result<(), Failure> {
    let doing = doing(wire, "removing", KIND, name);
    let Some(found) = find(wire, name, looked, &doing).await? else {
        return Ok(());
    };
    must_be_ours(&doing, &thing(&found), claim)?;
    remove(wire, &found, &doing).await
}

async fn remove(wire: &Wire, found: &Network, doing: &str) -> Result<(), Failure> {
    let attached = found.attached();
    if !attached.is_empty() {
        let cause = format!("it is in use by {}", attached.join(", "));
        return Err(
            Failure::new(Remedy::Operator, doing, cause).hint("disconnect or remove these first")
        );
    }
    let answer = wire.client().remove_network(&found.id).await;
    gone(answer.map_err(Trouble::from)).map_err(|trouble| leaked(trouble, doing))
}

/// Seen once on 20.10 after some 1800 containers: the engine counts an endpoint that nobody has.
fn leaked(trouble: Trouble, doing: &str) -> Failure {
    let endpoints = trouble.status() == Some(403);
    let failure = trouble.failure(doing);
    if endpoints {
        failure.hint(
            "if no container is attached the engine has lost count: restart it, then apply again",
        )
    } else {
        failure
    }
}
