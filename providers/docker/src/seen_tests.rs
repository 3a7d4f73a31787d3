//! How often a plan asks for each container.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use infra_api::target::Container;
use infra_api::{Daemon, Facts, HostName, Observed, Project, Provider, ResourceId};
use serde_json::{Value, json};

use crate::Docker;
use crate::tests::container;
use crate::text::imitation::{IMAGE_ID, image, inspected};

/// An engine's containers as it tells them, and what it was asked.
#[derive(Default)]
struct Engine {
    containers: Vec<Value>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Engine>>;

fn running(number: usize) -> Value {
    let body = Container {
        name: format!("demo.{number}"),
        ..container()
    };
    let mut told = inspected(&body, &image());
    told["Id"] = json!(format!("{number}").repeat(64));
    told
}

impl Engine {
    fn answer(&mut self, request: &str) -> (u16, Value) {
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        self.asked.push(path.to_owned());
        let path = path.find("/v1.").map_or(path, |_| &path["/v1.41".len()..]);
        match path {
            "/version" => (200, json!({"ApiVersion": "1.41"})),
            "/info" => (200, json!({"ServerVersion": "20.10", "OSType": "linux"})),
            "/volumes" => (200, json!({"Volumes": []})),
            "/networks" | "/images/json" => (200, json!([])),
            "/containers/json" => (200, self.containers.iter().map(summary).collect()),
            _ if path.starts_with("/images/") => (200, json!({"Id": IMAGE_ID, "Config": image()})),
            _ => {
                let id = path.split('/').nth(2).unwrap_or_default();
                let found = self.containers.iter().find(|one| one["Id"] == id);
                found.map_or((404, json!({"message": "none"})), |one| (200, one.clone()))
            }
        }
    }

    /// How often containers were asked for one by one since the last time.
    fn inspections(&mut self) -> usize {
        let one = |path: &&String| path.contains("/containers/") && path.matches('/').count() == 4;
        std::mem::take(&mut self.asked).iter().filter(one).count()
    }
}

fn summary(one: &Value) -> Value {
    json!({"Id": one["Id"], "Names": [one["Name"]], "State": one["State"]["Status"]})
}

fn serve(mut stream: UnixStream, engine: &Shared) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(request)) = lines.next() {
        let headers = lines.by_ref().map_while(Result::ok);
        headers.take_while(|line| !line.is_empty()).for_each(drop);
        let (status, body) = engine.lock().unwrap().answer(&request);
        let (body, kind) = (body.to_string(), "Content-Type: application/json");
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status} -\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}");
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

async fn list(daemon: &dyn Daemon) -> Vec<(ResourceId, Observed)> {
    daemon.list(&Project::new("demo")).await.unwrap()
}

async fn discover(daemon: &dyn Daemon) {
    daemon.discover(&mut Facts::default()).await.unwrap();
}

#[tokio::test]
async fn a_plan_asks_for_each_container_once_and_again_for_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let engine = Shared::default();
    engine.lock().unwrap().containers = (0..5).map(running).collect();
    let shared = engine.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let shared = shared.clone();
            std::thread::spawn(move || serve(stream, &shared));
        }
    });
    let endpoint = format!("unix://{}", socket.display());
    let daemon = Docker
        .connect(&HostName::new("r1"), &endpoint)
        .await
        .unwrap();
    let daemon = daemon.as_ref();

    let alone = list(daemon).await;
    assert_eq!(alone.len(), 5);
    assert!(
        alone
            .iter()
            .all(|(_, one)| matches!(one, Observed::Present { .. })),
        "{alone:?}"
    );
    assert_eq!(engine.lock().unwrap().inspections(), 5);

    discover(daemon).await;
    assert_eq!(list(daemon).await, alone);
    assert_eq!(engine.lock().unwrap().inspections(), 5);

    // What was seen is used once.
    assert_eq!(list(daemon).await, alone);
    assert_eq!(engine.lock().unwrap().inspections(), 5);

    discover(daemon).await;
    {
        let mut engine = engine.lock().unwrap();
        engine.containers[1]["State"]["Status"] = json!("exited");
        engine.containers[2]["Name"] = json!("/other");
        engine.containers.remove(4);
        engine.containers.push(running(5));
    }
    let changed = list(daemon).await;
    assert_eq!(engine.lock().unwrap().inspections(), 5 + 3);
    assert_eq!(changed, list(daemon).await);
    assert_ne!(changed, alone);

    // One object is always looked at.
    engine.lock().unwrap().inspections();
    discover(daemon).await;
    let id = &alone[0].0;
    engine.lock().unwrap().inspections();
    daemon.read(&Project::new("demo"), id).await.unwrap();
    assert_eq!(engine.lock().unwrap().inspections(), 1);
}
