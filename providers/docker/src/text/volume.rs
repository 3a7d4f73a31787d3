//! A volume as the engine writes it: [`ContainerVolume`] ⇄ JSON. Pure.

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
    pub(crate) labels: Labels,
}

pub(crate) fn encode(body: &ContainerVolume, mark: &Mark) -> VolumeCreateRequest {
    let ContainerVolume { name } = body;
    VolumeCreateRequest {
        name: Some(name.clone()),
        driver: Some("local".to_owned()),
        labels: Some(mark::labels(mark).into_iter().collect()),
        ..VolumeCreateRequest::default()
    }
}

/// The body of a volume that is there; or why it cannot be one that we wrote.
pub(crate) fn decode(found: &Volume) -> Result<ContainerVolume, String> {
    if found.driver != "local" {
        return Err(format!("its driver is `{}`, not `local`", found.driver));
    }
    Ok(ContainerVolume {
        name: found.name.clone(),
    })
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
        let body = ContainerVolume {
            name: "demo.data".into(),
        };
        let request = serde_json::to_value(encode(&body, &mark)).unwrap();
        assert_eq!(
            request,
            json!({
                "Name": "demo.data", "Driver": "local",
                "Labels": {"infra.project": "demo", "infra.address": "volume.data"},
            })
        );
        let mut answer = request.clone();
        answer["CreatedAt"] = json!("2026-11-23T01:00:00Z");
        answer["Mountpoint"] = json!("/var/lib/docker/volumes/demo.data/_data");
        answer["Options"] = Value::Null;
        let found: Volume = serde_json::from_value(answer).unwrap();
        assert_eq!(decode(&found), Ok(body));
        assert_eq!(
            mark::owner(&found.labels, &mark.project),
            mark::Owner::Ours(mark.address)
        );
    }
}
