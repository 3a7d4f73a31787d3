//! A container's networks, files and state, brought to what is wanted: the end of making one and of
//! changing one.

use std::time::Duration;

use bollard::models::{NetworkConnectRequest, NetworkDisconnectRequest};
use bollard::query_parameters::StartContainerOptions;
use infra_api::target::{Container, Endpoint};
use infra_api::{Failure, Progress, Remedy};

use crate::calls::{container, doing, files, gone, look, network};
use crate::kind::CONTAINER as KIND;
use crate::text;
use crate::text::decode;
use crate::text::inspect::Inspect;
use crate::trouble::{Answer, Trouble};
use crate::wire::Wire;

/// Networks, files and state as they are wanted.
pub(crate) async fn settle(
    wire: &Wire,
    id: &str,
    body: &Container,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let connecting = doing(wire, "connecting", KIND, &body.name);
    let found = look::inspect(wire, id)
        .await
        .map_err(|e| e.failure(&connecting))?;
    let found = found.ok_or_else(|| Failure::new(Remedy::Replan, &connecting, "it is gone"))?;
    from(wire, &found, body, progress).await
}

/// The same for one as it was just looked at.
pub(crate) async fn from(
    wire: &Wire,
    found: &Inspect,
    body: &Container,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let connecting = doing(wire, "connecting", KIND, &body.name);
    connect(wire, found, body, &connecting).await?;
    let stopped = write(wire, found, body, progress).await?;
    match found.state.status.as_str() {
        "created" | "exited" => start(wire, &found.id, body, progress).await,
        _ if stopped => start(wire, &found.id, body, progress).await,
        "paused" if body.state == "running" => {
            progress.say("resuming");
            let answer = wire.client().unpause_container(&found.id).await;
            answer.map_err(|e| Trouble::from(e).failure(doing(wire, "resuming", KIND, &body.name)))
        }
        _ => Ok(()),
    }
}

/// Whether there is nothing to do about it but start it.
pub(crate) fn is_whole_when_made(wire: &Wire, body: &Container) -> bool {
    let attached = wire.makes_in_several_networks() || body.networks.len() < 2;
    attached && body.files.is_empty()
}

/// So long a program has to show that it cannot run (a wrong option, a missing file) before it is looked at. The engine
/// starts the next one meanwhile.
const FIRST_BREATH: Duration = Duration::from_millis(150);

/// One that does not run, where it is wanted to.
pub(crate) async fn start(
    wire: &Wire,
    id: &str,
    body: &Container,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    if body.state != "running" {
        return Ok(());
    }
    let starting = doing(wire, "starting", KIND, &body.name);
    progress.say("starting");
    let mut answer = try_to_start(wire, id).await;
    if answer.as_ref().is_err_and(lacks_network) {
        progress.say("connecting");
        connect_anew(wire, id, body).await?;
        answer = try_to_start(wire, id).await;
    }
    // What cannot start stays: it carries the mark, and its state and error can be looked at.
    answer.map_err(|e| e.failure(starting))?;
    tokio::time::sleep(FIRST_BREATH).await;
    Ok(())
}

async fn try_to_start(wire: &Wire, id: &str) -> Answer<()> {
    let options = None::<StartContainerOptions>;
    let answer = wire.client().start_container(id, options).await;
    answer.map_err(Trouble::from)
}

/// The engine knows the networks of a container that stands still by their ids, and lets them be removed: one of the same name
/// that was made since is another.
fn lacks_network(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused { status, message } => {
            *status == 404 && message.starts_with("network ") && message.ends_with(" not found")
        }
        Trouble::Lost(_) | Trouble::Garbled(_) => false,
    }
}

async fn connect_anew(wire: &Wire, id: &str, body: &Container) -> Result<(), Failure> {
    let connecting = doing(wire, "connecting", KIND, &body.name);
    for (name, endpoint) in &body.networks {
        disconnect_one(wire, id, name, &connecting).await?;
        connect_one(wire, id, name, endpoint, &connecting).await?;
    }
    Ok(())
}

/// Whether it was stopped for it: what runs has read its files already. Stopped first: were it cut off between,
/// new files under an old process would look whole.
async fn write(
    wire: &Wire,
    found: &Inspect,
    body: &Container,
    progress: &dyn Progress,
) -> Result<bool, Failure> {
    let doing = doing(wire, "writing files of", KIND, &body.name);
    let failed = |e: Trouble| e.failure(&doing);
    let paths = files::differ(wire, found, body).await.map_err(failed)?;
    if paths.is_empty() {
        return Ok(false);
    }
    let runs = matches!(
        found.state.status.as_str(),
        "running" | "restarting" | "paused"
    );
    if runs {
        progress.say("stopping");
        container::stop(wire, &found.id).await.map_err(failed)?;
    }
    files::put(wire, &found.id, body, &paths, &doing, progress).await?;
    Ok(runs)
}

async fn connect(
    wire: &Wire,
    found: &Inspect,
    body: &Container,
    doing: &str,
) -> Result<(), Failure> {
    let attached = decode::attached(found);
    for (name, endpoint) in &attached {
        if !stays(name, endpoint, body) {
            disconnect_one(wire, &found.id, name, doing).await?;
        }
    }
    for (name, endpoint) in &body.networks {
        if attached.get(name) != Some(endpoint) {
            connect_one(wire, &found.id, name, endpoint, doing).await?;
        }
    }
    Ok(())
}

/// A container that names no network is on the engine's own bridge, or on what its mode says.
fn stays(name: &str, endpoint: &Endpoint, body: &Container) -> bool {
    let default = body.networks.is_empty() && decode::NO_NETWORKS.contains(&name);
    default || body.networks.get(name) == Some(endpoint)
}

async fn connect_one(
    wire: &Wire,
    id: &str,
    name: &str,
    endpoint: &Endpoint,
    doing: &str,
) -> Result<(), Failure> {
    let Some(network) = network::named(wire, name, doing).await? else {
        return Err(Failure::new(
            Remedy::Replan,
            doing,
            format!("network `{name}` is not there"),
        ));
    };
    let request = NetworkConnectRequest {
        container: id.to_owned(),
        endpoint_config: Some(text::container::endpoint(endpoint)),
    };
    let answer = wire.client().connect_network(&network.id, request).await;
    answer.map_err(|e| Trouble::from(e).failure(format!("{doing} to network `{name}`")))
}

async fn disconnect_one(wire: &Wire, id: &str, name: &str, doing: &str) -> Result<(), Failure> {
    let request = NetworkDisconnectRequest {
        container: id.to_owned(),
        force: Some(true),
    };
    let answer = wire.client().disconnect_network(name, request).await;
    gone(answer.map_err(Trouble::from))
        .map_err(|e| e.failure(format!("{doing}: off network `{name}`")))
}
