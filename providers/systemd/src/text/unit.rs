//! A unit's file, as it is written, and a unit as its files say.

use std::collections::BTreeMap;

use infra_api::target::{Unit, UnitAddress, UnitConfinement};
use infra_api::{Address, Mark, Project, Text, names};

use super::directives::{DIRECTIVES, limit_lines, read_limit};
use super::words::{unwhole, whole, word, words};

/// The slice that all of ours are in: beside the system's own, so that those can be kept off CPUs which are not theirs.
pub(crate) const SLICE: &str = "infra.slice";

/// What stands at the head of each of our files.
pub(super) const MADE: &str =
    "# Made by infra: what is changed here by hand is undone by the next apply.\n";

/// What may not be done, unless a unit is open.
const SANDBOX: &[(&str, &str)] = &[
    ("ProtectSystem", "strict"),
    ("ProtectHome", "true"),
    ("PrivateTmp", "true"),
    ("ProtectKernelTunables", "true"),
    ("ProtectKernelModules", "true"),
    ("ProtectControlGroups", "true"),
    ("NoNewPrivileges", "true"),
    ("RestrictSUIDSGID", "true"),
    ("LockPersonality", "true"),
];

/// What gives the host an address, and takes it away.
pub(crate) const IP: &str = "/usr/sbin/ip address";

/// Where the environment is, by a unit's name.
pub(crate) fn env_path(name: &str) -> String {
    format!("/var/lib/infra/units/{name}.env")
}

/// The file of a service. Its environment and its files are written beside it.
pub(crate) fn encode(unit: &Unit, mark: &Mark) -> String {
    let Unit {
        name: _,
        state: _,
        exec: _,
        env: _,
        user,
        group: _,
        working_dir: _,
        current: _,
        packages: _,
        files: _,
        folders: _,
        mounts,
        slice: _,
        addresses: _,
        life,
        ulimits: _,
        confinement,
        place: _,
        limits: _,
        scheduling: _,
        others: _,
    } = unit;
    let about = format!("{} of {}", mark.address, mark.project);
    let mut out = format!(
        "{MADE}{}\n\
         [Unit]\nDescription={}\nWants=network-online.target\nAfter=network-online.target\n",
        own(unit, mark),
        whole(&about)
    );
    for UnitAddress { device, .. } in unit.addresses.values() {
        // Whose start makes it may come later, and only begin with it: systemd waits for the device itself.
        let device = names::unit_of(&format!("/sys/subsystem/net/devices/{device}"));
        out += &format!("Wants={device}.device\nAfter={device}.device\n");
    }
    if !mounts.is_empty() {
        let paths: Vec<String> = mounts.keys().map(|path| word(path, false)).collect();
        out += &format!("RequiresMountsFor={}\n", paths.join(" "));
    }
    out += "\n[Service]\n";
    service(unit, &mut out);
    confine(confinement, user.is_some(), &mut |name, value| {
        out += &format!("{name}={value}\n");
    });
    limit_lines(unit).for_each(|limit| out += &format!("{limit}\n"));
    if life.times.is_none() {
        out += "\n[Install]\nWantedBy=multi-user.target\n";
    }
    out
}

/// Whose it is, and what systemd has no words for.
fn own(unit: &Unit, mark: &Mark) -> String {
    let mut out = format!(
        "[X-Infra]\nProject={}\nAddress={}\n",
        mark.project, mark.address
    );
    let mut line = |name: &str, value: &str| out += &format!("{name}={value}\n");
    for (path, file) in &unit.files {
        line(
            if file.binary { "BinaryFile" } else { "File" },
            &whole(path),
        );
    }
    if let Some(current) = &unit.current {
        line("Current", &whole(current));
    }
    for (name, version) in &unit.packages {
        line("Package", &format!("{name} {version}"));
    }
    for (label, UnitAddress { device, address }) in &unit.addresses {
        line("Interface", &format!("{label} {device} {address}"));
    }
    let life = &unit.life;
    if !life.health_check.is_empty() {
        let words: Vec<_> = life
            .health_check
            .iter()
            .map(|text| word(text, true))
            .collect();
        line("HealthCheck", &words.join(" "));
    }
    if let Some(times) = &life.times {
        line("Times", &whole(times));
    }
    out
}

fn service(unit: &Unit, out: &mut String) {
    let life = &unit.life;
    let mut line = |name: &str, value: &str| *out += &format!("{name}={value}\n");
    let slice = unit.slice.as_ref().map(|name| format!("{name}.slice"));
    line("Slice", slice.as_deref().unwrap_or(SLICE));
    let kind = match (life.task, life.notifies) {
        (true, _) => "oneshot",
        (false, true) => "notify",
        (false, false) => "exec",
    };
    line("Type", kind);
    if life.task && life.times.is_none() {
        line("RemainAfterExit", "true");
    }
    if !unit.env.is_empty() {
        line("EnvironmentFile", &env_path(&unit.name));
    }
    for UnitAddress { device, address } in unit.addresses.values() {
        // Whoever is in its network finds it there, whatever it runs as.
        line(
            "ExecStartPre",
            &format!("+{IP} replace {address} dev {device}"),
        );
        line(
            "ExecStopPost",
            &format!("-+{IP} delete {address} dev {device}"),
        );
    }
    for directive in DIRECTIVES {
        if let Some(value) = (directive.write)(unit) {
            line(directive.name, &value);
        }
    }
}

fn confine(confinement: &UnitConfinement, user: bool, line: &mut impl FnMut(&str, &str)) {
    let UnitConfinement {
        open,
        writable: _,
        state_directory: _,
        capabilities,
        devices,
    } = confinement;
    let keeps = capabilities.join(" ");
    if !open {
        SANDBOX.iter().for_each(|(name, value)| line(name, value));
        line("CapabilityBoundingSet", &keeps);
    }
    if !capabilities.is_empty() && (user || *open) {
        line("AmbientCapabilities", &keeps);
    }
    if !open {
        line("DevicePolicy", "closed");
    }
    for device in devices {
        line("DeviceAllow", &word(device, false));
    }
}

/// The file of the timer that starts a task.
pub(crate) fn timer(unit: &Unit, mark: &Mark) -> Option<String> {
    let times = whole(unit.life.times.as_ref()?);
    let (project, address) = (&mark.project, &mark.address);
    Some(format!(
        "[X-Infra]\nProject={project}\nAddress={address}\n\n[Unit]\nDescription={address} of {project}\n\n\
         [Timer]\nOnCalendar={times}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
    ))
}

/// Whose a unit is, and what it is.
#[derive(Debug, PartialEq)]
pub(crate) struct Mine {
    pub(crate) mark: Mark,
    pub(crate) unit: Unit,
    /// The paths of its files, and whether each is binary.
    pub(crate) files: BTreeMap<String, bool>,
    /// The line that is not understood: what it is, is not known, but whose, and which files are its own.
    pub(crate) odd: Option<String>,
}

/// A unit by its texts, its own first. Nothing where it carries no mark.
pub(crate) fn decode(name: &str, texts: &[String]) -> Option<Mine> {
    let mut reading = Reading::default();
    reading.unit.name = name.to_owned();
    reading.unit.confinement.open = true;
    for text in texts {
        reading.text(text);
    }
    let mark = std::mem::take(&mut reading.marked).mark()?;
    let confinement = &mut reading.unit.confinement;
    confinement.capabilities.sort();
    confinement.devices.sort();
    Some(Mine {
        mark,
        unit: reading.unit,
        files: reading.files,
        odd: reading.odd,
    })
}

#[derive(Default)]
struct Reading {
    unit: Unit,
    marked: Marked,
    files: BTreeMap<String, bool>,
    odd: Option<String>,
}

/// Whose a file is, as far as it has been read.
#[derive(Default)]
pub(super) struct Marked {
    project: Option<String>,
    address: Option<String>,
}

impl Marked {
    /// Nothing where it is another word.
    pub(super) fn read(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "Project" => self.project = Some(value.to_owned()),
            "Address" => self.address = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn mark(self) -> Option<Mark> {
        Some(Mark {
            project: Project::new(self.project?),
            address: Address::new(self.address?),
        })
    }
}

/// The lines of a file that say something: their section, themselves, and name and value where they have both.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, &str, Option<(&str, &str)>)> {
    let mut section = "";
    text.lines().map(str::trim).filter_map(move |line| {
        if line.is_empty() || line.starts_with(['#', ';']) {
            return None;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
            return None;
        }
        let said = line.split_once('=');
        let said = said.map(|(name, value)| (name.trim(), value.trim()));
        Some((section, line, said))
    })
}

impl Reading {
    fn text(&mut self, text: &str) {
        for (section, line, said) in lines(text) {
            let understood = said.and_then(|(name, value)| self.assignment(section, name, value));
            if understood.is_none() {
                self.odd = Some(line.to_owned());
            }
        }
    }

    fn assignment(&mut self, section: &str, name: &str, value: &str) -> Option<()> {
        match section {
            "X-Infra" => self.own(name, value),
            "Service" => self.service(name, value),
            "Unit" if name == "RequiresMountsFor" => {
                let paths = words(value, false)?.into_iter();
                let named = paths.map(|path| (path.clone(), names::unit_of(&path)));
                self.unit.mounts.extend(named);
                Some(())
            }
            "Unit" | "Install" => {
                let known = ["Description", "Wants", "After", "WantedBy"];
                if !known.contains(&name) {
                    self.other(section, name, value);
                }
                Some(())
            }
            _ => {
                self.other(section, name, value);
                Some(())
            }
        }
    }

    fn other(&mut self, section: &str, name: &str, value: &str) {
        let others = &mut self.unit.others;
        others.insert(format!("{section}.{name}"), value.to_owned());
    }

    fn own(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "Project" | "Address" => return self.marked.read(name, value),
            "File" | "BinaryFile" => drop(self.files.insert(unwhole(value), name == "BinaryFile")),
            "Current" => self.unit.current = Some(unwhole(value)),
            "Package" => {
                let (name, version) = value.split_once(' ')?;
                let packages = &mut self.unit.packages;
                packages.insert(name.to_owned(), version.to_owned());
            }
            "Interface" => self.unit.addresses.extend([own_address(value)?]),
            "HealthCheck" => self.unit.life.health_check = words(value, true)?,
            "Times" => self.unit.life.times = Some(unwhole(value)),
            _ => return None,
        }
        Some(())
    }

    fn service(&mut self, name: &str, value: &str) -> Option<()> {
        let unit = &mut self.unit;
        if let Some(directive) = DIRECTIVES.iter().find(|d| d.name == name) {
            return (directive.read)(unit, value);
        }
        if let Some(limit) = name.strip_prefix("Limit") {
            return read_limit(unit, limit, value);
        }
        let list = || {
            value
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        match name {
            "Type" => {
                unit.life.task = value == "oneshot";
                unit.life.notifies = value == "notify";
            }
            "ExecStartPre" if value.starts_with(&format!("+{IP} replace ")) => {}
            "ExecStopPost" if value.starts_with(&format!("-+{IP} delete ")) => {}
            "RemainAfterExit" | "EnvironmentFile" | "DevicePolicy" => {}
            "Slice" if value == SLICE => unit.slice = None,
            "Slice" => {
                let name = value.strip_suffix(".slice").unwrap_or(value);
                unit.slice = Some(name.to_owned());
            }
            "ProtectSystem" if value == "strict" => unit.confinement.open = false,
            "CapabilityBoundingSet" | "AmbientCapabilities" => {
                unit.confinement.capabilities = list()
            }
            "DeviceAllow" => unit.confinement.devices.extend(words(value, false)?),
            _ if SANDBOX.contains(&(name, value)) => {}
            _ => self.other("Service", name, value),
        }
        Some(())
    }
}

/// `LABEL DEVICE ADDRESS`.
fn own_address(text: &str) -> Option<(String, UnitAddress)> {
    let mut words = text.split(' ');
    let (label, device, address) = (words.next()?, words.next()?, words.next()?);
    let address = UnitAddress {
        device: device.to_owned(),
        address: address.parse().ok()?,
    };
    words.next().is_none().then(|| (label.to_owned(), address))
}

/// Of a unit that was read, or is about to be written, without secrets.
pub(crate) fn plain_env(env: &BTreeMap<String, Text>) -> Result<BTreeMap<String, String>, String> {
    let plain = |(name, text): (&String, &Text)| match text.plain() {
        Some(text) => Ok((name.clone(), text.to_owned())),
        None => Err(format!("the secret `{name}` has no value here")),
    };
    env.iter().map(plain).collect()
}

#[cfg(test)]
#[path = "unit_tests.rs"]
mod tests;
