//! An image as the engine knows it: references, tags, and the small files inside an archive that
//! name it. Pure; the archive itself is `archive`'s.
//!
//! An image from an archive cannot be labelled (its content is its identity), and labels of an image
//! would be inherited by every container made of it, strangers' too. So its mark is its name, and it
//! has two: the reference `infra/PROJECT/NAME:SHA256-16` that containers use, and the same with the
//! whole digest of the archive as tag. One image that has both is whole and what it says it is; where
//! somebody moved the short tag to another image, the long one is missing there.

use infra_api::names;
use infra_api::target::ContainerImage;
use infra_api::{Address, Project};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::text::inspect::Config;

/// `GET /images/NAME/json`, as far as it is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) repo_tags: Option<Vec<String>>,
    pub(crate) repo_digests: Option<Vec<String>>,
    pub(crate) config: Option<Config>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// What runs where, as registries write it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            os,
            architecture,
            variant,
        } = self;
        let text = format!("{os}/{architecture}/{variant}");
        f.write_str(&platform(text.trim_end_matches('/')))
    }
}

/// A platform as it is compared: what is so by itself is left out.
pub(crate) fn platform(text: &str) -> String {
    match text {
        "linux/arm64/v8" => "linux/arm64",
        "linux/amd64/v1" => "linux/amd64",
        "linux/arm/v7" => "linux/arm",
        other => other,
    }
    .to_owned()
}

/// What a reference is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `REPOSITORY@sha256:…`, of a registry, or `sha256:…`, of the host: shared by all who use it, never deleted by us.
    Registry,
    /// Made by `infra` from an archive.
    Archive(Tagged),
    /// Anybody's.
    Other,
}

/// `infra/PROJECT/NAME:TAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) repository: String,
    pub(crate) tag: String,
    pub(crate) project: Project,
    pub(crate) address: Address,
}

pub(crate) fn parse(reference: &str) -> Reference {
    if is_pinned(reference) {
        return Reference::Registry;
    }
    tagged(reference).map_or(Reference::Other, Reference::Archive)
}

fn tagged(reference: &str) -> Option<Tagged> {
    let (repository, tag) = split_tag(reference)?;
    let (project, address) = names::image_mark(repository)?;
    Some(Tagged {
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        project,
        address,
    })
}

/// Whether it names content and not a tag: `REPOSITORY@sha256:` and 64 digits, or an image's id.
pub(crate) fn is_pinned(reference: &str) -> bool {
    if is_id(reference) {
        return true;
    }
    let digest = reference.split_once("@sha256:").map(|(_, digest)| digest);
    digest.is_some_and(is_sha256)
}

/// `sha256:` and 64 digits: what an engine calls an image by itself.
pub(crate) fn is_id(reference: &str) -> bool {
    reference.strip_prefix("sha256:").is_some_and(is_sha256)
}

/// A repository as the engine writes it: of Docker Hub without the registry, of its own images without `library`.
fn familiar(repository: &str) -> &str {
    let hub = ["docker.io/", "index.docker.io/"];
    let of_hub = hub.iter().find_map(|name| repository.strip_prefix(name));
    let rest = of_hub.unwrap_or(repository);
    rest.strip_prefix("library/").unwrap_or(rest)
}

/// Repository and tag. A colon before the last slash belongs to a registry's port.
pub(crate) fn split_tag(reference: &str) -> Option<(&str, &str)> {
    reference
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/'))
}

/// The registry that a reference means, by the engine's own rule.
pub(crate) fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first == "localhost" || first.contains(['.', ':']) => first,
        _ => "docker.io",
    }
}

pub(crate) fn is_sha256(digits: &str) -> bool {
    digits.len() == 64
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl Image {
    /// What it was made for.
    pub(crate) fn platform(&self) -> String {
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
        }
        .to_string()
    }

    /// The reference as the registry's digest of it, where it came from there.
    pub(crate) fn pinned(&self, reference: &str) -> Option<String> {
        let name = reference.split('@').next()?;
        let repository = split_tag(name).map_or(name, |(repository, _)| repository);
        let mut digests = self.repo_digests.iter().flatten();
        digests.find_map(|pinned| {
            let (of, digest) = pinned.split_once('@').filter(|_| is_pinned(pinned))?;
            (familiar(of) == familiar(repository)).then(|| format!("{repository}@{digest}"))
        })
    }
}

impl Tagged {
    /// The name that holds the archive's whole digest.
    pub(crate) fn long(&self, sha256: &str) -> String {
        format!("{}:{sha256}", self.repository)
    }

    pub(crate) fn short(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

/// The body of an image that an archive made; or what is amiss.
pub(crate) fn decode(name: &Tagged, tags: &[String]) -> Result<ContainerImage, String> {
    let whole = tags.iter().filter_map(|tag| digest_of(name, tag)).next();
    let sha256 =
        whole.ok_or("its tag stands for another image, or was cut off while it was made")?;
    Ok(ContainerImage {
        reference: name.short(),
        sha256: Some(sha256.to_owned()),
        platform: None,
    })
}

/// The archive's digest, where `tag` is the long name that goes with `name`.
fn digest_of<'a>(name: &Tagged, tag: &'a str) -> Option<&'a str> {
    let (repository, digest) = split_tag(tag)?;
    (repository == name.repository && is_sha256(digest) && digest.starts_with(&name.tag))
        .then_some(digest)
}

/// Those of `tags` that are the names of this one image. The short one last: while it is there, an image
/// that is half removed is found again.
pub(crate) fn names_of(name: &Tagged, tags: &[String]) -> Vec<String> {
    let long = tags.iter().filter(|tag| digest_of(name, tag).is_some());
    let short = tags.iter().filter(|tag| **tag == name.short());
    long.chain(short).cloned().collect()
}

/// What an image's tags tell of this project's images, with what is there of each.
pub(crate) fn ours(tags: &[String], project: &Project) -> Vec<Tagged> {
    let mut names: Vec<Tagged> = tags
        .iter()
        .filter_map(|tag| tagged(tag))
        .filter(|name| name.project == *project)
        .map(|name| Tagged {
            tag: name.tag.chars().take(16).collect(),
            ..name
        })
        .collect();
    names.sort_by_key(Tagged::short);
    names.dedup();
    names
}

/// The configuration of an image that is one layer, a root file system. Nothing in it depends on when
/// or where it is made, so neither does the image's id.
pub(crate) fn config(architecture: &str, layer_sha256: &str) -> Value {
    const EPOCH: &str = "1970-01-01T00:00:00Z";
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": EPOCH,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_sha256}")]},
        "history": [{"created": EPOCH, "created_by": "infra"}],
    })
}

/// `manifest.json` of an archive of one image.
pub(crate) fn manifest(config_file: &str, layer_file: &str, names: &[String]) -> Value {
    json!([{"Config": config_file, "Layers": [layer_file], "RepoTags": names}])
}

/// Whether this is the `manifest.json` of an archive of images and not just a file of that name.
pub(crate) fn is_manifest(text: &[u8]) -> bool {
    let parsed: Option<Value> = serde_json::from_slice(text).ok();
    let images = parsed.as_ref().and_then(Value::as_array);
    images.is_some_and(|all| {
        all.iter()
            .all(|one| one["Config"].is_string() && one["Layers"].is_array())
    })
}

/// The files that a `manifest.json` says images consist of.
pub(crate) fn parts(text: &[u8]) -> Vec<String> {
    let parsed: Option<Value> = serde_json::from_slice(text).ok();
    let images = parsed.iter().filter_map(Value::as_array).flatten();
    let parts = images.flat_map(|one| {
        let layers = one["Layers"].as_array().into_iter().flatten();
        std::iter::once(&one["Config"]).chain(layers)
    });
    let named = parts.filter_map(Value::as_str);
    named.map(str::to_owned).collect()
}

/// The same `manifest.json` with our names in place of its own: loading it must not move a tag that is
/// somebody else's.
pub(crate) fn rename_manifest(text: &[u8], names: &[String]) -> Result<Vec<u8>, String> {
    let mut images: Vec<Value> = parse_json("manifest.json", text)?;
    let [image] = images.as_mut_slice() else {
        return Err(several(images.len()));
    };
    image["RepoTags"] = json!(names);
    Ok(json!(images).to_string().into_bytes())
}

/// The same `index.json` of an OCI layout, with our name. `docker save` lists an image once for each tag.
pub(crate) fn rename_index(text: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let mut index: Value = parse_json("index.json", text)?;
    let Some(list) = index["manifests"].as_array_mut() else {
        return Err("its `index.json` lists no images".to_owned());
    };
    list.dedup_by(|a, b| a["digest"] == b["digest"]);
    let [image] = list.as_mut_slice() else {
        return Err(several(list.len()));
    };
    image["annotations"] = json!({"io.containerd.image.name": format!("docker.io/{name}")});
    Ok(index.to_string().into_bytes())
}

fn parse_json<T: for<'de> Deserialize<'de>>(file: &str, text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|e| format!("its `{file}` is unreadable: {e}"))
}

fn several(count: usize) -> String {
    format!("it holds {count} images: save one alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn cache() -> Tagged {
        let project = Project::new("demo");
        let address = Address::new("image.cache");
        match parse(&names::image(&project, &address, SHA)) {
            Reference::Archive(name) => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn references() {
        assert_eq!(cache().address, Address::new("image.cache"));
        assert_eq!(parse(&format!("nginx@sha256:{SHA}")), Reference::Registry);
        assert_eq!(parse("nginx@sha256:12"), Reference::Other);
        assert_eq!(parse("nginx:1.27"), Reference::Other);
        assert_eq!(split_tag("r1:5000/nginx"), None);
        assert_eq!(split_tag("r1:5000/nginx:1"), Some(("r1:5000/nginx", "1")));
    }

    #[test]
    fn an_image_is_known_by_its_registrys_digest_of_it() {
        let image = |digests: &[&str]| -> Image {
            serde_json::from_value(json!({"Id": "sha256:1", "RepoDigests": digests})).unwrap()
        };
        let redis = format!("redis@sha256:{SHA}");
        for (reference, repository) in [
            ("redis:7", "redis"),
            ("library/redis:7", "library/redis"),
            ("docker.io/library/redis:7", "docker.io/library/redis"),
        ] {
            let pinned = image(&["other@sha256:1", &redis]).pinned(reference);
            assert_eq!(pinned, Some(format!("{repository}@sha256:{SHA}")));
        }
        assert_eq!(image(&[&redis]).pinned("r1.example/redis:7"), None);
        assert_eq!(image(&[]).pinned("redis:7"), None);
        assert!(is_pinned(&format!("sha256:{SHA}")) && !is_pinned("sha256:12"));
    }

    #[test]
    fn law_1_both_names_make_an_image_whole() {
        let name = cache();
        let body = ContainerImage {
            reference: name.short(),
            sha256: Some(SHA.into()),
            platform: None,
        };
        assert_eq!(decode(&name, &[name.short(), name.long(SHA)]), Ok(body));
        assert!(decode(&name, &[name.short()]).is_err());
        assert!(decode(&name, &[name.short(), name.long(&"f".repeat(64))]).is_err());
    }

    #[test]
    fn tags_tell_whose_images_these_are() {
        let name = cache();
        let tags = [
            name.long(SHA),
            name.short(),
            "nginx:1".into(),
            format!("infra/other/cache:{SHA}"),
        ];
        let found = [name.clone()];
        assert_eq!(ours(&tags, &name.project), found);
        assert_eq!(ours(&tags[..1], &name.project), found);
        assert_eq!(names_of(&name, &tags), tags[..2]);
    }

    #[test]
    fn an_archive_gets_our_names_and_keeps_none() {
        let names = ["infra/demo/a:1".to_owned()];
        let text =
            br#"[{"Config":"c.json","RepoTags":["memcached:latest"],"Layers":["l/layer.tar"]}]"#;
        assert!(is_manifest(text) && !is_manifest(b"{}") && !is_manifest(br#"[{"a":1}]"#));
        let renamed: Value =
            serde_json::from_slice(&rename_manifest(text, &names).unwrap()).unwrap();
        assert_eq!(
            renamed,
            json!([{"Config": "c.json", "Layers": ["l/layer.tar"], "RepoTags": names}])
        );
        assert_eq!(
            rename_manifest(b"[]", &names).unwrap_err(),
            "it holds 0 images: save one alone"
        );
    }

    #[test]
    fn an_oci_index_lists_one_image_once_for_each_tag() {
        let one = json!({"digest": "sha256:1", "annotations": {"io.containerd.image.name": "a:1"}});
        let text =
            json!({"schemaVersion": 2, "manifests": [one, {"digest": "sha256:1"}]}).to_string();
        let renamed: Value =
            serde_json::from_slice(&rename_index(text.as_bytes(), "infra/d/a:1").unwrap()).unwrap();
        let image = json!({"digest": "sha256:1", "annotations": {"io.containerd.image.name": "docker.io/infra/d/a:1"}});
        assert_eq!(renamed["manifests"], json!([image]));
    }
}
