//! What `infra verify` compares, claim by claim.

use std::fmt::Write;

use crate::verify::CLAIMS;

const HEAD: &str = "\
# What is verified

Made from the program's own tables; a test keeps it true.

`infra plan` and `infra diff` compare what was declared with what daemons say. `infra verify` asks no daemon whether it did
as it was told: it reads back from each host's kernel what that does, thread by thread, and compares it with what was
applied, as the state records it. `infra apply` does the same at its end for all that it changed, unless it is told not to
(`--no-verify`). It changes nothing.

    infra verify                         # every workload
    infra verify workload.feed 'module.desk.*'
    infra verify --watch 10s             # looks twice: who else ran on dedicated CPUs meanwhile?
    infra verify --json                  # schemas/verification.schema.json

A daemon is asked for one thing: the id of a running container. Processes are found by that in the path of their control
group, by the unit's name in the same, or by the machine's UUID on QEMU's command line; then one script, which only reads,
tells all of a host in one round trip. It takes root's rights there: other users' memory is nobody else's to see.

| verdict | |
|---|---|
| `holds` | it is so |
| `FAILS` | it is not so |
| `unknown` | the kernel does not tell |
| `note` | nothing that was planned: for who wants to know |

It ends with 0 where all holds, with 2 where anything fails, else with 1 where something could not be looked at.

| claim | holds where | known from |
|---|---|---|
";

const TAIL: &str = "
Nothing is asked of QEMU's monitor: libvirt marks a machine as tainted whose monitor somebody else has spoken to. What QEMU
was told to bind is seen in `numa_maps`, which is what it did.

A claim is made only of what was planned: of a workload without CPUs or nodes of its own it is said that it runs, and what
its limits are. What changes and is not mended by `infra apply` (an affinity that somebody set by `taskset` on one thread) is
mended when the workload is started anew.
";

/// The page.
#[must_use]
pub fn verification() -> String {
    let mut text = HEAD.to_owned();
    for claim in &CLAIMS {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            claim.name, claim.holds, claim.source
        );
    }
    text.push_str(TAIL);
    text
}
