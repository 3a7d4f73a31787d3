//! Images from archives: sent to the engine while the file is read, under our names.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::query_parameters::{ImportImageOptions, TagImageOptions};
use futures_util::{Stream, TryStreamExt, stream};
use infra_api::units::Bytes;
use infra_api::{Failure, Progress, Remedy};
use serde::Deserialize;
use tokio::sync::mpsc::{self, Receiver};

use crate::archive::{self, Flaw, Piece, Upload};
use crate::calls::REPORT;
use crate::calls::image::find;
use crate::text::image::Tagged;
use crate::trouble::{Answer, Trouble};
use crate::wire::Wire;

pub(crate) async fn load(
    wire: &Wire,
    name: &Tagged,
    sha256: &str,
    path: &Path,
    doing: &str,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (short, long) = (name.short(), name.long(sha256));
    let failed = |e: Trouble| e.failure(doing);
    let mut said = None;
    if find(wire, &long).await.map_err(failed)?.is_none() {
        let names = [long.clone(), short];
        said = Some(upload(wire, names, sha256, path, doing, progress).await?);
    }
    // After a load both are there, but for an OCI layout, which names one; and the short one may have been moved.
    let options = TagImageOptions {
        repo: Some(name.repository.clone()),
        tag: Some(name.tag.clone()),
    };
    let tagged = wire.client().tag_image(&long, Some(options)).await;
    match tagged.map_err(Trouble::from) {
        // The same content under another name may be removed at this moment, by another project (seen on 20.10).
        Err(trouble) if trouble.status() == Some(404) => {
            let cause = match said {
                Some(said) => format!(
                    "the engine took the archive {} and there is no image of it: {said}",
                    path.display()
                ),
                None => "the image was there, and was removed meanwhile".to_owned(),
            };
            Err(Failure::new(Remedy::Retry, doing, cause))
        }
        tagged => tagged.map_err(failed),
    }
}

/// Sends the archive; what the engine said to it.
async fn upload(
    wire: &Wire,
    names: [String; 2],
    sha256: &str,
    path: &Path,
    doing: &str,
    progress: &dyn Progress,
) -> Result<String, Failure> {
    let architecture = architecture(wire).await.map_err(|e| e.failure(doing))?;
    let (sink, pieces) = mpsc::channel::<Piece>(4);
    let sent = Arc::new(AtomicU64::new(0));
    let (file, sha256, count) = (path.to_owned(), sha256.to_owned(), Arc::clone(&sent));
    let sender = tokio::task::spawn_blocking(move || {
        let upload = Upload {
            path: &file,
            sha256: &sha256,
            names,
            architecture: &architecture,
        };
        archive::send(&upload, &sink, &count)
    });
    let total = std::fs::metadata(path).map_or(0, |data| data.len());
    let answer = tell(import(wire, pieces), &sent, total, progress).await;
    // What is wrong with the archive is the cause; what the engine says of half a stream is not.
    match (sender.await, answer) {
        (Ok(Err(flaw)), Err(_)) if !matches!(flaw, Flaw::HungUp) => Err(flaw.failure(doing, path)),
        (_, Err(trouble)) => Err(trouble.failure(doing)),
        (Ok(Err(flaw)), Ok(_)) => Err(flaw.failure(doing, path)),
        (Err(panicked), Ok(_)) => Err(Failure::new(Remedy::Operator, doing, panicked).hint(REPORT)),
        (Ok(Ok(())), Ok(said)) => Ok(said),
    }
}

/// As images name it, `amd64`.
async fn architecture(wire: &Wire) -> Answer<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        arch: String,
    }
    Ok(wire.get::<Version>("/version").await?.arch)
}

async fn import(wire: &Wire, pieces: Receiver<Piece>) -> Answer<String> {
    let client = wire.patient_client();
    let body = bollard::body_try_stream(received(pieces));
    let lines = client.import_image(ImportImageOptions::default(), body, None);
    let lines: Vec<_> = lines.try_collect().await?;
    let said: Vec<String> = lines.into_iter().filter_map(|line| line.stream).collect();
    Ok(said.concat().trim().to_owned())
}

fn received(pieces: Receiver<Piece>) -> impl Stream<Item = Piece> {
    stream::unfold(pieces, |mut pieces| async {
        pieces.recv().await.map(|piece| (piece, pieces))
    })
}

/// Says twice a second how far the upload is.
async fn tell<T>(
    upload: impl Future<Output = T>,
    sent: &AtomicU64,
    total: u64,
    progress: &dyn Progress,
) -> T {
    let mut upload = std::pin::pin!(upload);
    loop {
        let waited = tokio::time::timeout(Duration::from_millis(500), &mut upload).await;
        match waited {
            Ok(answer) => return answer,
            Err(_) => {
                let done = mebibytes(sent.load(Ordering::Relaxed));
                progress.say(&format!("uploading {done} of {}", mebibytes(total)));
            }
        }
    }
}

/// Whole ones: the last digits of a count that moves tell nothing.
fn mebibytes(bytes: u64) -> Bytes {
    Bytes(bytes >> 20 << 20)
}
