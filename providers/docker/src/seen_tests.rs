//! What a plan asks an engine for, and how often.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
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
                let found = self
                    .containers
                    .iter()
                    .find(|one| one["Id"] == id || one["Name"] == format!("/{id}"));
                found.map_or((404, json!({"message": "none"})), |one| (200, one.clone()))
            }
        }
    }

    /// How often containers were asked for one by one since the last time.
    fn inspections(&mut self) -> usize {
        let one = |path: &&String| path.contains("/containers/") && path.matches('/').count() == 4;
        self.questions().iter().filter(one).count()
    }

    /// All that was asked since the last time.
    fn questions(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }
}

fn summary(one: &Value) -> Value {
    let (state, labels) = (&one["State"]["Status"], &one["Config"]["Labels"]);
    json!({"Id": one["Id"], "Names": [one["Name"]], "State": state, "Labels": labels})
}

fn serve(mut stream: UnixStream, engine: &Shared) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(request)) = lines.next() {
        let headers = lines.by_ref().map_while(Result::ok);
        headers.take_while(|line| !line.is_empty()).for_each(drop);
        let (status, body) = engine.lock().unwrap().answer(&request);
        let (body, headers) = (
            body.to_string(),
            "Content-Type: application/json\r\nApi-Version: 1.41",
        );
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status} -\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{body}");
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

/// An engine with five containers, and the way to it.
async fn opened(socket: &Path) -> (Shared, Box<dyn Daemon>) {
    let listener = UnixListener::bind(socket).unwrap();
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
    let host = HostName::new("r1");
    (engine, Docker.connect(&host, &endpoint).await.unwrap())
}

#[tokio::test]
async fn a_plan_asks_for_each_container_once_and_the_next_one_again() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
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
    // A plan is of one moment; the next list is of the next.
    assert_eq!(list(daemon).await, alone);
    assert_eq!(engine.lock().unwrap().inspections(), 5);
    let changed = list(daemon).await;
    assert_ne!(changed, alone);
    let names: Vec<&str> = changed.iter().map(|(id, _)| id.name.as_str()).collect();
    assert_eq!(names, ["demo.0", "demo.1", "demo.3", "demo.5"]);

    // One object is always looked at.
    engine.lock().unwrap().inspections();
    discover(daemon).await;
    let id = &alone[0].0;
    engine.lock().unwrap().inspections();
    daemon.read(&Project::new("demo"), id).await.unwrap();
    assert_eq!(engine.lock().unwrap().inspections(), 1);
}

#[tokio::test]
async fn a_plan_that_finds_all_as_it_is_asks_six_questions_and_one_for_each_container() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    discover(daemon.as_ref()).await;
    assert_eq!(list(daemon.as_ref()).await.len(), 5);
    let asked = engine.lock().unwrap().questions();
    assert_eq!(asked.len(), 6 + 5, "{asked:#?}");
}

#[tokio::test]
async fn one_question_tells_of_all_names_that_are_free_and_it_is_asked_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    let project = Project::new("demo");
    let id = |name: &str| ResourceId::new(&HostName::new("r1"), "docker", "container", name);
    let free: Vec<ResourceId> = (10..30)
        .map(|number| id(&format!("demo.{number}")))
        .collect();
    let some: Vec<&ResourceId> = free.iter().collect();
    discover(daemon.as_ref()).await;
    engine.lock().unwrap().questions();
    let told = daemon.survey(&project, &some).await.unwrap();
    assert_eq!(told.len(), 20);
    assert!(told.iter().all(|(_, one)| *one == Observed::Absent));
    assert_eq!(engine.lock().unwrap().questions().len(), 1);

    // One that is there is looked at, and so is what has come since.
    let mut came = running(7);
    came["Name"] = json!("/demo.10");
    engine.lock().unwrap().containers.push(came);
    let there = id("demo.0");
    let told = daemon.survey(&project, &[&there, &free[0], &free[1]]).await;
    let mut told = told.unwrap();
    told.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(
        told[0],
        (there.clone(), daemon.read(&project, &there).await.unwrap())
    );
    assert!(matches!(told[1], (_, Observed::Foreign { .. })), "{told:?}");
    assert_eq!(told[2], (free[1].clone(), Observed::Absent));
}
