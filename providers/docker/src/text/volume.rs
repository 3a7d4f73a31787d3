//! A volume as the engine writes it: [`ContainerVolume`] ⇄ JSON. Pure.

use std::collections::BTreeMap;

use bollard::models::VolumeCreateRequest;
use infra_api::Mark;
use infra_api::target::ContainerVolume;
use serde::Deserialize;

use crate::mark::{self, Labels};

/// A volume as `GET /volumes` tells of it, as far as it is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volume {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) created_at: String,
    pub(crate) driver: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) labels: Labels,
}

/// The engine's own driver.
const LOCAL: &str = "local";

pub(crate) fn encode(body: &ContainerVolume, mark: &Mark) -> VolumeCreateRequest {
    let ContainerVolume {
        name,
        driver,
        options,
        labels,
    } = body;
    let entry = |(name, value): (&String, &String)| (name.clone(), value.clone());
    VolumeCreateRequest {
        name: Some(name.clone()),
        driver: Some(driver.clone().unwrap_or_else(|| LOCAL.to_owned())),
        driver_opts: (!options.is_empty()).then(|| options.iter().map(entry).collect()),
        labels: Some(mark::with(labels, mark).into_iter().collect()),
        ..VolumeCreateRequest::default()
    }
}

/// The body of a volume that is there.
pub(crate) fn decode(found: &Volume) -> ContainerVolume {
    ContainerVolume {
        name: found.name.clone(),
        driver: Some(found.driver.clone()).filter(|driver| driver != LOCAL),
        options: found.options.clone().unwrap_or_default(),
        labels: mark::theirs(&found.labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::{Address, Project};
    use serde_json::{Value, json};

    #[test]
    fn law_1() {
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("volume.data"),
        };
        let pair = |name: &str, value: &str| BTreeMap::from([(name.into(), value.into())]);
        let body = ContainerVolume {
            name: "demo.data".into(),
            driver: Some("other".into()),
            options: pair("o", "size=1g"),
            labels: pair("team", "x"),
        };
        let request = serde_json::to_value(encode(&body, &mark)).unwrap();
        assert_eq!(
            request,
            json!({
                "Name": "demo.data", "Driver": "other", "DriverOpts": {"o": "size=1g"},
                "Labels": {"infra.project": "demo", "infra.address": "volume.data", "team": "x"},
            })
        );
        let mut answer = request.clone();
        answer["CreatedAt"] = json!("2026-11-23T01:00:00Z");
        answer["Mountpoint"] = json!("/var/lib/docker/volumes/demo.data/_data");
        answer["Options"] = request["DriverOpts"].clone();
        let found: Volume = serde_json::from_value(answer.clone()).unwrap();
        assert_eq!(decode(&found), body);
        assert_eq!(
            mark::owner(&found.labels, &mark.project),
            mark::Owner::Ours(mark.address)
        );
        answer["Options"] = Value::Null;
        answer["Driver"] = json!("local");
        let plain = ContainerVolume {
            driver: None,
            options: BTreeMap::new(),
            ..body
        };
        assert_eq!(decode(&serde_json::from_value(answer).unwrap()), plain);
    }
}
