//! What is done with packages. What was found is written down before anything is changed, and is put back when nobody wants
//! it any more; what others on the host need stays.

use infra_api::Mark;
use infra_api::target::Package;
use infra_door::{as_one, quoted};

use crate::look::{ASKS, PACKAGES};
use crate::mark::head;

/// What a step says where what was found is not put back.
pub(crate) const KEPT: &str = "kept";

/// What a step ends with where the host has no such package or version, and where it has no apt.
pub(crate) const UNKNOWN: i32 = 5;
pub(crate) const NO_APT: i32 = 6;

/// Nobody is asked anything, and nothing else is removed. Who has dpkg now is waited for.
const APT: &str = "apt() {\n\
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold \
    -o APT::Get::Assume-Yes=true \"$@\" < /dev/null > /dev/null\n\
    }\n\
    versions() { apt-cache madison -- \"$name\" 2> /dev/null | sed 's/^[^|]*|[[:space:]]*\\([^|[:space:]]*\\).*/\\1/' | sort -u; }\n\
    known() { versions | grep -qxF -e \"$1\"; }\n\
    put_in() { apt --no-install-recommends --no-remove --allow-downgrades install \"$name=$1\"; }\n\
    must() {\n\
    command -v apt-get > /dev/null && command -v dpkg-query > /dev/null || { echo 'there is no apt-get on this host' >&2; exit 6; }\n\
    [ -z \"$(dpkg --audit 2> /dev/null)\" ] || dpkg --configure -a < /dev/null > /dev/null\n\
    }\n";

fn step(project: &str, name: &str, script: &str) -> String {
    as_one(&format!(
        "umask 022\n{ASKS}{APT}name={} mark={}\n{script}",
        quoted(name),
        quoted(&format!("{PACKAGES}/{project}.{name}.mark"))
    ))
}

/// Installs that version. The services that a new package brings are stopped and stay so: what runs is the workload.
pub(crate) fn set(mark: &Mark, package: &Package) -> String {
    let head = head(mark, &package.name);
    let script = format!(
        "version={}\nmust\nmkdir -p {PACKAGES}\n\
         if [ ! -f \"$mark\" ]; then\n\
         {{ cat << 'END'\n{head}END\n\
         echo \"found=$(installed \"$name\")\"; }} > \"$mark.new\"\n\
         sync \"$mark.new\"; mv -fT \"$mark.new\" \"$mark\"\n\
         fi\n\
         found=$(sed -n 's/^found=//p' \"$mark\")\n\
         [ \"$(installed \"$name\")\" != \"$version\" ] || exit 0\n\
         known \"$version\" || apt update || true\n\
         known \"$version\" || {{\n\
         set -- $(versions)\n\
         if [ $# = 0 ]; then echo \"apt knows no package $name\" >&2\n\
         else echo \"apt knows no version $version of $name, only $*\" >&2; fi\n\
         [ \"$(installed \"$name\")\" != \"$found\" ] || rm -f \"$mark\"\n\
         exit {UNKNOWN}; }}\n\
         put_in \"$version\"\n\
         [ -z \"$found\" ] || exit 0\n\
         dpkg -L -- \"$name\" | sed -n 's|^\\(/usr\\)*/lib/systemd/system/\\([^/]*\\)$|\\2|p' | while read -r unit; do\n\
         [ \"$(systemctl is-enabled \"$unit\" 2> /dev/null)\" != enabled ] || systemctl -q disable --now \"$unit\" < /dev/null 2> /dev/null || true\n\
         done\n",
        quoted(&package.version)
    );
    step(mark.project.as_str(), &package.name, &script)
}

/// Puts back what was found, and forgets it.
pub(crate) fn unset(mark: &Mark, name: &str) -> String {
    let script = format!(
        "[ -f \"$mark\" ] || exit 0\nmust\n\
         found=$(sed -n 's/^found=//p' \"$mark\")\n\
         now=$(installed \"$name\")\n\
         if [ \"$now\" = \"$found\" ]; then true\n\
         elif [ -n \"$found\" ]; then\n\
         if known \"$found\"; then put_in \"$found\"; else echo {KEPT}; fi\n\
         elif [ \"$(apt-get -s remove \"$name\" < /dev/null 2> /dev/null | grep -c '^Remv ')\" = 1 ]; then apt remove \"$name\"\n\
         else echo {KEPT}; fi\n\
         rm -f \"$mark\"\n"
    );
    step(mark.project.as_str(), name, &script)
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
