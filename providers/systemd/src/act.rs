//! What is done: one script for each step. Whatever is cut off is found by its mark, which is written first, and the same
//! script run again ends it.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use infra_api::target::{Unit, UnitAddress, UploadedFile};
use infra_api::{Impact, Mark};
use infra_door::{as_one, quoted};

use crate::look::{CONTROL, FOLDER};
use crate::switch;
use crate::text::{IP, Mine, encode, env_path, live, plain_env, timer, write_env};

/// What the script says where a file of somebody else's is in the way.
pub(crate) const TAKEN: &str = "is there already, and is none of this unit's";

/// A file is there whole or not at all, wherever this is cut off.
pub(crate) const PUT: &str = "umask 022\n\
    put() {\n\
    d=$(dirname \"$1\"); mkdir -p \"$d\"; t=$d/.infra.$$\n\
    (umask 077; base64 -d > \"$t\"); chown \"$3:$4\" \"$t\"; chmod \"$2\" \"$t\"; sync \"$t\"; mv -fT \"$t\" \"$1\"\n\
    }\n";

pub(crate) fn put(
    script: &mut String,
    path: &str,
    bytes: &[u8],
    (mode, uid, gid): (u32, u32, u32),
) {
    let (path, text) = (quoted(path), STANDARD.encode(bytes));
    let _ = writeln!(
        script,
        "put {path} {mode:o} {uid} {gid} << 'END'\n{text}\nEND"
    );
}

/// Makes a unit, or makes it another one. `there`: what carries its mark already. `how`: what of it that runs may be
/// touched; nothing where it is made.
///
/// # Errors
/// When a file or secret is none that could be written.
pub(crate) fn settle(
    unit: &Unit,
    mark: &Mark,
    there: Option<&Mine>,
    how: Option<Impact>,
) -> Result<String, String> {
    let name = &unit.name;
    let mut script = PUT.to_owned();
    let is_theirs = |path: &&String| there.is_none_or(|mine| !mine.files.contains_key(*path));
    for path in unit.files.keys().filter(is_theirs) {
        let (path, taken) = (quoted(path), quoted(TAKEN));
        let _ = writeln!(
            script,
            "[ ! -e {path} ] && [ ! -L {path} ] || {{ echo {path} {taken} >&2; exit 9; }}"
        );
    }
    let back = switch::back(unit, there, how);
    if let Some(former) = &back {
        switch::keep(&mut script, unit, former);
    }
    let root = (0o644, 0, 0);
    put(
        &mut script,
        &format!("{FOLDER}/{name}.service"),
        encode(unit, mark).as_bytes(),
        root,
    );
    match timer(unit, mark) {
        Some(text) => put(
            &mut script,
            &format!("{FOLDER}/{name}.timer"),
            text.as_bytes(),
            root,
        ),
        None => without_timer(&mut script, name),
    }
    let env = plain_env(&unit.env)?;
    match env.is_empty() {
        true => remove(&mut script, &env_path(name)),
        false => put(
            &mut script,
            &env_path(name),
            write_env(&env).as_bytes(),
            (0o600, 0, 0),
        ),
    }
    data(&mut script, unit, there)?;
    addresses(&mut script, unit, there);
    lay_aside(&mut script, &format!("{name}.service"));
    switch::point(&mut script, name, unit.current.as_deref());
    script += "systemctl daemon-reload\n";
    match back {
        Some(former) => switch::start(&mut script, unit, &former),
        None => start(&mut script, unit, how),
    }
    Ok(as_one(&script))
}

/// Its files and folders, and no file that it has no more.
fn data(script: &mut String, unit: &Unit, there: Option<&Mine>) -> Result<(), String> {
    for (path, file) in &unit.files {
        put(
            script,
            path,
            &bytes(path, file)?,
            (file.mode, file.uid, file.gid),
        );
    }
    for path in there.into_iter().flat_map(|mine| mine.files.keys()) {
        if !unit.files.contains_key(path) {
            remove(script, path);
        }
    }
    for folder in unit.folders.values() {
        let path = quoted(&folder.path);
        let owner = [
            unit.user.as_deref().unwrap_or("root"),
            unit.group.as_deref().unwrap_or(""),
        ];
        let owner = quoted(&owner.join(":"));
        let _ = writeln!(
            script,
            "[ -d {path} ] || {{ mkdir -p {path}; chown {owner} {path}; }}"
        );
    }
    Ok(())
}

/// Those that it has no more go here: the new file knows only the new ones.
fn addresses(script: &mut String, unit: &Unit, there: Option<&Mine>) {
    let wanted: Vec<_> = unit.addresses.values().collect();
    let had = there
        .into_iter()
        .flat_map(|mine| mine.unit.addresses.values());
    for UnitAddress { device, address } in had.filter(|had| !wanted.contains(had)) {
        let device = quoted(device);
        let _ = writeln!(
            script,
            "{IP} delete {address} dev {device} 2> /dev/null || true"
        );
    }
}

/// What a person laid over it is kept where systemd does not read it; what `set-property` did is systemd's own.
pub(crate) fn lay_aside(script: &mut String, file: &str) {
    let file = quoted(file);
    let _ = writeln!(
        script,
        "for it in {FOLDER}/{file}.d/*.conf; do [ ! -f \"$it\" ] || mv -f \"$it\" \"$it.undone\"; done"
    );
    for folder in CONTROL {
        let _ = writeln!(script, "rm -rf {folder}/{file}.d");
    }
}

fn without_timer(script: &mut String, name: &str) {
    let file = format!("{FOLDER}/{name}.timer");
    let _ = writeln!(
        script,
        "if [ -e {file} ]; then systemctl -q disable --now {name}.timer; rm -f {file}; fi"
    );
}

fn start(script: &mut String, unit: &Unit, how: Option<Impact>) {
    let name = &unit.name;
    let waits = unit.life.times.is_some();
    let main = format!("{name}.{}", if waits { "timer" } else { "service" });
    let _ = writeln!(script, "systemctl -q enable {main}");
    let live = live(unit)
        .iter()
        .map(|it| quoted(it))
        .collect::<Vec<_>>()
        .join(" ");
    let wait = if unit.life.task { " --no-block" } else { "" };
    let _ = match (how, waits) {
        // A timer starts it as it is then.
        (_, true) => writeln!(script, "systemctl restart {main}"),
        // Set for what runs, and taken away again: its own file says the same.
        (Some(Impact::InPlace), false) => writeln!(
            script,
            "case $(systemctl show -p ActiveState --value {main}) in\n\
             active | activating | reloading) systemctl --runtime set-property {main} {live}; rm -rf {}/{main}.d; systemctl daemon-reload ;;\n\
             *) systemctl reset-failed {main} 2> /dev/null || true; systemctl start{wait} {main} ;;\n\
             esac",
            CONTROL[1]
        ),
        _ => writeln!(
            script,
            "systemctl reset-failed {main} 2> /dev/null || true; systemctl restart{wait} {main}"
        ),
    };
}

/// Ends a unit and removes what is its own; its data stay.
pub(crate) fn remove_all(name: &str, mine: Option<&Mine>) -> String {
    let mut script = String::new();
    without_timer(&mut script, name);
    let file = format!("{FOLDER}/{name}.service");
    let _ = writeln!(script, "systemctl -q disable --now {name}.service");
    for path in mine.into_iter().flat_map(|mine| mine.files.keys()) {
        remove(&mut script, path);
    }
    remove(&mut script, &env_path(name));
    switch::point(&mut script, name, None);
    for folder in CONTROL {
        let _ = writeln!(script, "rm -rf {folder}/{name}.service.d");
    }
    // The mark goes last: until then it is found.
    let _ = writeln!(
        script,
        "rm -f {file}\nsystemctl daemon-reload\nsystemctl reset-failed {name}.service 2> /dev/null || true"
    );
    as_one(&script)
}

fn remove(script: &mut String, path: &str) {
    let _ = writeln!(script, "rm -f {}", quoted(path));
}

fn bytes(path: &str, file: &UploadedFile) -> Result<Vec<u8>, String> {
    let text = file.content.plain();
    let text = text.ok_or_else(|| format!("the secret content of `{path}` has no value here"))?;
    match file.binary {
        true => STANDARD
            .decode(text)
            .map_err(|error| format!("the content of `{path}` is not base64: {error}")),
        false => Ok(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use infra_api::{Address, Project};

    use super::*;

    fn unit() -> Unit {
        let file = UploadedFile {
            content: "it's $HOME\n".into(),
            binary: false,
            mode: 0o640,
            uid: 0,
            gid: 0,
        };
        Unit {
            name: "demo.feed".to_owned(),
            exec: vec!["/bin/true".to_owned()],
            files: [("/etc/it's here".to_owned(), file)].into(),
            ..Unit::default()
        }
    }

    fn script(how: Option<Impact>) -> String {
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("workload.feed"),
        };
        settle(&unit(), &mark, None, how).unwrap()
    }

    /// What a shell says of a script that it reads and does not carry out.
    fn read(script: &str) -> bool {
        let shell = Command::new("sh")
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut shell = shell.unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), script.as_bytes()).unwrap();
        shell.wait().unwrap().success()
    }

    #[test]
    fn a_shell_understands_every_script() {
        for how in [None, Some(Impact::InPlace), Some(Impact::Restart)] {
            assert!(read(&script(how)), "{how:?}");
        }
        assert!(read(&remove_all("demo.feed", None)));
    }

    #[test]
    fn nothing_is_done_of_a_script_that_is_cut_off() {
        let whole = script(None);
        let done = whole.trim_end().len() - "main".len();
        for length in (0..done).step_by(97) {
            let cut = &whole[..length];
            let outside = cut.lines().filter(|line| *line == "main").count();
            assert_eq!(outside, 0, "{length}");
            assert!(
                cut.is_empty() || !read(cut) || "main() {".starts_with(cut),
                "{length}"
            );
        }
    }

    #[test]
    fn an_address_that_it_has_no_more_goes() {
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("workload.feed"),
        };
        let at = |address: &str| UnitAddress {
            device: "br-x".to_owned(),
            address: address.parse().unwrap(),
        };
        let (mut old, mut new) = (unit(), unit());
        old.addresses = [("lan".to_owned(), at("10.0.0.2/24"))].into();
        new.addresses = [("lan".to_owned(), at("10.0.0.3/24"))].into();
        let there = crate::text::decode("demo.feed", &[encode(&old, &mark)]).unwrap();
        let goes = |unit: &Unit| {
            let script = settle(unit, &mark, Some(&there), Some(Impact::Restart)).unwrap();
            script.contains("/usr/sbin/ip address delete 10.0.0.2/24 dev br-x")
        };
        assert!(goes(&new) && !goes(&old));
    }

    #[test]
    fn a_secret_without_its_value_is_not_written() {
        let mut unit = unit();
        let digest = "hmac-sha256:0".to_owned();
        unit.env = [("A".to_owned(), infra_api::Text::Secret { digest })].into();
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("workload.feed"),
        };
        assert!(
            settle(&unit, &mark, None, None)
                .unwrap_err()
                .contains("`A`")
        );
    }
}
