//! What is done with archives. One is uploaded beside where its files will be, compared with its digest, unpacked beside
//! them, and put in their place by a rename: whatever is cut off leaves what runs as it is. The one before it is kept when
//! nobody wants it any more, so that going back needs no upload.

use infra_api::Mark;
use infra_api::target::UnpackedFiles;
use infra_door::{as_one, quoted};

use crate::look::ASKS;
use crate::mark::head;

/// What the first step says where the files are there already: as the one before, kept.
pub(crate) const HERE: &str = "here";

/// What a step ends with where the archive is another than the planned one, and where it is none that may be unpacked.
pub(crate) const CHANGED: i32 = 7;
pub(crate) const UNUSABLE: i32 = 5;

/// The names that every step has for its paths.
fn paths(name: &str) -> String {
    let path = UnpackedFiles::path(name);
    format!(
        "umask 022\n{ASKS}folder={}; mark=$folder.mark; kept=$folder.kept\n\
         beside=${{folder%/*}}; part=$folder.part new=$folder.new old=$folder.old\n",
        quoted(&path)
    )
}

fn step(name: &str, script: &str) -> String {
    as_one(&format!("{}{script}", paths(name)))
}

/// Its mark, before anything of it is there; and what was kept, where that is whole.
pub(crate) fn begin(mark: &Mark, files: &UnpackedFiles) -> String {
    let head = head(mark, &files.name);
    step(
        &files.name,
        &format!(
            "mkdir -p \"$beside\"\n\
             [ -e \"$mark\" ] || [ -e \"$kept\" ] || [ ! -e \"$folder\" ] || {{ echo \"$folder is there already, and is nobody's\" >&2; exit 9; }}\n\
             tree=; [ ! -f \"$kept\" ] || tree=$(sed -n 's/^tree=//p' \"$kept\")\n\
             {{ cat << 'END'\n{head}sha256={}\nEND\n\
             }} > \"$mark.new\"\n\
             if [ -n \"$tree\" ] && [ \"$(tree \"$folder\")\" = \"$tree\" ]; then echo \"tree=$tree\" >> \"$mark.new\"; echo {HERE}; fi\n\
             sync \"$mark.new\"; mv -fT \"$mark.new\" \"$mark\"; rm -f \"$kept\"\n",
            files.sha256
        ),
    )
}

/// Where it is uploaded to.
pub(crate) fn receive(name: &str) -> String {
    format!(
        "umask 077; exec cat > {}.part",
        quoted(&UnpackedFiles::path(name))
    )
}

/// What was uploaded, unpacked and put in its place.
pub(crate) fn unpack(files: &UnpackedFiles) -> String {
    step(
        &files.name,
        &format!(
            "set -- $(sha256sum \"$part\")\n\
             [ \"$1\" = {} ] || {{ rm -f \"$part\"; echo \"its SHA-256 is $1\" >&2; exit {CHANGED}; }}\n\
             rm -rf \"$new\"; mkdir \"$new\"\n\
             tar -xf \"$part\" -C \"$new\" --no-same-owner --no-same-permissions || {{ rm -rf \"$new\" \"$part\"; exit {UNUSABLE}; }}\n\
             odd=$(find \"$new\" ! -type f ! -type d ! -type l | head -n 1)\n\
             [ -z \"$odd\" ] || {{ rm -rf \"$new\" \"$part\"; echo \"it has a device or a pipe in it, ${{odd##*/}}\" >&2; exit {UNUSABLE}; }}\n\
             chmod 755 \"$new\"; rm -rf \"$old\"\n\
             [ ! -e \"$folder\" ] || mv -T \"$folder\" \"$old\"\n\
             mv -T \"$new\" \"$folder\"; sync -f \"$folder\"\n\
             {{ grep -v ^tree= \"$mark\"; echo \"tree=$(tree \"$folder\")\"; }} > \"$mark.new\"\n\
             sync \"$mark.new\"; mv -fT \"$mark.new\" \"$mark\"\n\
             rm -rf \"$old\" \"$part\"\n",
            files.sha256
        ),
    )
}

/// Not wanted any more. Where another one of the same image is there it is the one before, which is kept and the one before
/// that is not; nor is what a unit runs from, whatever the state knows of it. The mark goes last.
pub(crate) fn remove(name: &str) -> String {
    step(
        name,
        "[ -f \"$mark\" ] || exit 0\n\
         drop() { rm -rf \"${1%.*}\" \"$1\"; }\n\
         used() { for link in /var/lib/infra/units/*/current; do [ \"$(readlink \"$link\")\" != \"${1%.*}\" ] || return 0; done; return 1; }\n\
         for it in \"$beside\"/*.kept; do [ ! -e \"$it\" ] || used \"$it\" || drop \"$it\"; done\n\
         rm -rf \"$part\" \"$new\" \"$old\"\n\
         others=; for it in \"$beside\"/*.mark; do [ ! -e \"$it\" ] || [ \"$it\" = \"$mark\" ] || others=1; done\n\
         if [ -n \"$others\" ] || used \"$mark\"; then mv -fT \"$mark\" \"$kept\"; else drop \"$mark\"; fi\n\
         rmdir \"$beside\" 2> /dev/null || true\n",
    )
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
