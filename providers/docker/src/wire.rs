//! Asking an engine: reading JSON from it, and bollard for the rest. Knows paths and status codes, and nothing of
//! what is behind them.
//!
//! What is written goes through bollard, whose models name every field. What is read does not: an
//! enum value bollard does not know fails its whole answer (measured with 0.21.1: `unknown variant`),
//! and a newer engine must not make a host unreadable. bollard hands out no raw answers, so reads
//! are one small GET through the same door, decoded into structs of our own that hold only what
//! is looked at.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::{ClientVersion, Docker as Client};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use infra_api::{Failure, HostName, Remedy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};

use crate::door::{Door, Shut};
use crate::trouble::{Answer, Trouble, lost, refusal};

/// For one answer; stopping a container waits up to ten seconds for it inside the engine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// For each of the first two answers: an engine that is well tells its version at once.
const OPENING: Duration = Duration::from_secs(30);

/// For an answer that comes after an upload or a pull of any size.
const LONG: Duration = Duration::from_secs(3600);

/// Reads in flight at once.
const READS: usize = 10;

pub(crate) struct Wire {
    pub(crate) host: HostName,
    client: Client,
    door: Door,
    reads: Semaphore,
    /// The networks, as the engine told them when it was asked for its version; for who asks first, until
    /// something is written.
    networks: Mutex<Option<Bytes>>,
    /// What never changes, by its path.
    fixed: Answers,
    /// What is not asked again until it is forgotten, and whether there is such a thing now.
    lately: Answers,
    remembers: AtomicBool,
}

/// Answers by their paths; who asks while another one does waits for the same.
type Answers = Mutex<BTreeMap<String, Arc<OnceCell<Bytes>>>>;

const NETWORKS: &str = "/networks";

/// The header in which an engine names the newest version it speaks, with every answer.
const API_VERSION: &str = "Api-Version";

impl Wire {
    /// Opens the engine and agrees on a version. Without that bollard asks for the newest one it knows and an older
    /// engine refuses every call. Every answer's header tells the version, and what is asked is what a plan needs anyway
    /// and an engine tells at once.
    pub(crate) async fn open(host: &HostName, endpoint: &str) -> Result<Self, Failure> {
        let doing = || format!("connecting to the Docker Engine of {host} at {endpoint}");
        let shut = |Shut { remedy, why, hint }| Failure::new(remedy, doing(), why).hint(hint);
        let door = Door::of(endpoint).map_err(shut)?;
        door.knock().await.map_err(shut)?;
        let (spoken, networks) = match hello(&door).await {
            Some((version, networks)) => (Some(version), Some(networks)),
            None => (None, None),
        };
        let through = door.clone();
        let client = Client::connect_with_custom_transport(
            move |request| through.clone().carry(request),
            Some("http://docker"),
            TIMEOUT.as_secs(),
            spoken.as_ref().unwrap_or(bollard::API_DEFAULT_VERSION),
        );
        let mut client = client.map_err(|e| Trouble::from(e).failure(doing()))?;
        if spoken.is_none() {
            let agreed = tokio::time::timeout(OPENING, client.negotiate_version()).await;
            let agreed = agreed.map_err(|_| hangs(doing()))?;
            client = agreed.map_err(|e| Trouble::from(e).failure(doing()))?;
        }
        Ok(Self {
            host: host.clone(),
            client,
            door,
            reads: Semaphore::new(READS),
            networks: Mutex::new(networks),
            fixed: Answers::default(),
            lately: Answers::default(),
            remembers: AtomicBool::new(false),
        })
    }

    /// Whether the engine may be another machine's.
    pub(crate) fn leads_away(&self) -> bool {
        self.door.leads_away()
    }

    /// For writing, after which what was told before is of no use.
    pub(crate) fn client(&self) -> &Client {
        lock(&self.networks).take();
        &self.client
    }

    /// For what answers only after all of a large body has gone up or come down.
    pub(crate) fn patient_client(&self) -> Client {
        self.client.clone().with_timeout(LONG)
    }

    /// Of the API, as agreed on.
    pub(crate) fn version(&self) -> String {
        let version = self.client.client_version();
        format!("{}.{}", version.major_version, version.minor_version)
    }

    /// Whether the engine puts a container into all its networks when it makes it, each with a MAC: from API 1.44 on. Before,
    /// it takes one network.
    pub(crate) fn makes_in_several_networks(&self) -> bool {
        let version = self.client.client_version();
        (version.major_version, version.minor_version) >= (1, 44)
    }

    /// All networks, without who is attached.
    pub(crate) async fn networks<T: DeserializeOwned>(&self) -> Answer<T> {
        let told = lock(&self.networks).take();
        match told.map(|told| serde_json::from_slice(&told)) {
            Some(Ok(told)) => Ok(told),
            Some(Err(_)) | None => self.get(NETWORKS).await,
        }
    }

    /// What is at `path`, where that never changes: who asks first gets it for all.
    pub(crate) async fn find_once<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        self.find_kept(&self.fixed, path).await
    }

    /// What was at `path` when it was first asked for since [`Self::forget`], while such answers are remembered.
    pub(crate) async fn find_lately<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match self.remembers.load(Ordering::Relaxed) {
            true => self.find_kept(&self.lately, path).await,
            false => self.find(path).await,
        }
    }

    /// From now on, until somebody says otherwise.
    pub(crate) fn remember(&self, whether: bool) {
        self.forget();
        self.remembers.store(whether, Ordering::Relaxed);
    }

    /// From now on all is asked again that may change.
    pub(crate) fn forget(&self) {
        lock(&self.lately).clear();
    }

    /// What is not there is asked for again each time.
    async fn find_kept<T: DeserializeOwned>(
        &self,
        kept: &Answers,
        path: &str,
    ) -> Answer<Option<T>> {
        let cell = lock(kept).entry(path.to_owned()).or_default().clone();
        let bytes = cell.get_or_try_init(|| self.get_bytes(path, None, usize::MAX));
        match bytes.await {
            Ok(bytes) => serde_json::from_slice(bytes)
                .map(Some)
                .map_err(|e| Trouble::Garbled(format!("{path}: {e}"))),
            Err(Trouble::Refused { status: 404, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// What is at `path`; nothing where the engine knows no such thing.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match self.get(path).await {
            Err(Trouble::Refused { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What is at `path`, which must be there.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.get_as(path, None).await
    }

    /// The same, for somebody whom a registry knows.
    pub(crate) async fn get_as<T: DeserializeOwned>(
        &self,
        path: &str,
        who: Option<String>,
    ) -> Answer<T> {
        let bytes = self.get_bytes(path, who, usize::MAX).await?;
        serde_json::from_slice(&bytes).map_err(|e| Trouble::Garbled(format!("{path}: {e}")))
    }

    /// The bytes at `path`, or no more than the first of them where they are many more than `most`.
    pub(crate) async fn get_some(&self, path: &str, most: usize) -> Answer<Bytes> {
        self.get_bytes(path, None, most).await
    }

    /// What `path` answers to `body`: for what bollard has no field for.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Answer<T> {
        lock(&self.networks).take();
        let url = format!("/v{}{path}", self.version());
        let request = Request::post(&url)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|e| Trouble::Garbled(format!("{url}: {e}")))?;
        let answer = async { taken(self.door.send(request).await?, usize::MAX).await };
        let bytes = in_time(answer).await?;
        serde_json::from_slice(&bytes).map_err(|e| Trouble::Garbled(format!("{path}: {e}")))
    }

    async fn get_bytes(&self, path: &str, who: Option<String>, most: usize) -> Answer<Bytes> {
        // A closed semaphore is not possible: nobody closes it.
        let _slot = self.reads.acquire().await;
        let path = format!("/v{}{path}", self.version());
        in_time(self.exchange(&path, who, most)).await
    }

    async fn exchange(&self, path: &str, who: Option<String>, most: usize) -> Answer<Bytes> {
        let mut request = Request::get(path);
        if let Some(who) = who {
            request = request.header("X-Registry-Auth", who);
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(|e| Trouble::Garbled(format!("{path}: {e}")))?;
        taken(self.door.send(request).await?, most).await
    }
}

async fn in_time<T>(answer: impl Future<Output = Answer<T>>) -> Answer<T> {
    let late = |_| Trouble::Lost(format!("no answer in {} s", TIMEOUT.as_secs()));
    tokio::time::timeout(TIMEOUT, answer).await.map_err(late)?
}

/// What an engine answers that does as it is told.
async fn taken(response: Response<Incoming>, most: usize) -> Answer<Bytes> {
    let status = response.status();
    let body = beginning(response.into_body(), most).await?;
    match status.is_success() {
        true => Ok(body),
        false => Err(refusal(status.as_u16(), &body)),
    }
}

/// The version to speak, and the engine's networks; nothing where it does not tell the version so.
async fn hello(door: &Door) -> Option<(ClientVersion, Bytes)> {
    let ask = async {
        let request = Request::get(NETWORKS).body(Empty::<Bytes>::new()).ok()?;
        let response = door.send(request).await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        let header = response.headers().get(API_VERSION)?.to_str().ok()?;
        let (major, minor) = header.split_once('.')?;
        let newest = ClientVersion {
            major_version: major.parse().ok()?,
            minor_version: minor.parse().ok()?,
        };
        let body = beginning(response.into_body(), usize::MAX).await.ok()?;
        Some((older(newest), body))
    };
    tokio::time::timeout(OPENING, ask).await.ok()?
}

fn hangs(doing: String) -> Failure {
    let why = format!(
        "it takes calls, and has answered neither of two in {} s",
        2 * OPENING.as_secs()
    );
    Failure::new(Remedy::Operator, doing, why)
        .hint("the engine hangs: look at its log, and start it anew if need be")
}

/// Of what the engine speaks and what bollard does.
fn older(engines: ClientVersion) -> ClientVersion {
    match engines < *bollard::API_DEFAULT_VERSION {
        true => engines,
        false => ClientVersion {
            ..*bollard::API_DEFAULT_VERSION
        },
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All of an answer, or its pieces up to the one that goes past `most`.
async fn beginning(mut body: Incoming, most: usize) -> Answer<Bytes> {
    let mut bytes = Vec::new();
    while bytes.len() < most {
        let Some(frame) = body.frame().await else {
            break;
        };
        let frame = frame.map_err(lost)?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    Ok(bytes.into())
}

/// `filters` of a list call, as the engine wants them in its URL.
pub(crate) fn filters(filters: &Value) -> String {
    format!("filters={}", escaped(&filters.to_string()))
}

/// Percent-encoded, for one part of a path or query. Slashes too: names of images hold them, and
/// those paths are written by hand.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_escaped() {
        let filter = filters(&serde_json::json!({"label": ["infra.project=a b"]}));
        assert_eq!(
            filter,
            "filters=%7B%22label%22%3A%5B%22infra.project%3Da%20b%22%5D%7D"
        );
    }

    #[tokio::test]
    async fn no_engine_says_what_to_do() {
        let host = HostName::new("r1");
        let failure = Wire::open(&host, "unix:///nonexistent/docker.sock")
            .await
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            failure.doing,
            "connecting to the Docker Engine of r1 at unix:///nonexistent/docker.sock"
        );
        assert!(failure.hint.unwrap().contains("systemctl start docker"));
        let failure = Wire::open(&host, "tcp://r1:2375")
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(failure.hint.unwrap().contains("ca.pem"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_hangs_is_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let _listener = tokio::net::UnixListener::bind(&path).unwrap();
        let endpoint = format!("unix://{}", path.display());
        let opened = Wire::open(&HostName::new("r1"), &endpoint).await;
        let failure = opened.err().unwrap();
        assert_eq!(
            failure.cause,
            "it takes calls, and has answered neither of two in 60 s"
        );
        assert_eq!(failure.remedy, Remedy::Operator);
    }
}
