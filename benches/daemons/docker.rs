//! Twenty containers on a real Docker Engine, `infra` beside the bare calls. Run by `benches/daemons/run`.

mod proxy;
mod side;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use proxy::{Count, Proxy};
use serde_json::{Value, json};
use side::{Infra, Peer, Scene, at_once, peers, side_by_side};

const PROJECT: &str = "infra-bench-docker";

/// Calls of the floor at a time.
const IN_FLIGHT: usize = 10;

const CONFIGURATION: &str = r#"
infra { project = "infra-bench-docker" }
variable "instances" { type = number }
variable "memory" {
  type    = string
  default = "32MiB"
}
network "lan" { subnet = "10.97.240.0/24" }
image "memcached" { archive = "build/memcached.tar" }
# Keeps network and image there while the others come and go.
workload "first" {
  interface "lan" { network = network.lan }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
workload "cache" {
  count = var.instances
  memory { size = count.index == 0 ? var.memory : "32MiB" }
  interface "lan" { network = network.lan }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
"#;

/// The same for compose; the image is in `.env`.
const COMPOSE: &str = r#"
services:
  one: &one
    image: ${IMAGE}
    pull_policy: never
    command: ["memcached", "-u", "memcache", "-m", "8"]
    mem_limit: ${MEMORY:-32m}
    networks: [lan]
  cache:
    <<: *one
    mem_limit: 32m
    scale: 19
networks:
  lan: { ipam: { config: [ { subnet: 10.97.242.0/24 } ] } }
"#;

/// And for Ansible.
const PLAYBOOK: &str = r#"
- hosts: localhost
  connection: local
  gather_facts: false
  vars: { memory: 32M, state: started }
  tasks:
    - community.docker.docker_network:
        { name: infra-bench-ansible, ipam_config: [ { subnet: 10.97.243.0/24 } ] }
      when: state == "started"
    - community.docker.docker_container:
        name: "infra-bench-ansible-{{ item }}"
        image: "{{ image }}"
        command: ["memcached", "-u", "memcache", "-m", "8"]
        memory: "{{ memory if item == 0 else '32M' }}"
        networks: [ { name: infra-bench-ansible } ]
        state: "{{ state }}"
      loop: "{{ range(20) | list }}"
    - community.docker.docker_network: { name: infra-bench-ansible, state: absent }
      when: state == "absent"
"#;

const PEERS: [Peer<'static>; 2] = [
    Peer {
        name: "docker compose",
        probe: "docker compose version",
        lines: &[
            Some("exec docker -H $ENDPOINT compose -p infra-bench-compose up -d"),
            Some("exec docker -H $ENDPOINT compose -p infra-bench-compose up -d"),
            Some("MEMORY=48m exec docker -H $ENDPOINT compose -p infra-bench-compose up -d"),
            Some("exec docker -H $ENDPOINT compose -p infra-bench-compose down"),
        ],
    },
    Peer {
        name: "ansible",
        probe: "ansible-playbook --version && ansible-doc community.docker.docker_container",
        lines: &[
            Some("DOCKER_HOST=$ENDPOINT exec ansible-playbook play.yaml -e @image.json"),
            Some("DOCKER_HOST=$ENDPOINT exec ansible-playbook play.yaml -e @image.json --check"),
            Some(
                "DOCKER_HOST=$ENDPOINT exec ansible-playbook play.yaml -e @image.json -e memory=48M",
            ),
            Some(
                "DOCKER_HOST=$ENDPOINT exec ansible-playbook play.yaml -e @image.json -e state=absent",
            ),
        ],
    },
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["floor", what, ref rest @ ..] => as_floor(what, rest),
        _ => measure(),
    }
}

fn measure() {
    let endpoint = std::env::var("INFRA_DOCKER_ENDPOINT").expect("INFRA_DOCKER_ENDPOINT is set");
    let daemon = PathBuf::from(endpoint.strip_prefix("unix://").expect("it is a socket"));
    let infra = Infra::new("docker", CONFIGURATION);
    infra.run(&["apply", "--auto-approve", "--var", "instances=20"]);
    let kept = infra.folder.join("bodies.json");
    std::fs::write(&kept, bodies(&daemon).to_string()).expect("a file can be written");
    let kept = kept.to_string_lossy().into_owned();
    infra.run(&["apply", "--auto-approve", "--var", "instances=0"]);
    // Each leaves what the next one needs.
    let scenes = [
        Scene {
            name: "create 20 containers",
            ours: &["apply", "--auto-approve", "--var", "instances=20"],
            floor: &["create", &kept],
        },
        Scene {
            name: "no-op plan, 20 containers",
            ours: &["plan", "--detailed-exitcode", "--var", "instances=20"],
            floor: &["read"],
        },
        Scene {
            name: "memory of one container",
            ours: &[
                "apply",
                "--auto-approve",
                "--var",
                "instances=20",
                "--var",
                "memory=48MiB",
            ],
            floor: &["update", "50331648"],
        },
        Scene {
            name: "destroy 20 containers",
            ours: &["apply", "--auto-approve", "--var", "instances=0"],
            floor: &["delete"],
        },
    ];
    let proxy = Proxy::before(&daemon, http);
    let through = (
        "INFRA_DOCKER_ENDPOINT",
        format!("unix://{}", proxy.socket.display()),
    );
    side_by_side(&infra, &scenes, &through, || proxy.counted());
    prepare_peers(&infra, &kept);
    peers(&infra, &scenes, &PEERS, (&endpoint, &through.1), || {
        proxy.counted()
    });
    infra.run(&["destroy", "--auto-approve", "--var", "instances=0"]);
    let _ = std::fs::remove_dir_all(&infra.folder);
}

fn prepare_peers(infra: &Infra, kept: &str) {
    let text = std::fs::read_to_string(kept).expect("the bodies were kept");
    let bodies: Value = serde_json::from_str(&text).expect("they are JSON");
    let image = bodies.as_object().and_then(|all| all.values().next());
    let image = image.expect("there is one")["Image"].clone();
    let write = |name: &str, text: String| {
        std::fs::write(infra.folder.join(name), text).expect("a file can be written");
    };
    write("compose.yaml", COMPOSE.to_owned());
    write(
        ".env",
        format!("IMAGE={}\n", image.as_str().expect("a name")),
    );
    write("play.yaml", PLAYBOOK.to_owned());
    write("image.json", json!({"image": image}).to_string());
}

/// A request begins with its method.
fn http() -> Count {
    Box::new(|piece| {
        let methods = [&b"GET /"[..], b"POST /", b"DELETE /", b"PUT /", b"HEAD /"];
        u64::from(methods.iter().any(|method| piece.starts_with(method)))
    })
}

/// What would make the same containers again, by their names.
fn bodies(daemon: &Path) -> Value {
    let made = names(daemon).into_iter().map(|name| {
        let found = ask(daemon, "GET", &format!("/containers/{name}/json"), None);
        let mut body = found["Config"].clone();
        body["HostConfig"] = found["HostConfig"].clone();
        let ends = found["NetworkSettings"]["Networks"]
            .as_object()
            .expect("it has networks");
        let ends = ends.iter().map(|(network, end)| {
            let end = json!({"IPAMConfig": end["IPAMConfig"], "Aliases": end["Aliases"]});
            (network.clone(), end)
        });
        body["NetworkingConfig"] =
            json!({"EndpointsConfig": ends.collect::<serde_json::Map<_, _>>()});
        (name, body)
    });
    Value::Object(made.collect())
}

fn names(daemon: &Path) -> Vec<String> {
    let filters = format!("{{\"label\":[\"infra.project={PROJECT}\"]}}");
    let filters: String = filters.bytes().map(|b| format!("%{b:02X}")).collect();
    let list = ask(
        daemon,
        "GET",
        &format!("/containers/json?all=1&filters={filters}"),
        None,
    );
    let names = list.as_array().expect("it is a list").iter();
    let names = names.filter_map(|one| one["Names"][0].as_str());
    let names = names.map(|name| name.trim_start_matches('/').to_owned());
    names.filter(|name| !name.ends_with(".first")).collect()
}

fn as_floor(what: &str, rest: &[&str]) {
    let endpoint = std::env::var("INFRA_DOCKER_ENDPOINT").expect("INFRA_DOCKER_ENDPOINT is set");
    let daemon = PathBuf::from(endpoint.strip_prefix("unix://").expect("it is a socket"));
    match (what, rest) {
        ("create", [bodies]) => {
            let text = std::fs::read_to_string(bodies).expect("the bodies were kept");
            let bodies: Value = serde_json::from_str(&text).expect("they are JSON");
            let bodies = bodies.as_object().expect("by name").clone();
            at_once(IN_FLIGHT, bodies.into_iter().collect(), |(name, body)| {
                let path = format!("/containers/create?name={name}");
                let made = ask(&daemon, "POST", &path, Some(body));
                let id = made["Id"].as_str().expect("it has an id");
                ask(&daemon, "POST", &format!("/containers/{id}/start"), None);
            });
        }
        ("read", []) => at_once(IN_FLIGHT, names(&daemon), |name| {
            ask(&daemon, "GET", &format!("/containers/{name}/json"), None);
        }),
        ("update", [bytes]) => {
            let bytes: u64 = bytes.parse().expect("a number");
            let path = format!("/containers/{PROJECT}.cache.0/update");
            ask(
                &daemon,
                "POST",
                &path,
                Some(&json!({"Memory": bytes, "MemorySwap": bytes})),
            );
        }
        ("delete", []) => {
            at_once(IN_FLIGHT, names(&daemon), |name| {
                ask(
                    &daemon,
                    "DELETE",
                    &format!("/containers/{name}?force=1"),
                    None,
                );
            });
        }
        _ => panic!("unknown floor {what} {rest:?}"),
    }
}

/// One call on a connection of its own; anything but success ends the program.
fn ask(daemon: &Path, method: &str, path: &str, body: Option<&Value>) -> Value {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = UnixStream::connect(daemon).expect("the engine listens");
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("the engine reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the engine answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap_or_default();
    assert!(status.starts_with('2'), "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}
