//! For the fuzzer of the workspace alone: every reader of what an engine tells and of archives, given any bytes.
//! Each says whether it took them.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use crate::archive::{Upload, send};
use crate::text::inspect::{Inspect, Origin};
use crate::text::{decode, image, network, unmarked, volume};

#[must_use]
pub fn container(json: &[u8]) -> bool {
    let Ok(found) = serde_json::from_slice::<Inspect>(json) else {
        return false;
    };
    let origin = Origin {
        now: Some(found.image.clone()),
        config: Some(found.config.clone()),
        pinned: None,
    };
    let _ = unmarked::decode(&found, &origin);
    let _ = decode::attached(&found);
    let _ = decode::decode(&found, &origin);
    decode::decode(&found, &Origin::default()).is_ok()
}

#[must_use]
pub fn network(json: &[u8]) -> bool {
    serde_json::from_slice(json).is_ok_and(|found| network::decode(&found).is_ok())
}

#[must_use]
pub fn volume(json: &[u8]) -> bool {
    serde_json::from_slice(json).is_ok_and(|found| !volume::decode(&found).name.is_empty())
}

pub fn reference(text: &str) {
    let _ = (
        image::parse(text),
        image::split_tag(text),
        image::is_pinned(text),
    );
}

/// An image's archive; `sha256` is the file's.
#[must_use]
pub fn archive(path: &Path, sha256: &str) -> bool {
    let (sink, mut pieces) = tokio::sync::mpsc::channel(1);
    let upload = Upload {
        path,
        sha256,
        names: [
            "infra/demo/a:long".to_owned(),
            "infra/demo/a:short".to_owned(),
        ],
        architecture: "amd64",
    };
    std::thread::scope(|scope| {
        scope.spawn(move || while pieces.blocking_recv().is_some() {});
        let sent = send(&upload, &sink, &AtomicU64::new(0));
        drop(sink);
        sent.is_ok()
    })
}
