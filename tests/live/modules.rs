//! Every module's example, deployed as a container and as a virtual machine, asked over its own protocol, and removed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Bench, said};

/// The example of a module, as it stands but for its project's name and where the module is.
fn example(module: &str, project: &'static str) -> Option<Bench> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules");
    let folder = modules.join(module).join("example");
    let text = std::fs::read_to_string(folder.join("main.infra.hcl")).expect("it has an example");
    let name = format!("project = \"{module}\"");
    assert!(text.contains(&name) && text.contains("\"./..\""), "{text}");
    let text = text
        .replace(&name, "project = \"PROJECT\"")
        .replace("\"./..\"", &format!("\"./modules/{module}\""));
    let bench = Bench::new(project, &text)?;
    assert!(
        modules.join(format!("build/{module}.tar")).exists(),
        "run modules/images first"
    );
    std::os::unix::fs::symlink(&modules, bench.path("modules")).expect("a link can be made");
    for entry in std::fs::read_dir(folder).expect("it can be read") {
        let name = entry.expect("it can be read").file_name();
        let name = name.to_str().expect("it is text");
        if name != "main.infra.hcl" && name != ".infra" {
            let from = modules.join(module).join("example").join(name);
            std::fs::copy(from, bench.path(name)).expect("it can be copied");
        }
    }
    Some(bench)
}

/// Deployed in both runtimes, and asked in each.
fn deployed(module: &str, project: &'static str, asked: impl Fn(&Bench, &str)) {
    let Some(bench) = example(module, project) else {
        return;
    };
    for runtime in ["container", "kvm"] {
        let word = format!("runtime={runtime}");
        let given = ["--var", &word, "--var", "acceleration=emulated"];
        let plan = bench
            .command(&[&["plan"][..], &given].concat())
            .output()
            .expect("infra runs");
        let words = said(&plan);
        assert!(plan.status.success(), "{module}: {words}");
        assert!(!words.contains("warning"), "{module}: {words}");
        bench.run(0, &[&["apply", "--auto-approve"][..], &given].concat());
        asked(&bench, runtime);
        bench.run(0, &[&["plan", "--detailed-exitcode"][..], &given].concat());
        bench.run(0, &[&["destroy", "--auto-approve"][..], &given].concat());
    }
}

fn output(bench: &Bench, name: &str) -> String {
    bench.run(0, &["output", "--raw", name]).trim().to_owned()
}

fn addresses(bench: &Bench) -> Vec<String> {
    let value = bench.json(&["output", "--json", "addresses"]);
    serde_json::from_value(value).expect("a list of texts")
}

/// Asks until it is answered so: what was just started may need its time.
fn until<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_secs(400);
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => assert!(Instant::now() < end, "{what}: {why}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// All that is answered until the other side closes, or until nothing came for 30 s.
fn tcp(address: &str, words: &[u8], half: bool) -> std::io::Result<Vec<u8>> {
    let address = address.parse().map_err(std::io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(words)?;
    if half {
        stream.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(why) if answer.is_empty() => Err(why),
        _ => Ok(answer),
    }
}

/// The answer, once it has all of these in it.
fn says(address: &str, words: &str, wanted: &[&str]) -> String {
    until(address, || {
        let answer = tcp(address, words.as_bytes(), false).map_err(|why| why.to_string())?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        match wanted.iter().find(|w| !text.contains(**w)) {
            None => Ok(text),
            Some(word) => Err(format!("no {word:?} in {text}")),
        }
    })
}

#[test]
fn memcached() {
    deployed("memcached", "infra-live-memcached", |bench, _| {
        says(
            &output(bench, "address"),
            "set a 0 0 3\r\nabc\r\nget a\r\nquit\r\n",
            &["STORED", "VALUE a 0 3\r\nabc"],
        );
    });
}

/// As it is chosen: a container without a network of its own.
#[test]
fn memcached_on_the_hosts_network() {
    let Some(bench) = example("memcached", "infra-live-memcached-host") else {
        return;
    };
    let text = std::fs::read_to_string(bench.path("main.infra.hcl")).expect("it is there");
    let line = text.lines().find(|line| line.contains("network.lan.id"));
    bench.write(&text.replace(line.expect("the example has a network"), ""));
    let given = ["--auto-approve", "--var", "runtime=container"];
    bench.run(0, &[&["apply"][..], &given].concat());
    says(
        "127.0.0.1:11211",
        "set a 0 0 3\r\nabc\r\nget a\r\nquit\r\n",
        &["STORED", "VALUE a 0 3\r\nabc"],
    );
    bench.run(0, &[&["destroy"][..], &given].concat());
}

/// A compilation, in the words of distcc's protocol: what came of it.
fn compiled(address: &str, source: &str) -> Result<Vec<u8>, String> {
    let mut words = "DIST00000001".to_owned();
    let args = ["gcc", "-c", "-o", "a.o", "a.i"];
    words += &format!("ARGC{:08x}", args.len());
    for arg in args {
        words += &format!("ARGV{:08x}{arg}", arg.len());
    }
    words += &format!("DOTI{:08x}{source}", source.len());
    let answer = tcp(address, words.as_bytes(), false).map_err(|why| why.to_string())?;
    let at = answer.windows(4).position(|word| word == b"DOTO");
    let text = String::from_utf8_lossy(&answer).into_owned();
    match at {
        Some(at) if text.starts_with("DONE00000001STAT00000000") => Ok(answer[at + 12..].to_vec()),
        _ => Err(text),
    }
}

#[test]
fn build_farm() {
    deployed("build-farm", "infra-live-farm", |bench, _| {
        let hosts = output(bench, "hosts");
        assert_eq!(hosts.split(' ').count(), 2, "{hosts}");
        for host in hosts.split(' ') {
            let (address, _) = host.split_once('/').expect("ADDRESS/JOBS");
            let address = format!("{address}:3632");
            let object = until(&address, || compiled(&address, "int f(void){return 7;}\n"));
            assert!(object.starts_with(b"\x7fELF"), "{object:?}");
            let failed = compiled(&address, "int f(void){");
            assert!(failed.is_err(), "a text that is none of C");
        }
    });
}

#[test]
fn stock_trading() {
    deployed("stock-trading", "infra-live-feed", |bench, _| {
        let address = output(bench, "address");
        says(&address, "", &["messages 0\n"]);
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        for price in 101..=110 {
            let tick = format!("ACME {price} 5\nINIT 7 1\n");
            socket.send_to(tick.as_bytes(), &address).expect("sent");
        }
        let book = says(&address, "", &["messages 20\n", "dropped 0\n"]);
        assert!(book.ends_with("ACME 10 50 110\nINIT 10 10 7\n"), "{book}");
    });
}

#[test]
fn gluster() {
    deployed("gluster", "infra-live-gluster", |bench, runtime| {
        // A machine is ready once the volume is up on it.
        if runtime == "container" {
            let names = bench.docker(&[
                "ps",
                "--format",
                "{{.Names}}",
                "--filter",
                "name=infra-live-gluster",
            ]);
            let node = names.lines().next().expect("there are nodes").to_owned();
            let gluster =
                |words: &[&str]| bench.docker(&[&["exec", &node, "gluster"], words].concat());
            until("the volume", || {
                let info = gluster(&["volume", "info", "data"]);
                let up = info.contains("Status: Started") && info.contains("1 x 2 = 2");
                up.then_some(()).ok_or(info)
            });
            let pool = gluster(&["pool", "list"]);
            assert_eq!(pool.matches("Connected").count(), 2, "{pool}");
        }
        for address in addresses(bench) {
            until(&address, || {
                tcp(&format!("{address}:24007"), b"", true).map_err(|why| why.to_string())
            });
        }
    });
}

#[test]
fn render_farm() {
    deployed("render-farm", "infra-live-render", |bench, _| {
        let nodes = addresses(bench);
        let scene = "// 64x48\n#include \"colors.inc\"\ncamera { location <0, 2, -3> look_at <0, 1, 2> }\n\
                     sphere { <0, 1, 2>, 2 texture { pigment { color Yellow } } }\n\
                     light_source { <2, 4, -3> color White }\n";
        let picture = until(&nodes[0], || {
            let answer = tcp(&nodes[0], scene.as_bytes(), true).map_err(|why| why.to_string())?;
            if answer.is_empty() {
                return Err("no picture".to_owned());
            }
            Ok(answer)
        });
        assert!(picture.starts_with(b"\x89PNG\r\n"), "{picture:?}");
        assert_eq!(picture[16..24], [0, 0, 0, 64, 0, 0, 0, 48]);
        let nothing = tcp(&nodes[0], b"no scene", true).expect("it takes the job");
        assert!(nothing.is_empty(), "{nothing:?}");
    });
}

#[test]
fn java_app_server() {
    deployed("java-app-server", "infra-live-java", |bench, _| {
        let url = output(bench, "url");
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        says(
            address,
            "GET / HTTP/1.0\r\n\r\n",
            &["HTTP/1.1 200", "1 + 1 = 2"],
        );
    });
}

#[test]
fn imap_server() {
    deployed("imap-server", "infra-live-imap", |bench, _| {
        let address = output(bench, "address");
        says(&address, "a login ann wrong\r\nb logout\r\n", &["a NO"]);
        // (a literal without waiting for the server's word)
        says(
            &address,
            "a login ann try-me\r\nb append inbox {18+}\r\nSubject: hi\r\n\r\nyo!\r\nc select inbox\r\n\
             d fetch 1 body[text]\r\ne logout\r\n",
            &["a OK", "b OK", "1 EXISTS", "yo!", "e OK"],
        );
    });
}

#[test]
fn batch() {
    deployed("batch", "infra-live-batch", |bench, runtime| {
        // A machine is ready once its command has ended well.
        if runtime == "container" {
            let name = output(bench, "name");
            until("the job", || {
                let health =
                    bench.docker(&["inspect", "--format", "{{.State.Health.Status}}", &name]);
                (health == "healthy").then_some(()).ok_or(health)
            });
            assert_eq!(bench.docker(&["logs", &name]), "sum 500500\nended with 0");
            bench.docker(&["restart", "--time", "1", &name]);
            assert_eq!(
                bench.docker(&["logs", &name]),
                "sum 500500\nended with 0\nended with 0",
                "it runs once"
            );
        }
    });
}

/// The host's own interface with this address.
fn bridge(address: &str) -> String {
    let listed = std::process::Command::new("ip")
        .args(["-o", "-4", "address", "show"])
        .output()
        .expect("ip runs");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains(&format!(" {address}/")));
    let name = line.and_then(|line| line.split_whitespace().nth(1));
    name.expect("the network's bridge is the host's").to_owned()
}

#[test]
fn nfv() {
    deployed("nfv", "infra-live-nfv", |_, _| {
        let counter = format!("/sys/class/net/{}/statistics/rx_bytes", bridge("10.78.9.1"));
        let heard = || -> u64 {
            let text = std::fs::read_to_string(&counter).expect("a counter");
            text.trim().parse().expect("a number")
        };
        let socket = UdpSocket::bind("10.78.8.1:0").expect("the host is in the left network");
        socket.set_broadcast(true).expect("it may");
        until("packets on the other side", || {
            let before = heard();
            for _ in 0..100 {
                socket
                    .send_to(&[b'x'; 1000], "10.78.8.255:9")
                    .expect("sent");
            }
            std::thread::sleep(Duration::from_secs(1));
            let came = heard() - before;
            (came >= 100_000)
                .then_some(())
                .ok_or(format!("{came} bytes"))
        });
    });
}
