//! What a plan asks an engine for, and how often.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use infra_api::target::Container;
use infra_api::{
    Action, Address, Change, Daemon, Facts, HostName, Mark, Observed, Project, Provider,
    ResourceId, Silent,
};
use serde_json::{Value, json};

use crate::Docker;
use crate::tests::container;
use crate::text::imitation::{IMAGE_ID, image, inspected};

/// An engine's containers as it tells them, and what it was asked.
#[derive(Default)]
struct Engine {
    containers: Vec<Value>,
    networks: Vec<Value>,
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
        let (method, rest) = request.split_once(' ').unwrap_or_default();
        let path = rest.split([' ', '?']).next().unwrap_or_default();
        self.asked.push(path.to_owned());
        let path = path.find("/v1.").map_or(path, |_| &path["/v1.41".len()..]);
        let id = path.split('/').nth(2).unwrap_or_default();
        match path {
            _ if method == "DELETE" => {
                self.containers.retain(|one| one["Id"] != id);
                (204, Value::Null)
            }
            _ if path.ends_with("/stop") => (204, Value::Null),
            "/networks/create" => {
                self.networks.push(
                    json!({"Name": "demo.lan", "Id": "1".repeat(64), "Created": "",
                    "Labels": {"infra.project": "other"}}),
                );
                (201, json!({"Id": "1".repeat(64), "Warning": ""}))
            }
            "/version" => (200, json!({"ApiVersion": "1.41"})),
            "/info" => (200, json!({"ServerVersion": "20.10", "OSType": "linux"})),
            "/volumes" => (200, json!({"Volumes": []})),
            "/networks" => (200, json!(self.networks)),
            "/images/json" => (200, json!([])),
            "/containers/json" => (200, self.containers.iter().map(summary).collect()),
            _ if path.starts_with("/images/") => (200, json!({"Id": IMAGE_ID, "Config": image()})),
            _ => {
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

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok().filter(|n| *n > 0);
    read.map(|_| line.trim_end().to_owned())
}

fn serve(mut stream: UnixStream, engine: &Shared) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = line(&mut reader) {
        let mut length = 0;
        while let Some(header) = line(&mut reader).filter(|header| !header.is_empty()) {
            let header = header.to_ascii_lowercase();
            let said = header.strip_prefix("content-length: ");
            length = said.map_or(length, |said| said.parse().unwrap());
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
        let (status, body) = engine.lock().unwrap().answer(&request);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = "Content-Type: application/json\r\nApi-Version: 1.41";
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

fn id(kind: &str, name: &str) -> ResourceId {
    ResourceId::new(&HostName::new("r1"), "docker", kind, name)
}

fn change(id: ResourceId, action: Action) -> Change {
    let (project, address) = (Project::new("demo"), Address::new("workload.a"));
    let mark = Mark { project, address };
    Change {
        id,
        mark,
        imported: None,
        action,
    }
}

/// After discovery and its list the names that are free are known, once.
#[tokio::test]
async fn what_a_plan_saw_to_be_free_is_not_asked_for_again_and_what_a_check_reads_is() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    let project = Project::new("demo");
    let image = format!("infra/demo/app:{}", "a".repeat(16));
    let free = [
        id("container", "demo.9"),
        id("network", "demo.lan"),
        id("image", &image),
    ];
    let others = [
        id("volume", "demo.data"),
        id("image", "redis"),
        id("image", "infra/other/app:1"),
    ];
    let all: Vec<&ResourceId> = free.iter().chain(&others).collect();
    discover(daemon.as_ref()).await;
    list(daemon.as_ref()).await;
    engine.lock().unwrap().questions();
    let told = daemon.survey(&project, &all).await.unwrap();
    let absent: Vec<_> = free
        .iter()
        .map(|id| (id.clone(), Observed::Absent))
        .collect();
    assert_eq!(told, absent);
    assert_eq!(engine.lock().unwrap().questions().len(), 0);
    // The check before the first step is of another moment.
    assert_eq!(daemon.survey(&project, &all).await.unwrap(), []);
    // And a list that was not of all there is knows of no free name.
    list(daemon.as_ref()).await;
    assert_eq!(daemon.survey(&project, &all).await.unwrap(), []);
    // What is taken is never said to be free.
    discover(daemon.as_ref()).await;
    list(daemon.as_ref()).await;
    let taken = id("container", "demo.1");
    assert_eq!(daemon.survey(&project, &[&taken]).await.unwrap(), []);
}

/// The look, a stop, the removal, and the look after it.
#[tokio::test]
async fn a_removal_goes_on_from_the_look_before_it_if_that_is_of_this_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    let project = Project::new("demo");
    let calls = |which: usize, late: bool| {
        let (engine, daemon, project) = (&engine, &daemon, &project);
        async move {
            let one = id("container", &format!("demo.{which}"));
            daemon.read(project, &one).await.unwrap();
            engine.lock().unwrap().questions();
            if late {
                tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            }
            let change = change(one.clone(), Action::Delete);
            daemon.apply(&change, &Silent).await.unwrap();
            let asked = engine.lock().unwrap().questions();
            let gone = daemon.read(project, &one).await.unwrap();
            assert_eq!(gone, Observed::Absent);
            asked.len()
        }
    };
    assert_eq!(calls(0, false).await, 2);
    assert_eq!(calls(1, true).await, 3);
    // Of what is not ours neither look makes it so.
    engine.lock().unwrap().containers[0]["Config"]["Labels"] = json!({"infra.project": "other"});
    let one = id("container", "demo.2");
    daemon.read(&project, &one).await.unwrap();
    let refused = daemon.apply(&change(one, Action::Delete), &Silent).await;
    assert!(refused.is_err());
    assert_eq!(engine.lock().unwrap().containers.len(), 3);
}

/// Many containers are of one image; it is asked for by its name once, until it may have changed.
#[tokio::test]
async fn what_an_images_name_stands_for_is_asked_once_for_many_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    let project = Project::new("demo");
    let images = |engine: &Shared| {
        let asked = engine.lock().unwrap().questions();
        asked
            .iter()
            .filter(|path| path.contains("/images/"))
            .count()
    };
    let one = id("container", "demo.0");
    let read_three = async || {
        for which in 0..3 {
            let one = id("container", &format!("demo.{which}"));
            daemon.read(&project, &one).await.unwrap();
        }
        images(&engine)
    };
    assert_eq!(read_three().await, 3, "before a survey each looks");
    daemon.survey(&project, &[]).await.unwrap();
    assert_eq!(read_three().await, 1);
    list(daemon.as_ref()).await;
    images(&engine);
    assert_eq!(read_three().await, 3, "and so it does after a list");
    daemon.survey(&project, &[]).await.unwrap();
    daemon.read(&project, &one).await.unwrap();
    assert_eq!(images(&engine), 1);
    let reference = format!("infra/demo/app:{}", "a".repeat(16));
    let gone = change(id("image", &reference), Action::Delete);
    daemon.apply(&gone, &Silent).await.unwrap();
    images(&engine);
    daemon.read(&project, &one).await.unwrap();
    assert_eq!(images(&engine), 1);
}

/// A network whose name was free in this moment is made at once; the second attempt looks.
#[tokio::test]
async fn a_network_is_made_from_the_look_before_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, daemon) = opened(&folder.path().join("engine.sock")).await;
    let project = Project::new("demo");
    let lan = id("network", "demo.lan");
    let body = json!({"name": "demo.lan", "subnet": "10.0.0.0/24", "gateway": "10.0.0.1", "internal": false});
    let make = || Action::Create {
        body: body.clone(),
        source: None,
        anew: true,
    };
    assert_eq!(daemon.read(&project, &lan).await.unwrap(), Observed::Absent);
    engine.lock().unwrap().questions();
    daemon
        .apply(&change(lan.clone(), make()), &Silent)
        .await
        .unwrap();
    assert_eq!(engine.lock().unwrap().questions().len(), 1);
    // By now there is one, which is not ours: nobody says that its name is free.
    assert!(daemon.apply(&change(lan, make()), &Silent).await.is_err());
    assert_eq!(engine.lock().unwrap().networks.len(), 1);
}
