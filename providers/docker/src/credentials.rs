//! Who we are to a registry: what `docker login` left on this machine, in Docker's own configuration or in the helper
//! that it names. Kept in memory only; the engine gets it with each call that needs it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use bollard::auth::DockerCredentials;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::text::image::registry_of;

/// A helper that asks a person would wait for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// `config.json`, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Auth {
    /// `USER:PASSWORD` in base64.
    auth: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
}

/// What a helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    username: String,
    secret: String,
}

/// For a reference's registry; nothing where nobody has logged in to it.
pub(crate) async fn of(reference: &str) -> Result<Option<DockerCredentials>, String> {
    let Some(path) = path() else { return Ok(None) };
    let config = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice::<Config>(&bytes)
            .map_err(|e| format!("{}: {e}", path.display()))?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let registry = registry_of(reference);
    let known = names(registry);
    let helper = known.iter().find_map(|name| config.cred_helpers.get(name));
    if let Some(helper) = helper.or(config.creds_store.as_ref()) {
        return asked(helper, &known[0]).await;
    }
    let kept = known.iter().find_map(|name| config.auths.get(name));
    kept.map(|auth| credentials(auth, &known[0]))
        .transpose()
        .map_err(|why| format!("{}: {registry}: {why}", path.display()))
}

/// As a header has it.
pub(crate) fn header(credentials: &DockerCredentials) -> String {
    let DockerCredentials {
        username,
        password,
        identitytoken,
        serveraddress,
        ..
    } = credentials;
    let json = match identitytoken {
        Some(token) => json!({"identitytoken": token, "serveraddress": serveraddress}),
        None => json!({"username": username, "password": password, "serveraddress": serveraddress}),
    };
    BASE64_URL_SAFE.encode(json.to_string())
}

fn path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let own = set("DOCKER_CONFIG").map(PathBuf::from);
    let folder = own.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".docker")))?;
    Some(folder.join("config.json"))
}

/// The names a registry may be kept under; the first is the one Docker would write, which for its own is an old one.
fn names(registry: &str) -> Vec<String> {
    let secure = |place: &str| format!("https://{place}");
    match registry {
        "docker.io" => vec![
            secure(&format!("index.{registry}/v1/")),
            registry.to_owned(),
        ],
        _ => vec![
            registry.to_owned(),
            secure(registry),
            format!("http://{registry}"),
        ],
    }
}

fn credentials(auth: &Auth, server: &str) -> Result<DockerCredentials, String> {
    let empty = DockerCredentials {
        serveraddress: Some(server.to_owned()),
        ..DockerCredentials::default()
    };
    if let Some(token) = auth
        .identity_token
        .as_ref()
        .filter(|token| !token.is_empty())
    {
        return Ok(DockerCredentials {
            identitytoken: Some(token.clone()),
            ..empty
        });
    }
    let kept = auth.auth.as_deref().unwrap_or_default();
    let text = BASE64_STANDARD.decode(kept).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    // The text itself is not shown: it is the password.
    let pair = text.as_deref().and_then(|text| text.split_once(':'));
    let (user, password) = pair.ok_or("its `auth` is not USER:PASSWORD in base64")?;
    Ok(DockerCredentials {
        username: Some(user.to_owned()),
        password: Some(password.trim_end_matches('\0').to_owned()),
        ..empty
    })
}

/// `docker-credential-NAME get`, the registry on its standard input.
async fn asked(helper: &str, server: &str) -> Result<Option<DockerCredentials>, String> {
    let program = format!("docker-credential-{helper}");
    let said = |why: String| format!("`{program} get` for {server}: {why}");
    let mut command = Command::new(&program);
    command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let run = async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(server.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(PATIENCE, run).await;
    let output = output.map_err(|_| said(format!("no answer in {} s", PATIENCE.as_secs())))?;
    let output = output.map_err(|e| said(e.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        // The protocol's own words for "nobody has logged in".
        if text.contains("credentials not found") {
            return Ok(None);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(said(
            format!("{} {}", text.trim(), errors.trim())
                .trim()
                .to_owned(),
        ));
    }
    let told: Told = serde_json::from_str(&text).map_err(|e| {
        said(format!(
            "its answer has an unknown shape at column {}",
            e.column()
        ))
    })?;
    let empty = DockerCredentials {
        serveraddress: Some(server.to_owned()),
        ..DockerCredentials::default()
    };
    Ok(Some(match told.username.as_str() {
        "<token>" => DockerCredentials {
            identitytoken: Some(told.secret),
            ..empty
        },
        _ => DockerCredentials {
            username: Some(told.username),
            password: Some(told.secret),
            ..empty
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(text: &str) -> Result<DockerCredentials, String> {
        let auth = Auth {
            auth: Some(BASE64_STANDARD.encode(text)),
            identity_token: None,
        };
        credentials(&auth, "r.example")
    }

    #[test]
    fn a_password_may_hold_colons() {
        let found = auth("me:a:b").unwrap();
        assert_eq!(
            (found.username.as_deref(), found.password.as_deref()),
            (Some("me"), Some("a:b"))
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let why = auth("hunter2").unwrap_err();
        assert!(!why.contains("hunter2") && !why.contains(&BASE64_STANDARD.encode("hunter2")));
    }

    #[test]
    fn the_engines_own_registry_goes_by_its_old_name() {
        assert_ne!(names("docker.io")[0], "docker.io");
        assert_eq!(names("r.example:5000")[0], "r.example:5000");
    }

    #[test]
    fn a_header_holds_one_kind() {
        let token = Auth {
            auth: None,
            identity_token: Some("t".to_owned()),
        };
        let decode = |found: &DockerCredentials| {
            String::from_utf8(BASE64_URL_SAFE.decode(header(found)).unwrap()).unwrap()
        };
        let text = decode(&credentials(&token, "r").unwrap());
        assert_eq!(text, r#"{"identitytoken":"t","serveraddress":"r"}"#);
        let text = decode(&auth("me:secret").unwrap());
        assert_eq!(
            text,
            r#"{"password":"secret","serveraddress":"r.example","username":"me"}"#
        );
    }
}
