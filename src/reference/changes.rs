//! What a change of each attribute of a container takes: the words of the language against the provider's own table.

use std::fmt::Write;

use infra_api::{Impact, Provider};

use crate::decide::container_words;

const HEAD: &str = "\
# What changing a container takes

Made from the program's own tables; a test keeps it true. Defaults are in [blocks.md](blocks.md); what the neutral blocks
(`cpus`, `memory`, `interface`, `disk`) take is in [runtimes.md](runtimes.md).

*in place*: the process runs on. *restart*: the same container is stopped and started. *replaced*: it is made anew; its
disks stay. Of a map or a repeated block one entry is meant. The Engine answers 200 to an update of much that it then does
not change; what stands here as in place was read back from a running container (Docker 20.10), and is read back each time.

| attribute | written or changed | taken away |
|---|---|---|
";

/// The table.
#[must_use]
pub fn changes(docker: &dyn Provider) -> String {
    let mut text = HEAD.to_owned();
    // What is named as a whole is made of what is named below it.
    let parts =
        container_words().filter(|(name, _)| !matches!(*name, "container" | "container.limits"));
    for (name, paths) in parts {
        let takes = |removed| {
            let each = paths
                .iter()
                .map(|path| docker.impact("container", path, removed));
            word(each.max().unwrap_or(Impact::Replace))
        };
        let name = name.trim_start_matches("container.");
        let _ = writeln!(text, "| `{name}` | {} | {} |", takes(false), takes(true));
    }
    let content: Vec<String> = ["files", "/etc/x", "content"].map(str::to_owned).to_vec();
    let content = word(docker.impact("container", &content, false));
    let _ = writeln!(text, "| `file` content, mode, uid, gid | {content} | – |");
    text
}

fn word(impact: Impact) -> &'static str {
    match impact {
        Impact::InPlace => "in place",
        Impact::Restart => "restart",
        Impact::Replace => "replaced",
    }
}
