//! Images. One from an archive is loaded under two names of ours (see `text::image`) and deleted when no
//! container uses it. One of a registry is pulled by its digest and then left alone: it carries no mark,
//! others may use it too, and who pulled it first cannot be told.

use std::path::Path;

use bollard::query_parameters::RemoveImageOptions;
use infra_api::target::ContainerImage;
use infra_api::{Address, Failure, Mark, Observed, Progress, Project, Remedy, names};
use serde::Deserialize;
use serde_json::json;

use crate::calls::{REPORT, doing, gone, load, look, registry};
use crate::kind::IMAGE as KIND;
use crate::mark::short;
use crate::text::image::{self, Image, Reference, Tagged};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped, filters};

/// The address of an image of a registry, which cannot be known: it carries no mark.
const UNMARKED: &str = "image";

pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    let ours = filters(&json!({"reference": [format!("{}/*", names::image_namespace(project))]}));
    let answer = summaries(wire, &ours).await;
    let found = answer.map_err(|e| e.failure(format!("listing the images of {}", wire.host)))?;
    let observed = found.iter().map(Summary::repo_tags).flat_map(|tags| {
        let names = image::ours(&tags, project);
        names
            .into_iter()
            .map(move |name| (name.short(), observe(&name, &tags)))
    });
    Ok(observed.collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: String,
    repo_tags: Option<Vec<String>>,
}

impl Summary {
    fn repo_tags(&self) -> Vec<String> {
        self.repo_tags.clone().unwrap_or_default()
    }
}

async fn summaries(wire: &Wire, query: &str) -> Answer<Vec<Summary>> {
    wire.get(&format!("/images/json?{query}")).await
}

pub(crate) async fn read(
    wire: &Wire,
    project: &Project,
    reference: &str,
) -> Result<Observed, Failure> {
    let answer = find(wire, reference).await;
    let found = answer.map_err(|e| e.failure(doing(wire, "reading", KIND, reference)))?;
    let Some(found) = found else {
        return Ok(Observed::Absent);
    };
    Ok(match image::parse(reference) {
        Reference::Registry => {
            let own = registry::own_platform(wire).await;
            let own = own.map_err(|e| e.failure(doing(wire, "reading", KIND, reference)))?;
            pulled(reference, &found, &own)
        }
        Reference::Archive(name) if name.project == *project => observe(&name, &found.tags()),
        Reference::Archive(name) => Observed::Foreign {
            what: format!(
                "image `{reference}` belongs to {} of project `{}`",
                name.address, name.project
            ),
            unmarked: None,
        },
        Reference::Other => Observed::Foreign {
            what: format!(
                "image `{reference}` (id {}) was not made by infra",
                short(&found.id)
            ),
            unmarked: None,
        },
    })
}

fn pulled(reference: &str, found: &Image, own: &str) -> Observed {
    let body = ContainerImage {
        reference: reference.to_owned(),
        sha256: None,
        platform: Some(found.platform()).filter(|platform| platform != own),
    };
    Observed::Present {
        address: Address::new(UNMARKED),
        body: json!(body).into(),
    }
}

fn observe(name: &Tagged, tags: &[String]) -> Observed {
    let address = name.address.clone();
    match image::decode(name, tags) {
        Ok(body) => Observed::Present {
            address,
            body: json!(body).into(),
        },
        Err(why) => Observed::Partial { address, why },
    }
}

impl Image {
    fn tags(&self) -> Vec<String> {
        self.repo_tags.clone().unwrap_or_default()
    }
}

/// By any name or id.
pub(crate) async fn find(wire: &Wire, name: &str) -> Answer<Option<Image>> {
    wire.find(&format!("/images/{}/json", escaped(name))).await
}

/// What a name stands for. Many containers are of one image, and one apply looks at each of them more than once: it is asked
/// once since its check of them all, and anew when the apply itself makes or removes an image.
pub(crate) async fn stands_for(wire: &Wire, name: &str) -> Answer<Option<Image>> {
    wire.find_lately(&format!("/images/{}/json", escaped(name)))
        .await
}

/// By its id: what it gives to containers, and the digests that it was pulled by. Both belong to the id, so they are asked
/// for once.
pub(crate) async fn of_id(wire: &Wire, id: &str) -> Answer<Option<Image>> {
    wire.find_once(&format!("/images/{}/json", escaped(id)))
        .await
}

pub(crate) async fn create(
    wire: &Wire,
    body: &ContainerImage,
    source: Option<&Path>,
    mark: &Mark,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let ContainerImage {
        reference, sha256, ..
    } = body;
    let doing = doing(wire, "creating", KIND, reference);
    match (image::parse(reference), sha256, source) {
        (Reference::Registry, ..) => registry::pull(wire, body, &doing, progress).await,
        (Reference::Archive(name), Some(sha256), Some(path)) => {
            must_be_ours(&doing, &name, mark)?;
            load::load(wire, &name, sha256, path, &doing, progress).await
        }
        (Reference::Archive(_), ..) => Err(Failure::new(
            Remedy::Operator,
            doing,
            "its archive or the archive's digest is not given",
        )
        .hint(REPORT)),
        (Reference::Other, ..) => Err(Failure::new(
            Remedy::Operator,
            doing,
            "the reference is not pinned to a digest",
        )
        .hint("write it as REPOSITORY@sha256:…")),
    }
}

fn must_be_ours(doing: &str, name: &Tagged, mark: &Mark) -> Result<(), Failure> {
    if name.project == mark.project {
        return Ok(());
    }
    let cause = format!(
        "the image belongs to {} of project `{}`",
        name.address, name.project
    );
    Err(Failure::new(Remedy::Replan, doing, cause))
}

/// Only ours, and only when no container is left that uses it: the engine would refuse the last name
/// only, after the first is gone.
pub(crate) async fn delete(wire: &Wire, reference: &str, mark: &Mark) -> Result<(), Failure> {
    let doing = doing(wire, "removing", KIND, reference);
    let name = match image::parse(reference) {
        Reference::Registry => return Ok(()),
        Reference::Archive(name) => name,
        Reference::Other => {
            return Err(Failure::new(
                Remedy::Replan,
                doing,
                "it does not carry infra's mark",
            ));
        }
    };
    must_be_ours(&doing, &name, mark)?;
    let failed = |e: Trouble| e.failure(&doing);
    let alike = filters(&json!({"reference": [format!("{}*", name.short())]}));
    let found = summaries(wire, &alike).await.map_err(failed)?;
    for one in &found {
        // Under another name it stays, whoever uses it. A filtered list leaves out the names it did not ask for.
        let whole = find(wire, &one.id).await.map_err(failed)?;
        let tags = whole.map(|image| image.tags()).unwrap_or_default();
        if image::names_of(&name, &tags).len() == tags.len() {
            unused(wire, &one.id, &doing).await?;
        }
    }
    let tags: Vec<String> = found.iter().flat_map(Summary::repo_tags).collect();
    for tag in image::names_of(&name, &tags) {
        untag(wire, &tag).await.map_err(failed)?;
    }
    Ok(())
}

async fn unused(wire: &Wire, id: &str, doing: &str) -> Result<(), Failure> {
    let users = look::named(wire, &json!({"ancestor": [id]})).await?;
    if users.is_empty() {
        return Ok(());
    }
    let cause = format!("it is in use by {}", users.join(", "));
    Err(Failure::new(Remedy::Operator, doing, cause)
        .hint("these are not infra's to remove; remove them, or keep the image: `docker tag` gives it another name"))
}

async fn untag(wire: &Wire, name: &str) -> Answer<()> {
    let answer = wire
        .client()
        .remove_image(name, None::<RemoveImageOptions>, None)
        .await;
    gone(answer.map(drop).map_err(Trouble::from))
}
