//! The way to an engine: a Unix socket, or TLS over TCP. Each request goes on a stream of its own, which costs 0.1 ms
//! on a socket.

mod tls;

use std::fmt;
use std::io;
use std::path::PathBuf;

use bollard::BollardRequest;
use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use infra_api::Remedy;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use tls::Tls;

/// How an engine is reached.
#[derive(Clone)]
pub(crate) enum Door {
    Socket(PathBuf),
    Tls(Box<Tls>),
}

/// Why a door is not there or does not open.
pub(crate) struct Shut {
    pub(crate) remedy: Remedy,
    pub(crate) why: String,
    pub(crate) hint: String,
}

impl Shut {
    fn new(remedy: Remedy, why: impl fmt::Display, hint: impl Into<String>) -> Self {
        Self {
            remedy,
            why: why.to_string(),
            hint: hint.into(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    Stream(io::Error),
    Http(hyper::Error),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Door {
    /// `unix:///PATH`, or `tcp://HOST[:PORT][?certificates=DIR]`.
    pub(crate) fn of(endpoint: &str) -> Result<Self, Shut> {
        if let Some(rest) = endpoint.strip_prefix("tcp://") {
            return Tls::of(rest).map(|tls| Self::Tls(Box::new(tls)));
        }
        let path = endpoint.strip_prefix("unix://");
        let path = path.filter(|path| path.starts_with('/'));
        path.map(|path| Self::Socket(path.into())).ok_or_else(|| {
            Shut::new(
                Remedy::Operator,
                "the endpoint is none of an engine's",
                "write `unix:///PATH`, `ssh://[USER@]HOST[:PORT]` or `tcp://HOST[:PORT]`",
            )
        })
    }

    /// Whether it may lead to another machine.
    pub(crate) fn leads_away(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether it opens; the kernel and the handshake tell why not, which no library passes on.
    pub(crate) async fn knock(&self) -> Result<(), Shut> {
        match self {
            Self::Socket(_) => self.open().await.map(drop).map_err(|e| closed(&e)),
            // Whether our certificate is taken comes with the first answer.
            Self::Tls(tls) => {
                let ping = Request::get("/_ping").body(Empty::<Bytes>::new());
                let ping = ping.map_err(|e| tls.closed(&e))?;
                self.send(ping)
                    .await
                    .map(drop)
                    .map_err(|broken| match broken {
                        Broken::Stream(error) => tls.closed(&error),
                        Broken::Http(error) => tls.closed(&error),
                    })
            }
        }
    }

    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tls(tls) => Box::new(tls.open().await?),
        })
    }

    /// What bollard asks. It writes whole addresses, of which an engine wants the path.
    pub(crate) async fn carry(self, request: BollardRequest) -> Result<Response<Incoming>, Error> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
        let sent = self.send(Request::from_parts(parts, body)).await;
        sent.map_err(|broken| match broken {
            Broken::Stream(error) => error.into(),
            Broken::Http(error) => error.into(),
        })
    }

    pub(crate) async fn send<B>(
        &self,
        mut request: Request<B>,
    ) -> Result<Response<Incoming>, Broken>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = TokioIo::new(self.open().await.map_err(Broken::Stream)?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(Broken::Http)?;
        // Ends by itself: with the answer's last byte, or when the answer is dropped.
        tokio::spawn(connection);
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_static("docker"));
        sender.send_request(request).await.map_err(Broken::Http)
    }
}

fn closed(error: &io::Error) -> Shut {
    let (remedy, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            Remedy::Operator,
            "there is no socket: is the engine installed and running (`systemctl start docker`), and is `docker { endpoint }` right?",
        ),
        io::ErrorKind::PermissionDenied => (
            Remedy::Operator,
            "be root or a member of the group `docker`",
        ),
        io::ErrorKind::ConnectionRefused => (
            Remedy::Retry,
            "the socket is there and nobody listens: start the engine (`systemctl start docker`)",
        ),
        _ => (Remedy::Retry, "is the engine running?"),
    };
    Shut::new(remedy, error, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(endpoint: &str) -> String {
        Door::of(endpoint).err().map(|shut| shut.why).unwrap()
    }

    #[test]
    fn only_whole_paths_are_sockets() {
        assert!(matches!(
            Door::of("unix:///run/d.sock"),
            Ok(Door::Socket(path)) if path.as_os_str() == "/run/d.sock"
        ));
        for endpoint in ["unix://relative", "http://h:2375", "", "/run/d.sock"] {
            assert_eq!(refused(endpoint), "the endpoint is none of an engine's");
        }
    }

    #[test]
    fn places_that_are_none_are_refused_before_certificates_are_read() {
        for endpoint in ["tcp://", "tcp://h:0", "tcp://h:70000", "tcp://h:1:2"] {
            assert!(!refused(endpoint).contains("ca.pem"), "{endpoint}");
        }
        assert!(refused("tcp://a b:1?certificates=/none").contains("no host's name"));
        assert!(refused("tcp://h?certificates=here").contains("absolute"));
        assert!(refused("tcp://h?verify=no").contains("not known"));
        let shut = Door::of("tcp://[::1]:9?certificates=/none").err().unwrap();
        assert!(shut.why.starts_with("/none/ca.pem: "), "{}", shut.why);
        assert!(shut.hint.contains("`key.pem`"));
    }
}
