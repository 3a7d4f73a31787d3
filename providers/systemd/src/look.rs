//! What is there: one script tells all units of a project and those that are asked for, with every file of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use infra_api::target::{Unit, UnpackedFiles, UploadedFile};
use infra_api::{Failure, Observed, Project, Remedy, Text};
use infra_door::{Door, NOT_ROOT, Order, quoted};
use serde_json::json;

use crate::text::{self, Mine, decode, decode_mount, decode_slice, env_path};
use crate::{MOUNT, SLICE, UNIT, file, object};

/// Where units are that are made on a host.
pub(crate) const FOLDER: &str = "/etc/systemd/system";

/// Where `systemctl set-property` lays what it sets over them: for good, and until the next start of the host.
pub(crate) const CONTROL: [&str; 2] =
    ["/etc/systemd/system.control", "/run/systemd/system.control"];

/// What was found of units.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// By the whole name: what `systemctl show` says.
    shown: BTreeMap<String, BTreeMap<String, String>>,
    /// By path.
    files: BTreeMap<String, File>,
    /// By path: what they lead to.
    links: BTreeMap<String, String>,
    /// With their endings.
    pub(crate) names: BTreeSet<String>,
}

#[derive(Debug)]
struct File {
    bytes: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Looks at all that is the project's, and at `names`, with their endings.
///
/// # Errors
/// When the host does not tell.
pub(crate) async fn look(
    door: &Door,
    project: &Project,
    names: &[String],
) -> Result<Look, Failure> {
    let script = script(project, names);
    let order = Order::script("looking at units", &script);
    let said = door.reads(order).await?;
    Look::parse(&said.stdout, names).map_err(|why| {
        let doing = format!("looking at units on host `{}`", door.host());
        Failure::new(Remedy::Retry, doing, why)
    })
}

fn script(project: &Project, names: &[String]) -> String {
    let mark = quoted(&format!("Project={project}"));
    let asked: String = names
        .iter()
        .map(|name| format!(" {}", quoted(name)))
        .collect();
    let dropped = [CONTROL[0], CONTROL[1], FOLDER, "/run/systemd/system"];
    let dropped: String = dropped
        .iter()
        .map(|folder| format!(" {folder}/\"$n\".d/*.conf"))
        .collect();
    let (env, link) = (env_path("\"$b\""), Unit::current_path("\"$b\""));
    format!(
        "[ -d /run/systemd/system ] || exit 0\n\
         LC_ALL=C; export LC_ALL; cd {FOLDER} || exit\n\
         names=$({{ grep -lsx -e {mark} -- *.service *.slice *.mount; printf '%s\\n'{asked}; }} | sort -u)\n\
         [ -n \"$names\" ] || exit 0\n\
         [ \"$(id -u)\" = 0 ] || {{ printf '{NOT_ROOT}'; exit 0; }}\n\
         set -f; set --; for n in $names; do\n\
         set -- \"$@\" \"$n\"; case $n in *.service) set -- \"$@\" \"${{n%.service}}.timer\";; esac\n\
         done; set +f\n\
         systemctl show -p Id,LoadState,ActiveState,SubState,Result,UnitFileState,FragmentPath -- \"$@\" || exit\n\
         printf '\\0'\n\
         for n; do\n\
         printf '%s\\0' {FOLDER}/\"$n\"{dropped}\n\
         case $n in *.service) ;; *) continue;; esac\n\
         b=${{n%.service}}; printf '%s\\0' {env} {link}\n\
         sed -n -e 's/%%/%/g' -e 's/^File=//p' -e 's/^BinaryFile=//p' \"$n\" 2> /dev/null | tr '\\n' '\\0'\n\
         done | tar -cPf - --null --no-unquote --no-recursion --ignore-failed-read -T - 2> /dev/null\n\
         true\n"
    )
}

impl Look {
    fn parse(output: &[u8], asked: &[String]) -> Result<Self, String> {
        let mut look = Self {
            names: asked.iter().cloned().collect(),
            ..Self::default()
        };
        let Some(end) = output.iter().position(|byte| *byte == 0) else {
            // There is no systemd, or nothing was asked for and found.
            return match output.is_empty() {
                true => Ok(look),
                false => Err("what came back is cut off".to_owned()),
            };
        };
        let shown = String::from_utf8_lossy(&output[..end]);
        for block in shown.split("\n\n") {
            let pairs = block.lines().filter_map(|line| line.split_once('='));
            let pairs: BTreeMap<String, String> = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            if let Some(id) = pairs.get("Id") {
                look.names.extend(object(id).map(|_| id.clone()));
                look.shown.insert(id.clone(), pairs);
            }
        }
        look.unpack(&output[end + 1..])
            .map_err(|error| error.to_string())?;
        Ok(look)
    }

    fn unpack(&mut self, archive: &[u8]) -> std::io::Result<()> {
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if let Some(link) = entry.link_name_bytes() {
                let link = String::from_utf8_lossy(&link).into_owned();
                self.links.insert(path, link);
                continue;
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let header = entry.header();
            let number = |n: std::io::Result<u64>| n.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            let (mode, uid, gid) = (
                header.mode()? & 0o7777,
                number(header.uid())?,
                number(header.gid())?,
            );
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            let file = File {
                bytes,
                mode,
                uid,
                gid,
            };
            self.files.insert(path, file);
        }
        Ok(())
    }

    fn said(&self, unit: &str, property: &str) -> &str {
        let unit = self.shown.get(unit);
        unit.and_then(|properties| properties.get(property))
            .map_or("", String::as_str)
    }

    fn text(&self, path: &str) -> Option<String> {
        let file = self.files.get(path)?;
        Some(String::from_utf8_lossy(&file.bytes).into_owned())
    }

    /// A unit that carries anybody's mark.
    pub(crate) fn mine(&self, name: &str) -> Option<Mine> {
        decode(name, &self.texts(&file(UNIT, name))?)
    }

    /// What a file says, and what is laid over it.
    fn texts(&self, file: &str) -> Option<Vec<String>> {
        let own = self.text(&format!("{FOLDER}/{file}"))?;
        // In the order in which one has its way over another.
        let folders = ["/run/systemd/system", FOLDER, CONTROL[1], CONTROL[0]];
        let laid = folders.iter().flat_map(|folder| {
            let begin = format!("{folder}/{file}.d/");
            self.files
                .keys()
                .filter(move |path| path.starts_with(&begin))
        });
        let laid = laid.filter_map(|path| self.text(path));
        Some([own].into_iter().chain(laid).collect())
    }

    /// What is under the name of an object of that kind.
    pub(crate) fn observed(&self, project: &Project, kind: &str, name: &str) -> Observed {
        let file = file(kind, name);
        let texts = self.texts(&file);
        let found = match kind {
            SLICE => texts.and_then(|texts| {
                let (mark, slice, odd) = decode_slice(name, &texts)?;
                Some((mark, json!(slice), odd))
            }),
            MOUNT => texts.and_then(|texts| {
                let (mark, mut mount, odd) = decode_mount(name, &texts)?;
                mount.state = self.mounted(&file);
                Some((mark, json!(mount), odd))
            }),
            _ => self.mine(name).map(|mine| {
                let (mark, odd) = (mine.mark.clone(), mine.odd.clone());
                (mark, json!(self.whole(mine)), odd)
            }),
        };
        let foreign = |what: String| Observed::Foreign {
            what,
            unmarked: None,
        };
        match found {
            None => match (
                self.said(&file, "LoadState"),
                self.said(&file, "FragmentPath"),
            ) {
                ("" | "not-found", _) => Observed::Absent,
                // A slice is loaded without a file, whatever its name.
                (_, "") if kind == SLICE => Observed::Absent,
                (_, "") => foreign("what somebody else has mounted".to_owned()),
                (_, path) => foreign(format!("a {kind} of somebody else's, {path}")),
            },
            Some((mark, ..)) if mark.project != *project => {
                foreign(format!("a {kind} of the project `{}`", mark.project))
            }
            Some((mark, _, Some(line))) => Observed::Partial {
                address: mark.address,
                why: format!("its file says `{line}`"),
            },
            Some((mark, body, None)) => Observed::Present {
                address: mark.address,
                body: body.into(),
            },
        }
    }

    fn mounted(&self, file: &str) -> String {
        let state = match (
            self.said(file, "ActiveState"),
            self.said(file, "UnitFileState"),
        ) {
            ("active", "disabled") => "not enabled",
            ("active", _) => "mounted",
            ("failed", _) => "failed",
            _ => "not mounted",
        };
        state.to_owned()
    }

    /// With what does not stand in its own file.
    fn whole(&self, mine: Mine) -> Unit {
        let Mine {
            mut unit, files, ..
        } = mine;
        if let Some(text) = self.text(&env_path(&unit.name)) {
            match text::read_env(&text) {
                Some(env) => unit.env = env.into_iter().map(|(k, v)| (k, Text::Plain(v))).collect(),
                None => drop(unit.others.insert(
                    "EnvironmentFile".to_owned(),
                    "not as it was written".to_owned(),
                )),
            }
        }
        // What the link leads to is what runs the next time; a link that nobody wants is nobody's.
        let link = self.links.get(&Unit::current_path(&unit.name));
        let name = link.map(|link| UnpackedFiles::name(link).to_owned());
        unit.current = unit.current.and(name);
        let found = files.into_iter().filter_map(|(path, binary)| {
            let File {
                bytes,
                mode,
                uid,
                gid,
            } = self.files.get(&path)?;
            let content = match binary {
                true => STANDARD.encode(bytes),
                false => String::from_utf8_lossy(bytes).into_owned(),
            };
            let file = UploadedFile {
                content: content.into(),
                binary,
                mode: *mode,
                uid: *uid,
                gid: *gid,
            };
            Some((path, file))
        });
        unit.files = found.collect();
        let times = self.text(&format!("{FOLDER}/{}.timer", unit.name));
        let times = times.and_then(|text| {
            Some(
                text.lines()
                    .find_map(|l| l.strip_prefix("OnCalendar="))?
                    .replace("%%", "%"),
            )
        });
        unit.life.times = unit.life.times.and(times);
        unit.state = self.state(&unit);
        unit
    }

    pub(crate) fn state(&self, unit: &Unit) -> String {
        let waits = unit.life.times.is_some();
        let name = format!("{}.{}", unit.name, if waits { "timer" } else { "service" });
        let (active, sub) = (
            self.said(&name, "ActiveState"),
            self.said(&name, "SubState"),
        );
        let state = match (active, sub) {
            ("active", _) if waits => "waiting",
            ("active" | "activating" | "reloading", _) if unit.life.task => "started",
            ("active", _) => "running",
            ("activating" | "reloading", _) => "starting",
            ("failed", _) => "failed",
            _ => "stopped",
        };
        match (state, self.said(&name, "UnitFileState")) {
            ("running" | "waiting" | "started", "disabled") => "not enabled".to_owned(),
            _ => state.to_owned(),
        }
    }

    /// Why it failed, in systemd's words.
    pub(crate) fn result(&self, name: &str) -> &str {
        self.said(&format!("{name}.service"), "Result")
    }

    /// Of a task: whether its command is running.
    pub(crate) fn is_busy(&self, name: &str) -> bool {
        self.said(&format!("{name}.service"), "ActiveState") == "activating"
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod script_tests;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the script prints of one unit with this file.
    fn printed(text: &str) -> Look {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_old();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.as_mut_bytes()[..FOLDER.len()].copy_from_slice(FOLDER.as_bytes());
        let name = b"/demo.feed.service";
        header.as_mut_bytes()[FOLDER.len()..][..name.len()].copy_from_slice(name);
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
        let shown = "Id=demo.feed.service\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n\0";
        let output = [shown.as_bytes(), &archive.into_inner().unwrap()].concat();
        Look::parse(&output, &[]).unwrap()
    }

    fn observed(text: &str) -> Observed {
        printed(text).observed(&Project::new("demo"), UNIT, "demo.feed")
    }

    const OWN: &str =
        "[X-Infra]\nProject=demo\nAddress=workload.feed\nFile=/etc/feed.conf\n[Service]\n";

    #[test]
    fn what_carries_our_mark_is_ours_and_nothing_else() {
        let run = "ExecStart=/bin/true\n";
        assert!(matches!(
            observed(&format!("{OWN}{run}")),
            Observed::Present { .. }
        ));
        assert!(matches!(
            observed(&format!("[Service]\n{run}")),
            Observed::Foreign { .. }
        ));
        let theirs = OWN.replace("Project=demo", "Project=other");
        for line in [run, "ExecStart=/bin/sleep $TIME\n"] {
            let found = observed(&format!("{theirs}{line}"));
            assert!(matches!(found, Observed::Foreign { .. }), "{line}{found:?}");
        }
    }

    #[test]
    fn an_edited_unit_is_ours_with_its_files_though_it_is_not_understood() {
        let text = format!("{OWN}ExecStart=/bin/sleep $TIME\n");
        let Observed::Partial { address, why } = observed(&text) else {
            panic!("it is made anew");
        };
        assert_eq!(address.as_str(), "workload.feed");
        assert_eq!(why, "its file says `ExecStart=/bin/sleep $TIME`");
        let mine = printed(&text).mine("demo.feed").unwrap();
        assert!(
            mine.files.contains_key("/etc/feed.conf"),
            "else it would be in its own way"
        );
    }

    #[test]
    fn what_is_cut_off_is_no_answer_and_no_systemd_has_no_units() {
        assert!(Look::parse(b"Id=demo", &[]).is_err());
        let none = Look::parse(b"", &["demo.feed.service".to_owned()]).unwrap();
        assert_eq!(
            none.observed(&Project::new("demo"), UNIT, "demo.feed"),
            Observed::Absent
        );
    }
}
