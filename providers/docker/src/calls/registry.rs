//! Images of a registry: pulled by digest, and tags resolved to digests, both by the engine.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use infra_api::{Failure, ImageTag, Pinned, Progress, Pull, Remedy};
use serde::Deserialize;

use crate::calls::doing;
use crate::calls::image::find;
use crate::credentials;
use crate::kind::IMAGE as KIND;
use crate::text::image;
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped};

pub(crate) async fn pull(
    wire: &Wire,
    reference: &str,
    doing: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let failed = |e: Trouble| e.failure(doing);
    if find(wire, reference).await.map_err(failed)?.is_some() {
        return Ok(());
    }
    if image::is_id(reference) {
        let text = "the host does not have it any more, and no registry ever had it";
        return Err(Failure::new(Remedy::Replan, doing, text)
            .hint("build or load it there again and plan again"));
    }
    let who = who(reference, doing).await?;
    let known = who.is_some();
    let client = wire.patient_client();
    let options = CreateImageOptions {
        from_image: Some(reference.to_owned()),
        ..CreateImageOptions::default()
    };
    let mut lines = client.create_image(Some(options), None, who);
    while let Some(line) = lines.next().await {
        let line = line.map_err(|e| hinted(failed(e.into()), reference, known))?;
        progress.say(&format!(
            "pulling: {} {}",
            line.id.unwrap_or_default(),
            line.status.unwrap_or_default()
        ));
    }
    Ok(())
}

/// What a registry may take where there is something to go on with: a registry behind a firewall that drops what it
/// does not like says nothing at all.
const PATIENCE: Duration = Duration::from_secs(15);

/// A tag as the digest it stands for: its registry says so, asked by the engine, unless it was never in one. `known`: what
/// it stood for last.
pub(crate) async fn resolve(
    wire: &Wire,
    tag: &ImageTag,
    known: Option<&str>,
) -> Result<Pinned, Failure> {
    let reference = tag.reference.as_str();
    let doing = doing(wire, "resolving", KIND, reference);
    if image::is_pinned(reference) {
        return Ok(Pinned::new(reference));
    }
    if image::split_tag(reference).is_none() {
        let text = "it has no tag, and none is assumed";
        return Err(Failure::new(Remedy::Operator, doing, text).hint(format!(
            "write the one that is meant, as in `{reference}:1.2`"
        )));
    }
    if tag.pull == Pull::Always {
        return Ok(Pinned::new(asked(wire, reference, &doing).await?));
    }
    let here = find(wire, reference).await.map_err(|e| e.failure(&doing))?;
    let here = match here.map(|image| (image.pinned(reference), image.id)) {
        // Nobody but this engine knows it.
        Some((None, id)) => return Ok(Pinned::new(id)),
        Some((Some(pinned), _)) => Some(pinned),
        None => None,
    };
    let known = known.map(str::to_owned);
    match (tag.pull, here, known) {
        (Pull::Never | Pull::Missing, Some(here), _) => Ok(Pinned::new(here)),
        (Pull::Missing, None, Some(known)) => Ok(Pinned::new(known)),
        (Pull::Never, None, known) => held(wire, known, doing).await,
        // What is in use stays in use: the image that the host has under the tag may be an old one.
        (_, here, known) => match known.or(here) {
            Some(held) => Ok(asked_briefly(wire, reference, &doing, held).await),
            None => Ok(Pinned::new(asked(wire, reference, &doing).await?)),
        },
    }
}

/// What is known of a tag, where the host has that.
async fn held(wire: &Wire, known: Option<String>, doing: String) -> Result<Pinned, Failure> {
    if let Some(known) = known {
        let there = find(wire, &known).await.map_err(|e| e.failure(&doing))?;
        if there.is_some() {
            return Ok(Pinned::new(known));
        }
    }
    let text = "the host does not have it, and its `pull` is \"never\"";
    Err(Failure::new(Remedy::Operator, doing, text)
        .hint("build, load or pull it there (`docker pull`), or leave `pull` out"))
}

/// What its registry says, or what is held already, with the reason.
async fn asked_briefly(wire: &Wire, reference: &str, doing: &str, held: String) -> Pinned {
    let answer = match tokio::time::timeout(PATIENCE, asked(wire, reference, doing)).await {
        Ok(answer) => answer,
        Err(_) => {
            let text = format!("no answer in {} s", PATIENCE.as_secs());
            Err(hinted(
                Failure::new(Remedy::Retry, doing, text),
                reference,
                true,
            ))
        }
    };
    match answer {
        Ok(pinned) => Pinned::new(pinned),
        Err(failure) => Pinned {
            reference: held,
            unanswered: Some(failure),
        },
    }
}

/// What its registry says.
async fn asked(wire: &Wire, reference: &str, doing: &str) -> Result<String, Failure> {
    let who = who(reference, doing).await?;
    let answer = distribution(wire, reference, who.as_ref()).await;
    answer.map_err(|e| hinted(e.failure(doing), reference, who.is_some()))
}

async fn who(reference: &str, doing: &str) -> Result<Option<DockerCredentials>, Failure> {
    credentials::of(reference).await.map_err(|why| {
        Failure::new(Remedy::Operator, doing, why)
            .hint("`docker login` writes what is read here; DOCKER_CONFIG names another folder")
    })
}

/// A registry that does not let us in says so in words only; one that hides its images says they are not there.
fn hinted(failure: Failure, reference: &str, known: bool) -> Failure {
    let refused = ["unauthorized", "denied", "no basic auth"];
    let registry = image::registry_of(reference);
    if !refused.iter().any(|word| failure.cause.contains(word)) {
        return failure
            .hint("the registry must be reachable from the host; or pin the image to its digest");
    }
    failure.hint(match known {
        true => format!("what `docker login {registry}` left is not taken: log in again"),
        false => format!("log in on this machine: `docker login {registry}`"),
    })
}

async fn distribution(
    wire: &Wire,
    reference: &str,
    who: Option<&DockerCredentials>,
) -> Answer<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Distribution {
        descriptor: Descriptor,
    }
    #[derive(Deserialize)]
    struct Descriptor {
        digest: String,
    }
    let answer = wire
        .get_as::<Distribution>(
            &format!("/distribution/{}/json", escaped(reference)),
            who.map(credentials::header),
        )
        .await?;
    let (repository, _) = image::split_tag(reference).unwrap_or((reference, ""));
    Ok(format!("{repository}@{}", answer.descriptor.digest))
}
