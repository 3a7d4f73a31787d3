//! The configuration that measures a host: one network, one workload in two forms, the probe as its image and benchmark.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use super::machine::Machine;
use crate::cli::probe::{DIRECTORY, Package};
use crate::declared::Host;

pub(super) const WORKLOAD: &str = "workload.probe";

const CONFIGURATION: &str = "main.infra.hcl";
const ARCHIVE: &str = "container.tar";
const INITRAMFS: &str = "machine.initramfs";

/// Where the probe answers.
const PORT: u16 = 7000;

/// What a machine and a container take beside the buffer and the files.
const REST: u64 = 128 * MIB;

const MIB: u64 = 1 << 20;

/// All that is different from host to host.
pub(super) struct Own<'a> {
    pub(super) host: &'a Host,
    pub(super) subnet: Ipv4Net,
    pub(super) package: &'a Package,
    pub(super) machine: Option<&'a Machine>,
    pub(super) emulated: bool,
    pub(super) buffer_bytes: u64,
    pub(super) runs: u32,
}

/// Large files that are gone when this is.
pub(super) struct Files(Vec<PathBuf>);

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.0 {
            let _gone_already = fs::remove_file(path);
        }
    }
}

impl Own<'_> {
    /// Makes the folder and all that is in it.
    pub(super) fn write(&self, folder: &Path) -> Result<Files, String> {
        let failed = |path: &Path, e: io::Error| format!("writing {}: {e}", path.display());
        fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
        let at = |name: &str| folder.join(name);
        let files = Files(vec![at(ARCHIVE), at(INITRAMFS)]);
        file(&at(ARCHIVE), |to| self.package.archive(to)).map_err(|e| failed(&at(ARCHIVE), e))?;
        if let Some(machine) = self.machine {
            let pack = |to: &mut BufWriter<File>| machine.pack(self.package, to);
            file(&at(INITRAMFS), pack).map_err(|e| failed(&at(INITRAMFS), e))?;
        }
        let text = self
            .text(&project(folder))
            .map_err(|e| failed(&at(CONFIGURATION), e))?;
        let write = |to: &mut BufWriter<File>| to.write_all(text.as_bytes());
        file(&at(CONFIGURATION), write).map_err(|e| failed(&at(CONFIGURATION), e))?;
        Ok(files)
    }

    /// What a plain process runs.
    pub(super) fn plain(&self, disk: &Path) -> Vec<String> {
        let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("infra"));
        let mut words = vec![own.to_string_lossy().into_owned(), "probe".to_owned()];
        words.extend(self.looks(&disk.to_string_lossy()));
        words
    }

    fn looks(&self, disk: &str) -> [String; 4] {
        [
            "--buffer-bytes",
            &self.buffer_bytes.to_string(),
            "--disk",
            disk,
        ]
        .map(str::to_owned)
    }

    fn text(&self, project: &str) -> io::Result<String> {
        let own = std::env::current_exe()?;
        let own = own.to_string_lossy().into_owned();
        let ask = [
            own.as_str(),
            "probe",
            "--ask",
            &format!("{{address}}:{PORT}"),
        ];
        let address = self.subnet.hosts().nth(1).unwrap_or(self.subnet.addr());
        let mut serve = self.package.command();
        serve.extend(["probe", "--serve", &PORT.to_string()].map(str::to_owned));
        let inside: Vec<String> = serve.iter().cloned().chain(self.looks("/data")).collect();
        let machine = self.machine.map_or_else(String::new, |_| {
            let net = format!("{address}/{}", self.subnet.prefix_len());
            self.form(&serve, &net)
        });
        Ok(format!(
            r#"# What `infra measure host` runs; made anew each time.
infra {{ project = {project} }}
{host}
network "lan" {{ subnet = "{subnet}" }}
image "container" {{ archive = "{ARCHIVE}" }}
{image}
workload "probe" {{
  needs {{
    cpu          = "high"
    memory       = "medium"
    disk_latency = "medium"
  }}
  cpus {{ count = 1 }}
  memory {{ size = "{memory}MiB" }}
  disk "data" {{
    size  = "64MiB"
    mount = "/data"
  }}
  interface "lan" {{
    network = network.lan
    address = "{address}"
  }}
  container {{
    image        = image.container
    command      = {inside}
    stop_timeout = "0s"
    # To say on which node memory is to be.
    capabilities {{ add = ["SYS_NICE"] }}
  }}
{machine}  measure {{
    command = {ask}
    better  = "higher"
    warmup  = 0
    timeout = "10m"
  }}
}}
"#,
            project = quoted(project),
            host = host(self.host),
            subnet = self.subnet,
            memory = self.memory_bytes() / MIB,
            image = self.machine.map_or_else(String::new, image),
            inside = list(&inside),
            ask = list(&ask),
        ))
    }

    fn form(&self, serve: &[String], address: &str) -> String {
        let (program, arguments) = serve
            .split_first()
            .map_or((DIRECTORY, serve), |(p, a)| (p.as_str(), a));
        let mut cmdline = format!("console=ttyS0 quiet rdinit={program} --");
        let more = ["--guest".to_owned(), address.to_owned()];
        for word in arguments.iter().chain(&more).chain(&self.looks("/dev/vda")) {
            cmdline.push(' ');
            cmdline.push_str(word);
        }
        format!(
            r#"  kvm {{
    image        = image.machine
    acceleration = "{acceleration}"
    cmdline      = {cmdline}
    stop_timeout = "0s"
    ready {{ port = {PORT} }}
  }}
"#,
            acceleration = if self.emulated { "emulated" } else { "kvm" },
            cmdline = quoted(&cmdline),
        )
    }

    /// A machine holds its files twice for a moment, and gives half of its memory to them at most.
    fn memory_bytes(&self) -> u64 {
        let packed = self.machine.map_or(0, Machine::initramfs_bytes);
        let files = self.package.bytes() + 5 * packed;
        let bytes = self.buffer_bytes + REST + 2 * files;
        bytes.next_multiple_of(2 * MIB)
    }
}

/// One for each folder: another's things are another's.
fn project(folder: &Path) -> String {
    use sha2::{Digest, Sha256};
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let digest = Sha256::digest(whole.to_string_lossy().as_bytes());
    let short: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("infra-measure-{short}")
}

fn file(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut to = BufWriter::new(File::create(path)?);
    write(&mut to)?;
    to.flush()
}

/// What the machine boots.
fn image(machine: &Machine) -> String {
    let kernel = quoted(&machine.kernel.to_string_lossy());
    format!("image \"machine\" {{\n  kernel    = {kernel}\n  initramfs = \"{INITRAMFS}\"\n}}")
}

/// Where its daemons are, and what it keeps for itself.
fn host(host: &Host) -> String {
    let mut text = format!("host {} {{\n", quoted(host.name.as_str()));
    text.push_str(&format!(
        "  docker {{ endpoint = {} }}\n",
        quoted(&host.docker_endpoint)
    ));
    text.push_str(&format!(
        "  libvirt {{\n    uri = {}\n",
        quoted(&host.libvirt_uri)
    ));
    if let Some(path) = &host.pool_path {
        text.push_str(&format!("    pool_path = {}\n", quoted(path)));
    }
    text.push_str("  }\n");
    if let Some(reserve) = &host.reserve {
        text.push_str("  reserve {\n");
        if let Some(cpus) = &reserve.cpus {
            text.push_str(&format!("    cpus = \"{}\"\n", cpus.value));
        }
        text.push_str(&format!("    cpus_per_node = {}\n", reserve.cpus_per_node));
        for (name, bytes) in [
            ("memory", reserve.memory_bytes),
            ("memory_per_node", reserve.memory_per_node_bytes),
        ] {
            if bytes > 0 {
                text.push_str(&format!("    {name} = \"{bytes}B\"\n"));
            }
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

/// As the language reads it: nothing in it is looked at.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '$' | '%' if rest.peek() == Some(&'{') => quoted.extend([c, c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::declared::Reserve;

    #[test]
    fn nothing_in_a_text_is_looked_at() {
        assert_eq!(
            quoted(r#"a"b\c ${x} %{y} $z"#),
            r#""a\"b\\c $${x} %%{y} $z""#
        );
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
    }

    /// It is a configuration, and says of the host what that says of itself.
    #[test]
    fn what_is_written_is_read() {
        let host = Host {
            pool_path: Some("/srv/${pool}".to_owned()),
            reserve: Some(Reserve {
                memory_bytes: 12_345,
                cpus_per_node: 1,
                ..Reserve::default()
            }),
            ..Host::local()
        };
        let machine = Machine {
            kernel: PathBuf::from("/boot/vmlinuz"),
            initramfs: None,
        };
        let package = Package::of_this().unwrap();
        let own = Own {
            host: &host,
            subnet: "10.1.2.0/28".parse().unwrap(),
            package: &package,
            machine: Some(&machine),
            emulated: true,
            buffer_bytes: 64 * MIB,
            runs: 3,
        };
        let folder = tempfile::tempdir().unwrap();
        let files = own.write(folder.path()).unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(at(ARCHIVE).exists() && at(INITRAMFS).exists());
        drop(files);
        assert!(!at(ARCHIVE).exists() && !at(INITRAMFS).exists());
        let options = crate::cli::session::Options {
            directory: folder.path().to_owned(),
            ..crate::cli::session::Options::default()
        };
        let ui = crate::cli::ui::Ui::default();
        let session = crate::cli::session::Session::open(options, infra_lang::Mode::Plan, ui);
        let session = session.expect("it is a configuration");
        let declared = &session.configuration.declared;
        let read = &declared.hosts[&host.name];
        assert_eq!(read.pool_path, host.pool_path);
        let reserve = read.reserve.as_ref().expect("it is there");
        assert_eq!((reserve.memory_bytes, reserve.cpus_per_node), (12_345, 1));
        let probe = &declared.workloads[0];
        assert_eq!(probe.address.as_str(), WORKLOAD);
        assert!(probe.container.is_some() && probe.kvm.is_some() && probe.measure.is_some());
    }
}
