//! Images of a registry: pulled by digest, and tags resolved to digests, both by the engine.

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use infra_api::{Failure, Progress, Remedy};
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

/// A tag as the digest it stands for: what is on the host already wins, so that a plan needs no network
/// and does not change with the registry's mind; else the registry is asked, by the engine.
pub(crate) async fn resolve(wire: &Wire, reference: &str) -> Result<String, Failure> {
    let doing = doing(wire, "resolving", KIND, reference);
    if image::is_pinned(reference) {
        return Ok(reference.to_owned());
    }
    let Some((repository, _)) = image::split_tag(reference) else {
        let failure = Failure::new(
            Remedy::Operator,
            doing,
            "it has no tag, and none is assumed",
        );
        return Err(failure.hint(format!(
            "write the one that is meant, as in `{reference}:1.2`"
        )));
    };
    let here = find(wire, reference).await.map_err(|e| e.failure(&doing))?;
    let digests = here
        .and_then(|image| image.repo_digests)
        .unwrap_or_default();
    let ours = digests
        .into_iter()
        .find(|digest| digest.split('@').next() == Some(repository));
    match ours {
        Some(pinned) => Ok(pinned),
        None => {
            let who = who(reference, &doing).await?;
            let answer = asked(wire, reference, repository, who.as_ref()).await;
            answer.map_err(|e| hinted(e.failure(&doing), reference, who.is_some()))
        }
    }
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

async fn asked(
    wire: &Wire,
    reference: &str,
    repository: &str,
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
    Ok(format!("{repository}@{}", answer.descriptor.digest))
}
