//! What somebody else has made is taken over without a touch, and is his again where it is another one.

#[path = "machines.rs"]
mod machines;
#[path = "stores.rs"]
mod stores;

use super::Bench;

const PROJECT: &str = "infra-live-import";

/// Somebody's container, its network and its volume; gone when this is.
struct Theirs<'a>(&'a Bench);

impl<'a> Theirs<'a> {
    fn new(bench: &'a Bench) -> Self {
        let theirs = Self(bench);
        theirs.remove();
        let name = |word: &str| format!("{PROJECT}.{word}");
        bench.docker(&[
            "network",
            "create",
            "--subnet",
            "10.231.99.0/24",
            &name("lan"),
        ]);
        bench.docker(&["volume", "create", &name("data")]);
        theirs
    }

    /// Its id.
    fn run(&self, image: &str) -> String {
        let name = |word: &str| format!("{PROJECT}.{word}");
        let volume = format!("{}:/data", name("data"));
        let own = [
            "run",
            "-d",
            "--name",
            &name("db"),
            "--network",
            &name("lan"),
            "-v",
            &volume,
        ]
        .map(str::to_owned);
        let more = [
            "-e",
            "GREETING=hi ${there}",
            "-m",
            "64m",
            "--ulimit",
            "nofile=1000:2000",
        ]
        .map(str::to_owned);
        let program = [image, "memcached", "-u", "memcache"].map(str::to_owned);
        let args: Vec<String> = own.into_iter().chain(more).chain(program).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let id = self.0.docker(&args);
        assert_eq!(id.len(), 64, "{id}");
        id
    }

    fn remove(&self) {
        let name = |word: &str| format!("{PROJECT}.{word}");
        self.0.docker(&["rm", "-f", &name("db")]);
        self.0.docker(&["network", "rm", &name("lan")]);
        self.0.docker(&["volume", "rm", &name("data")]);
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A reference that the engine knows by a registry's digest.
fn pushed(bench: &Bench, registry: &str) -> String {
    let tag = format!("{registry}/{PROJECT}:1");
    let archive = bench.path("build/memcached.tar");
    bench.docker(&["import", &archive.display().to_string(), &tag]);
    bench.docker(&["push", "-q", &tag]);
    tag
}

#[test]
fn a_container_is_taken_over_as_it_runs() {
    let Ok(registry) = std::env::var("INFRA_LIVE_REGISTRY") else {
        eprintln!("SKIPPED: INFRA_LIVE_REGISTRY is not set, so nothing was imported");
        return;
    };
    let text = format!(
        "infra {{ project = \"PROJECT\" }}\nimport {{\n  to = workload.db\n  id = \"{PROJECT}.db\"\n}}\n"
    );
    let Some(bench) = Bench::new(PROJECT, &text) else {
        return;
    };
    let theirs = Theirs::new(&bench);
    let id = theirs.run(&pushed(&bench, &registry));

    bench.run(1, &["plan"]);
    let out = bench.path("db.infra.hcl").display().to_string();
    let plan = bench.run(0, &["plan", "--generate-config-out", &out]);
    assert!(
        plan.contains("Imported:") && !plan.contains("anew"),
        "{plan}"
    );
    bench.run(
        1,
        &["plan", "--generate-config-out", &out, "--var", "nothing=1"],
    );
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(
        bench.docker(&["inspect", "-f", "{{.Id}}", &format!("{PROJECT}.db")]),
        id
    );
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["diff"]);
    bench.run(0, &["state", "fsck"]);

    // Changed in place, it is the same one; and the state is made anew by the `import` blocks.
    let written = std::fs::read_to_string(&out).unwrap();
    std::fs::write(&out, written.replace("\"64MiB\"", "\"96MiB\"")).unwrap();
    bench.run(0, &["apply", "--auto-approve"]);
    let memory = bench.docker(&[
        "inspect",
        "-f",
        "{{.Id}} {{.HostConfig.Memory}}",
        &format!("{PROJECT}.db"),
    ]);
    assert_eq!(memory, format!("{id} {}", 96 << 20));
    std::fs::remove_file(bench.path(".infra/state.json")).unwrap();
    bench.run(0, &["state", "rebuild"]);
    bench.run(3, &["plan", "--detailed-exitcode"]);

    // Another container of that name is a stranger's, and stays.
    let image = bench.docker(&["inspect", "-f", "{{.Config.Image}}", &id]);
    bench.docker(&["rm", "-f", &id]);
    let other = theirs.run(&image);
    bench.run(1, &["plan"]);
    bench.run(1, &["destroy", "--auto-approve"]);
    assert_eq!(bench.docker(&["inspect", "-f", "{{.Id}}", &other]), other);
}

/// One after the other, while the names of the rest are a stranger's still.
#[test]
fn each_is_imported_by_hand() {
    let text = format!(
        r#"
infra {{ project = "PROJECT" }}
network "lan" {{
  name   = "{PROJECT}.lan"
  subnet = "10.231.99.0/24"
}}
volume "data" {{ name = "{PROJECT}.data" }}
image "memcached" {{ archive = "build/memcached.tar" }}
workload "db" {{
  name = "{PROJECT}.db"
  interface "lan" {{ network = network.lan }}
  disk "data" {{
    volume = volume.data
    mount  = "/data"
  }}
  container {{
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }}
}}
"#
    );
    let Some(bench) = Bench::new(PROJECT, &text) else {
        return;
    };
    let theirs = Theirs::new(&bench);
    let archive = bench.path("build/memcached.tar");
    let tag = format!("{PROJECT}:by-hand");
    bench.docker(&["import", &archive.display().to_string(), &tag]);
    let id = theirs.run(&tag);
    let name = |word: &str| format!("{PROJECT}.{word}");
    bench.run(1, &["plan"]);
    bench.run(1, &["import", "volume.data", "nothing"]);
    bench.run(1, &["import", "volume.nothing", &name("data")]);
    for (address, word) in [
        ("volume.data", "data"),
        ("workload.db", "db"),
        ("network.lan", "lan"),
    ] {
        bench.run(1, &["plan"]);
        bench.run(0, &["import", address, &name(word)]);
        bench.run(1, &["import", address, &name(word)]);
    }
    let same = bench.docker(&["inspect", "-f", "{{.Id}}", &name("db")]);
    assert_eq!(same, id, "nothing was touched");
    // Of another image and without its bridge's name, it is made anew; and is ours by its mark then.
    bench.run(2, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(
        bench.docker(&["ps", "-aq", "--filter", &format!("name={}", name("db"))]),
        ""
    );
    drop(theirs);
    bench.docker(&["rmi", &tag]);
}

/// One block, and what it speaks of is there already.
#[test]
fn many_are_imported_by_one_block() {
    let text = r#"
infra { project = "PROJECT" }
locals { theirs = { a = "PROJECT.one", b = "PROJECT.two" } }
image "memcached" { archive = "build/memcached.tar" }
volume "data" {
  for_each = local.theirs
  name     = each.value
}
workload "cache" {
  for_each = local.theirs
  disk "data" {
    volume = volume.data[each.key]
    mount  = "/data"
  }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
  }
}
import {
  for_each = local.theirs
  to       = volume.data[each.key]
  id       = each.value
}
"#;
    let project = "infra-live-many";
    let Some(bench) = Bench::new(project, text) else {
        return;
    };
    let names = [format!("{project}.one"), format!("{project}.two")];
    let remove = || {
        names
            .iter()
            .for_each(|name| drop(bench.docker(&["volume", "rm", name])))
    };
    remove();
    let made = || {
        let made =
            |name: &String| bench.docker(&["volume", "inspect", "-f", "{{.CreatedAt}}", name]);
        names.iter().map(made).collect::<Vec<_>>()
    };
    bench.run(1, &["plan"]);
    for name in &names {
        bench.docker(&["volume", "create", name]);
    }
    let first = made();
    let plan = bench.run(0, &["plan"]);
    for key in ["a", "b"] {
        assert!(plan.contains(&format!("volume.data[\"{key}\"]")), "{plan}");
    }
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(made(), first);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(
        bench.docker(&["volume", "ls", "-q", "--filter", &format!("name={project}")]),
        ""
    );
    remove();
}
