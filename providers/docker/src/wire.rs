//! The engine's socket: opening it and reading JSON from it. Knows paths and status codes, and nothing of
//! what is behind them.
//!
//! What is written goes through bollard, whose models name every field. What is read does not: an
//! enum value bollard does not know fails its whole answer (measured with 0.21.1: `unknown variant`),
//! and a newer engine must not make a host unreadable. bollard hands out no raw answers, so reads
//! are one small GET over the hyper it brings, decoded into structs of our own that hold only what
//! is looked at.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker as Client;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use infra_api::{Failure, HostName, Remedy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use crate::trouble::{Answer, Trouble, lost, refusal};

/// For one answer; stopping a container waits up to ten seconds for it inside the engine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// For an answer that comes after an upload or a pull of any size.
const LONG: Duration = Duration::from_secs(3600);

/// Reads in flight at once.
const READS: usize = 10;

pub(crate) struct Wire {
    pub(crate) host: HostName,
    client: Client,
    socket: PathBuf,
    reads: Semaphore,
}

impl Wire {
    /// Opens the engine at `unix:///PATH` and agrees on a version. Without that bollard asks for
    /// the newest one it knows and an older engine refuses every call.
    pub(crate) async fn open(host: &HostName, endpoint: &str) -> Result<Self, Failure> {
        let doing = || format!("connecting to the Docker Engine of {host} at {endpoint}");
        let socket = socket_path(endpoint).ok_or_else(|| not_a_socket(doing()))?;
        // bollard tells only that the socket is not there; the kernel tells why.
        drop(
            UnixStream::connect(&socket)
                .await
                .map_err(|e| closed(doing(), &e))?,
        );
        let client = Client::connect_with_unix(
            &socket.to_string_lossy(),
            TIMEOUT.as_secs(),
            bollard::API_DEFAULT_VERSION,
        );
        let client = client.map_err(|e| Trouble::from(e).failure(doing()))?;
        let client = client.negotiate_version().await;
        let client = client.map_err(|e| Trouble::from(e).failure(doing()))?;
        Ok(Self {
            host: host.clone(),
            client,
            socket,
            reads: Semaphore::new(READS),
        })
    }

    /// For writing.
    pub(crate) fn client(&self) -> &Client {
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

    /// What is at `path`; nothing where the engine knows no such thing.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &str) -> Answer<Option<T>> {
        match self.get(path).await {
            Err(Trouble::Refused { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What is at `path`, which must be there.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        let bytes = self.get_bytes(path).await?;
        serde_json::from_slice(&bytes).map_err(|e| Trouble::Garbled(format!("{path}: {e}")))
    }

    pub(crate) async fn get_bytes(&self, path: &str) -> Answer<Bytes> {
        // A closed semaphore is not possible: nobody closes it.
        let _slot = self.reads.acquire().await;
        let path = format!("/v{}{path}", self.version());
        match tokio::time::timeout(TIMEOUT, exchange(&self.socket, &path)).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::Lost(format!(
                "no answer in {} s",
                TIMEOUT.as_secs()
            ))),
        }
    }
}

/// One request on a connection of its own: opening one costs 0.1 ms on a local socket.
async fn exchange(socket: &Path, path: &str) -> Answer<Bytes> {
    let stream = UnixStream::connect(socket).await.map_err(lost)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(lost)?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, "docker")
        .body(Empty::<Bytes>::new())
        .map_err(|e| Trouble::Garbled(format!("{path}: {e}")))?;
    let response = sender.send_request(request).await.map_err(lost)?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(lost)?
        .to_bytes();
    driver.abort();
    if status == StatusCode::OK {
        Ok(body)
    } else {
        Err(refusal(status.as_u16(), &body))
    }
}

/// The path of `unix:///PATH`.
fn socket_path(endpoint: &str) -> Option<PathBuf> {
    endpoint
        .strip_prefix("unix://")
        .filter(|path| path.starts_with('/'))
        .map(PathBuf::from)
}

fn not_a_socket(doing: String) -> Failure {
    Failure::new(
        Remedy::Operator,
        doing,
        "the endpoint is not `unix:///PATH`",
    )
    .hint("a remote engine's socket is reached over SSH: give the host's `address`, not a port")
}

fn closed(doing: String, error: &std::io::Error) -> Failure {
    let (remedy, hint) = match error.kind() {
        ErrorKind::NotFound => (
            Remedy::Operator,
            "there is no socket: is the engine installed and running (`systemctl start docker`), and is `docker { endpoint }` right?",
        ),
        ErrorKind::PermissionDenied => (
            Remedy::Operator,
            "be root or a member of the group `docker`",
        ),
        ErrorKind::ConnectionRefused => (
            Remedy::Retry,
            "the socket is there and nobody listens: start the engine (`systemctl start docker`)",
        ),
        _ => (Remedy::Retry, "is the engine running?"),
    };
    Failure::new(remedy, doing, error).hint(hint)
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
    fn only_sockets() {
        assert_eq!(
            socket_path("unix:///run/d.sock"),
            Some(PathBuf::from("/run/d.sock"))
        );
        assert_eq!(socket_path("tcp://h:2375"), None);
        assert_eq!(socket_path("unix://relative"), None);
    }

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
        assert!(failure.hint.unwrap().contains("SSH"));
    }
}
