//! The contract: what a provider knows (pure), and what a daemon can do (effects). The core compares and
//! decides; a provider reads and writes. Laws every provider's tests run:
//!
//! 1. what is decoded from what was encoded is equal to it;
//! 2. after `apply`, `read` returns exactly the body: managed attributes only, a daemon's defaults absent;
//! 3. `apply` twice is `apply` once, also when the first was cut off anywhere;
//! 4. `read` of an absent thing is [`Observed::Absent`], not an error;
//! 5. every object made carries the mark, and `list` finds it by that;
//! 6. nothing without our mark is changed or deleted, ever.

use std::collections::BTreeMap;
use std::pin::Pin;

use serde_json::Value;

use crate::{
    Change, Edit, Facts, Failure, HostName, ImageTag, Impact, Observed, Pinned, Project, Readiness,
    Remedy, Resource, ResourceId, Target, Trace,
};

/// What an asynchronous method returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a provider knows, without touching anything.
pub trait Provider: Send + Sync {
    /// `docker`, `libvirt`, …: the second part of its resources' ids.
    fn name(&self) -> &'static str;

    /// Begins what takes its time before any daemon can be asked, beside whatever else is done meanwhile. `endpoint`: where
    /// the daemon is said to be; else it is where it usually is.
    fn warm_up(&self, endpoint: Option<&str>) {
        let _ = endpoint;
    }

    /// The resources a target asks for; none where the target is another provider's.
    fn resources(&self, project: &Project, target: &Target) -> Vec<Resource>;

    /// What of a target the daemon would refuse, or could not mean, that only its own language shows.
    fn objections(&self, project: &Project, target: &Target) -> Vec<Objection> {
        let _ = (project, target);
        Vec::new()
    }

    /// What changing one attribute of a running object takes. `path` leads to it in the body; `removed` says
    /// that it was there and shall be no more, which some daemons cannot do in place.
    fn impact(&self, kind: &str, path: &[String], removed: bool) -> Impact;

    /// The same, where that depends on the values or on the rest of the body: what can grow in place may not
    /// shrink so.
    fn impact_of(&self, kind: &str, edit: &Edit<'_>) -> Impact {
        self.impact(kind, edit.path, edit.removed)
    }

    /// Whether an object of this kind can be made while the one whose place it takes is there: then replacing it is one
    /// action, and what cannot be made is found out before anything is stopped.
    fn swaps(&self, kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// What is found of an object that runs as `before` says once its next start is as `after` says, where a daemon can
    /// have both: then a restart that has to wait is there as soon as anybody stops it.
    fn prepared(&self, kind: &str, before: &Value, after: &Value) -> Option<Value> {
        let _ = (kind, before, after);
        None
    }

    /// What keeps an object that runs as `before` from becoming `after` on another host without being stopped; empty:
    /// nothing does.
    fn stays_because(&self, kind: &str, before: &Value, after: &Value) -> Vec<String> {
        let _ = (before, after);
        vec![format!("a {kind} cannot be moved while it runs")]
    }

    /// Whether it is left where it is when nobody wants it any more, because it is not ours alone: an image
    /// pulled from a registry.
    fn outlives(&self, id: &ResourceId) -> bool {
        let _ = id;
        false
    }

    /// Whether one that was imported, and carries no mark, is left where it is when nobody wants it any more: it holds
    /// what others have put there.
    fn keeps_imported(&self, kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// Opens the daemon at `endpoint` (`unix:///…`, `qemu:///system`, …).
    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        endpoint: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>>;
}

/// What speaks against a part of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Leads to it in the body: object keys and list indices.
    pub path: Vec<String>,
    pub why: String,
}

/// One daemon of one host.
pub trait Daemon: Send + Sync {
    /// Adds what this daemon knows of its host; nothing, where nothing is chosen by what it does.
    fn discover<'a>(&'a self, facts: &'a mut Facts) -> Pending<'a, Result<(), Failure>> {
        let _ = facts;
        Box::pin(async { Ok(()) })
    }

    /// All that carries this project's mark, in bulk, half-made objects too. Sorted by id. The first list after
    /// `discover` may tell what that saw: a plan asks for both, and is of one moment. `read` always looks.
    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>>;

    /// One object by its id.
    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>>;

    /// What many of `ids` are, by fewer questions than one for each; as they are now, like `read`. What it leaves out is to
    /// be read. The first one after a `list` may tell what that knew to be free. The reads that follow it need not ask
    /// again what a name stands for that many of the objects share.
    fn survey<'a>(
        &'a self,
        project: &'a Project,
        ids: &'a [&'a ResourceId],
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        let _ = (project, ids);
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Whether it refuses by itself to make an object of this kind whose name is taken. Then one that was not there
    /// while planning is made without another look at its name (`anew`).
    fn refuses_taken(&self, kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// Does it. Secrets have been put into the bodies. `progress` is told what is waited for.
    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>>;

    /// Whether what depends on it may start: its health check passes, or it runs and has none. What never runs is ready once
    /// it is made.
    fn ready<'a>(&'a self, id: &'a ResourceId) -> Pending<'a, Result<Readiness, Failure>> {
        let _ = id;
        Box::pin(async { Ok(Readiness::Ready) })
    }

    /// By what each of these is known among its host's processes. What runs none is not told of, nor what is not there.
    fn traces<'a>(
        &'a self,
        objects: &'a [(&'a ResourceId, &'a Value)],
    ) -> Pending<'a, Result<BTreeMap<ResourceId, Trace>, Failure>> {
        let _ = objects;
        Box::pin(async { Ok(BTreeMap::new()) })
    }

    /// What it said last, for who wonders why it does not become ready: the end of its console.
    fn last_words<'a>(
        &'a self,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Option<String>, Failure>> {
        let _ = id;
        Box::pin(async { Ok(None) })
    }

    /// The volume groups of its host, in order; nothing where that is not known.
    fn volume_groups(&self) -> Pending<'_, Result<Option<Vec<String>>, Failure>> {
        Box::pin(async { Ok(None) })
    }

    /// A container image's tag pinned to what it stands for now: `REPOSITORY@sha256:…`, or `sha256:…` of an image that
    /// was never in a registry. `known`: what it stood for when it was last resolved.
    fn resolve_image<'a>(
        &'a self,
        tag: &'a ImageTag,
        known: Option<&'a str>,
    ) -> Pending<'a, Result<Pinned, Failure>> {
        let _ = known;
        let doing = format!("resolving image `{}`", tag.reference);
        Box::pin(async {
            Err(Failure::new(
                Remedy::Operator,
                doing,
                "this daemon holds no container images",
            ))
        })
    }
}

/// Told what a step is doing: "uploading 12 of 40 MiB".
pub trait Progress: Send + Sync {
    fn say(&self, text: &str);
}

/// Nobody is told.
pub struct Silent;

impl Progress for Silent {
    fn say(&self, _: &str) {}
}
