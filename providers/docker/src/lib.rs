//! Containers, networks, volumes and images on a Docker Engine: the provider's pure half, and the way
//! to the other one.
//!
//! ```text
//! lib      targets → resources
//! impact   what changing an attribute takes
//! text/    bodies ⇄ the engine's JSON; pure
//! archive  an image's file → a stream the engine loads; blocking
//! calls/   what is asked of the engine, each call re-entrant
//! ready, discover   what is asked of the engine to wait and to plan; reads only
//! seen     what was seen a moment ago, handed to the call that comes next
//! engine   the contract's effects, handed to the calls
//! mark     whose an object is; credentials: who we are to a registry
//! wire     questions and answers; door: the way they go; trouble: what errors mean
//! ```

mod archive;
mod calls;
mod credentials;
mod discover;
mod door;
mod engine;
#[doc(hidden)]
pub mod fuzzing;
mod impact;
mod kind;
mod mark;
mod ready;
mod seen;
mod text;
mod trouble;
mod wire;

pub use self::archive::{ARCHIVE, check_archive};

use std::borrow::Cow;

use infra_api::target::{Container, ImageSource, Mount};
use infra_api::{
    Daemon, Edit, Failure, HostName, Impact, Pending, Project, Provider, Resource, ResourceId,
    Target, What,
};
use serde::Serialize;
use serde_json::json;

use crate::engine::Engine;
use crate::impact::{impact, impact_of};
use crate::kind::{CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME};
use crate::text::image::is_pinned;
use crate::wire::Wire;

/// The provider.
pub struct Docker;

impl Provider for Docker {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        resource(target).into_iter().collect()
    }

    fn impact(&self, kind: &str, path: &[String], removed: bool) -> Impact {
        impact(kind, path, removed)
    }

    fn impact_of(&self, kind: &str, edit: &Edit<'_>) -> Impact {
        impact_of(kind, edit)
    }

    /// A container can be renamed.
    fn swaps(&self, kind: &str) -> bool {
        kind == CONTAINER
    }

    fn outlives(&self, id: &ResourceId) -> bool {
        id.kind == IMAGE && is_pinned(&id.name)
    }

    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        endpoint: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>> {
        Box::pin(async move {
            let wire = Wire::open(host, endpoint).await?;
            Ok(Box::new(Engine::new(wire)) as Box<dyn Daemon>)
        })
    }
}

fn resource(target: &Target) -> Option<Resource> {
    let one = |kind, name: &str, body| made(target, kind, name, body);
    Some(match &target.what {
        What::ContainerImage(image, from) => Resource {
            source: match from {
                ImageSource::Archive(path) => Some(path.clone()),
                ImageSource::Registry => None,
            },
            ..one(IMAGE, &image.reference, json(image))
        },
        What::ContainerNetwork(network) => one(NETWORK, &network.name, json(network)),
        What::ContainerVolume(volume) => one(VOLUME, &volume.name, json(volume)),
        What::Container(container) => Resource {
            after: needs(&target.host, container),
            ..one(CONTAINER, &container.name, json(&*normal(container)))
        },
        _ => return None,
    })
}

fn json(body: &impl Serialize) -> serde_json::Value {
    json!(body)
}

fn made(target: &Target, kind: &str, name: &str, body: serde_json::Value) -> Resource {
    Resource {
        id: ResourceId::new(&target.host, PROVIDER, kind, name),
        address: target.address.clone(),
        body: body.into(),
        source: None,
        after: Vec::new(),
    }
}

/// As it will be read back: in order, and without the hostname among its aliases, which every engine makes
/// resolve by itself (and which one before API 1.45 lists as if it had been asked for).
fn normal(container: &Container) -> Cow<'_, Container> {
    // There is nothing to put in order: no copy of it all.
    if container.ports.len() < 2 && container.networks.values().all(|e| e.aliases.is_empty()) {
        return Cow::Borrowed(container);
    }
    let mut normal = container.clone();
    normal.ports.sort();
    normal.ports.dedup();
    for endpoint in normal.networks.values_mut() {
        endpoint.aliases.sort();
        endpoint.aliases.dedup();
        endpoint
            .aliases
            .retain(|alias| *alias != container.hostname);
    }
    Cow::Owned(normal)
}

/// Its image, its networks, the volumes it mounts.
fn needs(host: &HostName, container: &Container) -> Vec<ResourceId> {
    let id = |kind, name: &str| ResourceId::new(host, PROVIDER, kind, name);
    let networks = container.networks.keys().map(|name| id(NETWORK, name));
    let volumes = container.mounts.values().filter_map(|mount| match mount {
        Mount::Volume { source, .. } => Some(id(VOLUME, source)),
        Mount::Bind { .. } | Mount::Tmpfs { .. } => None,
    });
    let mut needs = vec![id(IMAGE, &container.image)];
    needs.extend(networks.chain(volumes));
    needs.sort();
    needs.dedup();
    needs
}

#[cfg(test)]
mod tests;
