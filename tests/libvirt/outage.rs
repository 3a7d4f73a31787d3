//! On a real daemon behind a proxy of ours: connections that are cut, and that fall silent.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use infra_api::*;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bench::*;

#[test]
fn live_a_lost_connection_is_opened_again() {
    live("lost", |b| {
        Box::pin(async {
            let Some(daemon) = socket(&b.uri) else { return };
            let near = std::env::temp_dir().join(format!("{}.sock", b.project));
            let proxy = proxy(&near, &daemon);
            let behind = Bench::open(&uri(&near), b.project.as_str()).await;
            let id = b.id("domain", "nothing");
            assert_eq!(behind.read(&id).await, Observed::Absent);
            proxy.abort();
            let _ = proxy.await;
            std::fs::remove_file(&near).unwrap();
            let lost = behind.daemon.read(&b.project, &id).await.unwrap_err();
            assert_eq!(lost.remedy, Remedy::Retry);
            let _again = self::proxy(&near, &daemon);
            assert_eq!(behind.read(&id).await, Observed::Absent);
            std::fs::remove_file(&near).unwrap();
        })
    });
}

/// Only one of the calls that wait is told why; for all of them nobody knows what was done.
#[test]
fn live_a_connection_lost_under_several_calls_is_lost_to_all() {
    live("several", |b| {
        Box::pin(async {
            let Some(daemon) = socket(&b.uri) else { return };
            let id = b.id("domain", "nothing");
            for round in 0..20 {
                let near = std::env::temp_dir().join(format!("{}.{round}.sock", b.project));
                let (mute, muted) = watch::channel(false);
                let proxy = proxy_until(&near, &daemon, muted);
                let behind = Bench::open(&uri(&near), b.project.as_str()).await;
                mute.send_replace(true);
                let cut = async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    proxy.abort();
                    std::fs::remove_file(&near).unwrap();
                };
                let calls = (0..4).map(|_| behind.daemon.read(&b.project, &id));
                let (answers, ()) = tokio::join!(join_all(calls), cut);
                for answer in answers {
                    let failure = answer.unwrap_err();
                    assert_eq!(failure.remedy, Remedy::Retry, "{failure}");
                }
            }
        })
    });
}

/// A daemon that accepts and never speaks.
#[test]
fn live_a_frozen_daemon_does_not_hold_us_for_ever() {
    live("frozen", |b| {
        Box::pin(async {
            let near = std::env::temp_dir().join(format!("{}.sock", b.project));
            let _deaf = UnixListener::bind(&near).unwrap();
            let (began, uri) = (Instant::now(), uri(&near));
            let provider = infra_libvirt::Libvirt::default();
            let wire = provider.connect(&b.host, &uri);
            let refused = tokio::time::timeout(Duration::from_secs(90), wire)
                .await
                .unwrap();
            assert_eq!(refused.err().unwrap().remedy, Remedy::Retry);
            assert!(began.elapsed() > Duration::from_secs(10));
            std::fs::remove_file(&near).unwrap();
        })
    });
}

/// Bytes go to and fro until the task is aborted; its connections go with it.
fn proxy(near: &Path, far: &Path) -> JoinHandle<()> {
    proxy_until(near, far, watch::channel(false).1)
}

/// The same, until it is muted: then it holds its connections, also those that come then, and says nothing more.
fn proxy_until(near: &Path, far: &Path, mute: watch::Receiver<bool>) -> JoinHandle<()> {
    let (listener, far) = (UnixListener::bind(near).unwrap(), far.to_owned());
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = UnixStream::connect(&far).await.unwrap();
            let mut mute = mute.clone();
            connections.spawn(async move {
                // Nobody who could mute it: never.
                let muted = async {
                    if mute.wait_for(|mute| *mute).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    biased;
                    () = muted => std::future::pending().await,
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                }
            });
        }
    })
}

fn uri(socket: &Path) -> String {
    format!("qemu+unix:///system?socket={}", socket.display())
}

/// The daemon's socket, where the URI tells.
fn socket(uri: &str) -> Option<PathBuf> {
    uri.split_once("?socket=").map(|(_, path)| path.into())
}
