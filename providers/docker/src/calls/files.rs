//! Files of a container: read back one by one, and put into it before it starts.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bollard::query_parameters::UploadToContainerOptions;
use futures_util::future::try_join_all;
use infra_api::target::{Container, UploadedFile};
use infra_api::{Failure, Progress, Remedy};

use crate::text::file;
use crate::text::inspect::Inspect;
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, escaped};

/// Of those that are ours; a container without any costs no call.
pub(crate) async fn read(wire: &Wire, found: &Inspect) -> Answer<BTreeMap<String, UploadedFile>> {
    let each = file::ours(found)
        .into_iter()
        .map(|(path, binary)| async move {
            let read = one(wire, &found.id, &path, binary).await?;
            Ok::<_, Trouble>((path, read))
        });
    Ok(try_join_all(each).await?.into_iter().collect())
}

async fn one(wire: &Wire, id: &str, path: &str, binary: bool) -> Answer<UploadedFile> {
    let query = format!("/containers/{id}/archive?path={}", escaped(path));
    match wire.get_some(&query, file::MOST).await {
        Ok(archive) => Ok(file::decode(&archive, binary)),
        Err(Trouble::Refused { status: 404, .. }) => Ok(file::none(binary)),
        Err(other) => Err(other),
    }
}

/// The paths of those that are not as they are wanted.
pub(crate) async fn differ<'a>(
    wire: &Wire,
    found: &Inspect,
    body: &'a Container,
) -> Answer<Vec<&'a String>> {
    if body.files.is_empty() {
        return Ok(Vec::new());
    }
    let there = read(wire, found).await?;
    let wanted = body.files.iter();
    let other = wanted.filter(|(path, file)| there.get(*path) != Some(file));
    Ok(other.map(|(path, _)| path).collect())
}

/// Puts files into a container that does not run. Missing directories above them are made.
pub(crate) async fn put(
    wire: &Wire,
    id: &str,
    body: &Container,
    paths: &[&String],
    doing: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    // A file's time is when it was put there: what watches times would not see the change else.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    for path in paths {
        let Some(wanted) = body.files.get(*path) else {
            continue;
        };
        progress.say(&format!("writing {path}"));
        let (base, inside) = place(path, body);
        let archive = file::encode(inside, wanted, now)
            .map_err(|why| Failure::new(Remedy::Operator, doing, why))?;
        let options = UploadToContainerOptions {
            path: base.to_owned(),
            ..UploadToContainerOptions::default()
        };
        let answer = wire.client().upload_to_container(
            id,
            Some(options),
            bollard::body_full(archive.into()),
        );
        answer
            .await
            .map_err(|e| Trouble::from(e).failure(format!("{doing}: writing {path}")))?;
    }
    Ok(())
}

/// Where the archive is unpacked, and the path from there: the engine unpacks nothing at a root that is not written
/// to, though there is a volume below it.
fn place<'a>(path: &'a str, body: &'a Container) -> (&'a str, &'a str) {
    let below = |target: &'a String| {
        let inside = path.strip_prefix(target.as_str())?.strip_prefix('/')?;
        Some((target.as_str(), inside))
    };
    let deepest = body.mounts.keys().filter_map(below);
    let deepest = deepest.max_by_key(|(target, _)| target.len());
    deepest.unwrap_or(("/", path))
}
