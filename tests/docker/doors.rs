//! An engine behind TLS: a proxy of ours lets in who has a certificate of its authority, and leads to the real engine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use infra_api::{Daemon, Failure, HostName, Provider, Remedy};
use infra_docker::Docker;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use crate::rig::live;

/// An authority's own certificate, and others that it has signed: a folder each, as Docker's clients have them.
fn certificates(dir: &Path, authority: &str, names: &[(&str, &str)]) {
    let openssl = |args: &[&str]| {
        let run = Command::new("openssl")
            .args(args)
            .current_dir(dir)
            .stderr(Stdio::null())
            .status();
        assert!(run.unwrap().success(), "openssl {args:?}");
    };
    let (ca, ca_key) = (format!("{authority}.pem"), format!("{authority}.key"));
    let new_key = [
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let subject = format!("/CN={authority}");
    openssl(
        &[
            &new_key[..],
            &[
                "-x509", "-days", "2", "-subj", &subject, "-keyout", &ca_key, "-out", &ca,
            ],
        ]
        .concat(),
    );
    for (name, alternative) in names {
        let folder = dir.join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(dir.join(&ca), folder.join("ca.pem")).unwrap();
        let (key, request) = (format!("{name}/key.pem"), format!("{name}/request"));
        let (certificate, extensions) = (format!("{name}/cert.pem"), format!("{name}/extensions"));
        let text = format!("subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n");
        std::fs::write(dir.join(&extensions), text).unwrap();
        let subject = format!("/CN={name}");
        openssl(
            &[
                &new_key[..],
                &["-subj", &subject, "-keyout", &key, "-out", &request],
            ]
            .concat(),
        );
        openssl(&[
            "x509",
            "-req",
            "-days",
            "2",
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-in",
            &request,
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ]);
    }
}

/// Its port. It runs until the runtime ends.
async fn proxy(own: &Path, socket: PathBuf) -> u16 {
    let read = |name: &str| CertificateDer::from_pem_file(own.join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(read("ca.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![read("cert.pem")],
            PrivateKeyDer::from_pem_file(own.join("key.pem")).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (acceptor, socket) = (acceptor.clone(), socket.clone());
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(near).await else {
                    return;
                };
                let mut far = UnixStream::connect(socket).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    port
}

/// An engine with nothing in it, on a host of that name and kernel. It runs until the runtime ends.
fn empty_engine(socket: &Path, name: &str, kernel: &str) {
    let info = format!(r#"{{"Name":"{name}","KernelVersion":"{kernel}","OSType":"linux"}}"#);
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(empty_answer(near, info.clone()));
        }
    });
}

/// To one request, which has no body.
async fn empty_answer(near: UnixStream, info: String) {
    let mut near = BufReader::new(near);
    let mut asked = String::new();
    while !asked.ends_with("\r\n\r\n") {
        if near.read_line(&mut asked).await.unwrap() == 0 {
            return;
        }
    }
    let path = asked.split(' ').nth(1).unwrap();
    let body = match path.split('?').next().unwrap() {
        path if path.ends_with("/info") => &info,
        path if path.ends_with("/version") => r#"{"ApiVersion":"1.41"}"#,
        _ => "[]",
    };
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    near.write_all(answer.as_bytes()).await.unwrap();
}

async fn connect(dir: &Path, port: u16, who: &str) -> Result<Box<dyn Daemon>, Failure> {
    let folder = dir.join(who).display().to_string();
    let endpoint = format!("tcp://127.0.0.1:{port}?certificates={folder}");
    Docker.connect(&HostName::new("r1"), &endpoint).await
}

/// A host of the same name has another kernel, and one of the same kernel another name: either tells them apart.
#[tokio::test]
async fn an_engine_of_another_machine_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    certificates(
        dir,
        "ours",
        &[("engine", "IP:127.0.0.1"), ("client", "DNS:client")],
    );
    let here = rustix::system::uname();
    let name = here.nodename().to_str().unwrap();
    let kernel = here.release().to_str().unwrap();
    for (number, (name, kernel, refused)) in [
        (name, kernel, false),
        ("elsewhere", kernel, true),
        (name, "0.0.1", true),
    ]
    .into_iter()
    .enumerate()
    {
        let socket = dir.join(format!("{number}.sock"));
        empty_engine(&socket, name, kernel);
        let port = proxy(&dir.join("engine"), socket).await;
        let daemon = connect(dir, port, "client")
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let mut facts = infra_api::Facts::default();
        let told = daemon.discover(&mut facts).await;
        assert_eq!(told.is_err(), refused, "{name}, {kernel}: {told:?}");
        if let Err(failure) = told {
            let cause = format!("it runs on another machine, `{name}`");
            assert_eq!((failure.remedy, failure.cause), (Remedy::Operator, cause));
            assert!(facts.docker.is_none() && facts.runtimes.container.is_none());
        }
    }
}

#[test]
fn tls_lets_in_who_is_known_and_no_other() {
    live("tls", 60, |rig| async move {
        let dir = rig.dir.path();
        certificates(
            dir,
            "ours",
            &[
                ("engine", "IP:127.0.0.1"),
                ("client", "DNS:client"),
                ("named", "DNS:other"),
            ],
        );
        certificates(dir, "theirs", &[("stranger", "DNS:client")]);
        std::fs::create_dir(dir.join("mixed")).unwrap();
        for (name, from) in [
            ("ca.pem", "client"),
            ("cert.pem", "stranger"),
            ("key.pem", "stranger"),
        ] {
            std::fs::copy(dir.join(from).join(name), dir.join("mixed").join(name)).unwrap();
        }
        let endpoint = std::env::var("INFRA_DOCKER_ENDPOINT").unwrap();
        let socket = PathBuf::from(endpoint.strip_prefix("unix://").unwrap());
        let port = proxy(&dir.join("engine"), socket.clone()).await;
        let misnamed = proxy(&dir.join("named"), socket).await;
        let daemon = connect(dir, port, "client")
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let mut facts = infra_api::Facts::default();
        daemon.discover(&mut facts).await.unwrap();
        assert!(facts.versions.docker.is_some());
        for (port, who, hint) in [
            (port, "stranger", "was not signed by"),
            (port, "mixed", "does not take"),
            (port, "nobody", "must hold `ca.pem`"),
            (misnamed, "client", "is not for `127.0.0.1`"),
        ] {
            let refused = connect(dir, port, who).await.err().unwrap();
            assert_eq!(refused.remedy, Remedy::Operator, "{who}: {refused}");
            let said = refused.hint.unwrap();
            assert!(said.contains(hint), "{who}: {said}");
        }
    });
}
