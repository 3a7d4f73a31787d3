//! From the files that a unit runs from to others: a link leads to them, and is renamed. Where the unit does not run from
//! the new ones, all that was written is put back and it runs from the former ones.

use std::collections::BTreeSet;
use std::fmt::Write;

use infra_api::Impact;
use infra_api::target::{Unit, UnpackedFiles};
use infra_door::quoted;

use crate::look::FOLDER;
use crate::text::{Mine, env_path};

/// What the script ends with where the former one runs again.
pub(crate) const BACK: i32 = 8;

/// So long its health check is asked again, and so long it has to run where it has none; in seconds.
const HEALTHY: u32 = 60;
const RUNNING: u32 = 2;

/// What it goes back to.
pub(crate) struct Former<'a> {
    mine: &'a Mine,
    current: &'a str,
}

/// Nothing where there is nothing to go back to, or nothing that runs for long.
pub(crate) fn back<'a>(
    unit: &Unit,
    there: Option<&'a Mine>,
    how: Option<Impact>,
) -> Option<Former<'a>> {
    let mine = there.filter(|_| how == Some(Impact::Restart) && !unit.life.task)?;
    let (current, new) = (mine.unit.current.as_deref()?, unit.current.as_deref()?);
    (current != new && mine.odd.is_none()).then_some(Former { mine, current })
}

/// Where what is written over lies meanwhile.
fn kept(name: &str) -> String {
    quoted(&format!("/var/lib/infra/units/{name}/before"))
}

/// Sets aside all that this step writes or removes.
pub(crate) fn keep(script: &mut String, unit: &Unit, former: &Former<'_>) {
    let name = &unit.name;
    let own = ["service", "timer"].map(|end| format!("{FOLDER}/{name}.{end}"));
    let paths: BTreeSet<String> = own
        .into_iter()
        .chain([env_path(name)])
        .chain(unit.files.keys().cloned())
        .chain(former.mine.files.keys().cloned())
        .collect();
    let kept = kept(name);
    let _ = writeln!(
        script,
        "kept={kept}; rm -rf \"$kept\"; (umask 077; mkdir -p \"$kept\"); n=0\n\
         keep() {{ n=$((n + 1)); printf %s \"$1\" > \"$kept/$n.path\"; [ ! -e \"$1\" ] || cp -p \"$1\" \"$kept/$n\"; }}"
    );
    for path in paths {
        let _ = writeln!(script, "keep {}", quoted(&path));
    }
}

/// Lets the link lead there, or takes it away.
pub(crate) fn point(script: &mut String, name: &str, current: Option<&str>) {
    let link = quoted(&Unit::current_path(name));
    let _ = match current {
        Some(current) => writeln!(script, "{}", lead(&link, current)),
        None => writeln!(
            script,
            "rm -f {link}; rmdir \"$(dirname {link})\" 2> /dev/null || true"
        ),
    };
}

fn lead(link: &str, current: &str) -> String {
    let current = quoted(&UnpackedFiles::path(current));
    format!(
        "mkdir -p \"$(dirname {link})\"; rm -f {link}.new; ln -s {current} {link}.new; mv -fT {link}.new {link}"
    )
}

/// Starts it, and waits for a moment to see it run.
pub(crate) fn start(script: &mut String, unit: &Unit, former: &Former<'_>) {
    let name = &unit.name;
    let main = format!("{name}.service");
    let link = quoted(&Unit::current_path(name));
    let back = lead(&link, former.current);
    let health: Vec<String> = unit.life.health_check.iter().map(|it| quoted(it)).collect();
    // Without a health check it is well that runs, and was started once.
    let (check, seconds) = match health.is_empty() {
        true => (format!("[ $n = {RUNNING} ]"), RUNNING),
        false => (
            format!("{} < /dev/null > /dev/null 2>&1", health.join(" ")),
            HEALTHY,
        ),
    };
    let _ = writeln!(
        script,
        "well() {{\n\
         systemctl reset-failed {main} 2> /dev/null || true\n\
         systemctl restart {main} || return 1\n\
         n=0\n\
         until {check}; do\n\
         [ $n -lt {seconds} ] || return 1\n\
         sleep 1; n=$((n + 1))\n\
         systemctl -q is-active {main} && [ \"$(systemctl show -p NRestarts --value {main})\" = 0 ] || return 1\n\
         done\n\
         }}\n\
         systemctl -q enable {main}\n\
         if well; then rm -rf \"$kept\"; exit 0; fi\n\
         why=$(systemctl show -p Result --value {main})\n\
         for it in \"$kept\"/*.path; do\n\
         path=$(cat \"$it\")\n\
         if [ -e \"${{it%.path}}\" ]; then cp -p \"${{it%.path}}\" \"$path.infra\"; mv -fT \"$path.infra\" \"$path\"; else rm -f \"$path\"; fi\n\
         done\n\
         {back}\n\
         systemctl daemon-reload\n\
         systemctl reset-failed {main} 2> /dev/null || true\n\
         systemctl restart {main} || true\n\
         rm -rf \"$kept\"\n\
         echo \"it does not run from the new files ($why), and runs from the former ones again\" >&2\n\
         exit {BACK}"
    );
}

#[cfg(test)]
#[path = "switch_tests.rs"]
mod tests;
