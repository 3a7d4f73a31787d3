//! TLS to an engine, both sides known by certificates: an engine that let anyone in would make anyone root.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use infra_api::{Remedy, host_and_port};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Shut;
use crate::trouble::chain;

/// Docker's own, for TLS.
const PORT: u16 = 2376;

#[derive(Clone)]
pub(crate) struct Tls {
    host: String,
    port: u16,
    name: ServerName<'static>,
    certificates: PathBuf,
    config: Arc<ClientConfig>,
}

impl Tls {
    /// `HOST[:PORT][?certificates=DIR]`.
    pub(super) fn of(endpoint: &str) -> Result<Self, Shut> {
        let wrong = |why: String| {
            let hint = "write `tcp://HOST[:PORT]`, with `?certificates=/DIR` where they are not in `~/.docker`";
            Shut::new(Remedy::Operator, why, hint)
        };
        let (place, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = host_and_port(place).map_err(wrong)?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| wrong(format!("`{host}` is no host's name or address")))?;
        let certificates = folder(query).map_err(wrong)?;
        let config = config(&certificates).map_err(|why| {
            let hint = format!(
                "the folder {} must hold `ca.pem`, `cert.pem` and `key.pem`, as Docker's own clients have them",
                certificates.display()
            );
            Shut::new(Remedy::Operator, why, hint)
        })?;
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(PORT),
            name,
            certificates,
            config: Arc::new(config),
        })
    }

    pub(super) async fn open(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(self.name.clone(), stream).await
    }

    pub(super) fn closed(&self, error: &(dyn Error + 'static)) -> Shut {
        let told = told(error);
        let (dir, host) = (self.certificates.display(), &self.host);
        let (remedy, hint) = match told {
            Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => (
                Remedy::Operator,
                format!(
                    "the engine's certificate was not signed by {dir}/ca.pem: it may be another engine"
                ),
            ),
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => (
                Remedy::Operator,
                format!(
                    "the engine's certificate is not for `{host}`: write the name it is for, or make it anew"
                ),
            ),
            Some(rustls::Error::InvalidCertificate(_)) => (
                Remedy::Operator,
                "the engine's certificate is not good: look at it with `openssl x509 -text`"
                    .to_owned(),
            ),
            Some(rustls::Error::AlertReceived(_)) => (
                Remedy::Operator,
                format!(
                    "the engine does not take {dir}/cert.pem: is it signed by the authority the engine trusts?"
                ),
            ),
            Some(rustls::Error::InvalidMessage(_)) => (
                Remedy::Operator,
                "what listens there does not speak TLS: an engine is started with `--tlsverify`"
                    .to_owned(),
            ),
            _ => (
                Remedy::Retry,
                "is the engine running, and is the port right?".to_owned(),
            ),
        };
        Shut::new(remedy, chain(error), hint)
    }
}

/// What the handshake said: hyper and the operating system's errors wrap it.
fn told<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = error.downcast_ref::<io::Error>();
    let inside = inside
        .and_then(io::Error::get_ref)
        .map(|e| e as &(dyn Error + 'static));
    error
        .downcast_ref()
        .or_else(|| told(inside?))
        .or_else(|| told(error.source()?))
}

/// Where Docker's own clients have them, unless it is written.
fn folder(query: &str) -> Result<PathBuf, String> {
    match query.split_once('=') {
        Some(("certificates", path)) if path.starts_with('/') => Ok(path.into()),
        Some(("certificates", path)) => Err(format!("`{path}` is not an absolute path")),
        _ if query.is_empty() => std::env::var_os("HOME")
            .map(|home| Path::new(&home).join(".docker"))
            .ok_or_else(|| "nothing says where the certificates are".to_owned()),
        _ => Err(format!("`?{query}` is not known here")),
    }
}

fn config(folder: &Path) -> Result<ClientConfig, String> {
    let said =
        |name: &str, why: &dyn fmt::Display| format!("{}: {why}", folder.join(name).display());
    let certificates = |name: &str| {
        let read = CertificateDer::pem_file_iter(folder.join(name));
        let read = read.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let read = read.map_err(|e| said(name, &e))?;
        match read.is_empty() {
            true => Err(said(name, &"there is no certificate in it")),
            false => Ok(read),
        }
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates("ca.pem")? {
        roots.add(authority).map_err(|e| said("ca.pem", &e))?;
    }
    let own = certificates("cert.pem")?;
    let key =
        PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|e| said("key.pem", &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_client_auth_cert(own, key)
        .map_err(|e| said("cert.pem", &e))
}
