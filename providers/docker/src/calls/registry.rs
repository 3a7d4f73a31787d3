//! Images of a registry: pulled by digest, and tags resolved to digests, both by the engine.

use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use infra_api::target::ContainerImage;
use infra_api::{Failure, ImageTag, Pinned, Progress, Pull, Remedy};
use serde::Deserialize;

use crate::calls::doing;
use crate::calls::image::find;
use crate::credentials;
use crate::kind::IMAGE as KIND;
use crate::text::image::{self, Image, Platform};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped};

pub(crate) async fn pull(
    wire: &Wire,
    body: &ContainerImage,
    doing: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let reference = body.reference.as_str();
    let failed = |e: Trouble| e.failure(doing);
    if let Some(there) = find(wire, reference).await.map_err(failed)? {
        let own = own_platform(wire).await.map_err(failed)?;
        let wanted = body.platform.as_deref().unwrap_or(&own);
        return suits(&there, wanted, reference, doing);
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
        platform: body.platform.clone().unwrap_or_default(),
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

/// What the engine runs on.
pub(crate) async fn own_platform(wire: &Wire) -> Answer<String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        os: String,
        arch: String,
    }
    let Version { os, arch } = wire.find_once("/version").await?.unwrap_or_default();
    Ok(image::platform(&format!("{os}/{arch}")))
}

/// An engine keeps one image under a reference, whatever else its registry has there.
fn suits(there: &Image, wanted: &str, reference: &str, doing: &str) -> Result<(), Failure> {
    let platform = there.platform();
    if platform == wanted {
        return Ok(());
    }
    let text = format!("the host has it for {platform} and not for {wanted}");
    let hint = format!(
        "an engine keeps one platform a reference: write the digest of the image for {wanted}, or remove the other one \
         (`docker rmi {reference}`)"
    );
    Err(Failure::new(Remedy::Operator, doing, text).hint(hint))
}

/// What is known of a tag.
struct Known {
    reference: String,
    /// Those its registry has it for; none where it was not asked.
    platforms: Vec<String>,
    unanswered: Option<Failure>,
}

impl Known {
    fn held(reference: String) -> Self {
        Self {
            reference,
            platforms: Vec::new(),
            unanswered: None,
        }
    }
}

/// A tag as the digest it stands for: its registry says so, asked by the engine, unless it was never in one. `last`: what
/// it stood for then.
pub(crate) async fn resolve(
    wire: &Wire,
    tag: &ImageTag,
    last: Option<&str>,
) -> Result<Pinned, Failure> {
    let doing = doing(wire, "resolving", KIND, &tag.reference);
    let known = known(wire, tag, last, &doing).await?;
    let platform = match &tag.platform {
        Some(wanted) => other_platform(wire, &known, &image::platform(wanted), &doing).await?,
        None => None,
    };
    Ok(Pinned {
        reference: known.reference,
        platform,
        unanswered: known.unanswered,
    })
}

/// The platform that is wanted, where it is not the host's own; it must be had.
async fn other_platform(
    wire: &Wire,
    known: &Known,
    wanted: &str,
    doing: &str,
) -> Result<Option<String>, Failure> {
    let failed = |e: Trouble| e.failure(doing);
    let offered = &known.platforms;
    if !offered.is_empty() && !offered.iter().any(|one| one == wanted) {
        let text = format!("its registry does not have it for {wanted}");
        let hint = format!("it has it for {}", offered.join(", "));
        return Err(Failure::new(Remedy::Operator, doing, text).hint(hint));
    }
    if let Some(there) = find(wire, &known.reference).await.map_err(failed)? {
        suits(&there, wanted, &known.reference, doing)?;
    }
    let own = own_platform(wire).await.map_err(failed)?;
    Ok(Some(wanted.to_owned()).filter(|wanted| *wanted != own))
}

async fn known(
    wire: &Wire,
    tag: &ImageTag,
    last: Option<&str>,
    doing: &str,
) -> Result<Known, Failure> {
    let reference = tag.reference.as_str();
    if image::is_pinned(reference) {
        return Ok(Known::held(reference.to_owned()));
    }
    if image::split_tag(reference).is_none() {
        let text = "it has no tag, and none is assumed";
        return Err(Failure::new(Remedy::Operator, doing, text).hint(format!(
            "write the one that is meant, as in `{reference}:1.2`"
        )));
    }
    if tag.pull == Pull::Always {
        return asked(wire, reference, doing).await;
    }
    let here = find(wire, reference).await.map_err(|e| e.failure(doing))?;
    let here = match here.map(|image| (image.pinned(reference), image.id)) {
        // Nobody but this engine knows it.
        Some((None, id)) => return Ok(Known::held(id)),
        Some((Some(pinned), _)) => Some(pinned),
        None => None,
    };
    let last = last.map(str::to_owned);
    match (tag.pull, here, last) {
        (Pull::Never | Pull::Missing, Some(here), _) => Ok(Known::held(here)),
        (Pull::Missing, None, Some(last)) => Ok(Known::held(last)),
        (Pull::Never, None, last) => held(wire, last, doing).await,
        // What is in use stays in use: the image that the host has under the tag may be an old one.
        (_, here, last) => match last.or(here) {
            Some(held) => Ok(asked_briefly(wire, reference, doing, held).await),
            None => asked(wire, reference, doing).await,
        },
    }
}

/// What a tag stood for last, where the host has that.
async fn held(wire: &Wire, last: Option<String>, doing: &str) -> Result<Known, Failure> {
    if let Some(last) = last {
        let there = find(wire, &last).await.map_err(|e| e.failure(doing))?;
        if there.is_some() {
            return Ok(Known::held(last));
        }
    }
    let text = "the host does not have it, and its `pull` is \"never\"";
    Err(Failure::new(Remedy::Operator, doing, text)
        .hint("build, load or pull it there (`docker pull`), or leave `pull` out"))
}

/// What its registry says, or what is held already, with the reason.
async fn asked_briefly(wire: &Wire, reference: &str, doing: &str, held: String) -> Known {
    let answer = tokio::time::timeout(PATIENCE, asked(wire, reference, doing)).await;
    let answer = answer.unwrap_or_else(|_| {
        let text = format!("no answer in {} s", PATIENCE.as_secs());
        let failure = Failure::new(Remedy::Retry, doing, text);
        Err(hinted(failure, reference, true))
    });
    answer.unwrap_or_else(|failure| Known {
        unanswered: Some(failure),
        ..Known::held(held)
    })
}

/// What its registry says.
async fn asked(wire: &Wire, reference: &str, doing: &str) -> Result<Known, Failure> {
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
) -> Answer<Known> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Distribution {
        descriptor: Descriptor,
        platforms: Option<Vec<Platform>>,
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
    let platforms = answer.platforms.unwrap_or_default();
    let platforms = platforms.iter().map(ToString::to_string);
    Ok(Known {
        reference: format!("{repository}@{}", answer.descriptor.digest),
        // What is signed beside them has one that nobody has.
        platforms: platforms.filter(|one| one.starts_with("linux/")).collect(),
        unanswered: None,
    })
}
