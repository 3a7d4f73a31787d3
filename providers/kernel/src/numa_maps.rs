//! `/proc/PID/numa_maps`: where a process's memory is.

use infra_api::running::Mapping;

/// The mappings that have pages.
pub(crate) fn parse(text: &str) -> Vec<Mapping> {
    text.lines().filter_map(mapping).collect()
}

/// `ADDRESS POLICY [file=…] [huge] [N0=… N1=…] [kernelpagesize_kB=…]`, in any order after the second word.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_whitespace().skip(1);
    let mut mapping = Mapping {
        policy: words.next().and_then(policy),
        page_bytes: 4096,
        ..Mapping::default()
    };
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            // What no file system has is its own, though the kernel gives it a name.
            "file" => {
                mapping.is_file = ![
                    "/memfd:",
                    "/SYSV",
                    "/dev/zero",
                    "/anon_hugepage",
                    "/dev/shm/",
                ]
                .iter()
                .any(|own| value.starts_with(own))
            }
            "huge" => mapping.is_huge = true,
            "kernelpagesize_kB" => {
                mapping.page_bytes = value.parse::<u64>().ok()?.checked_mul(1024)?
            }
            _ => {
                if let Some(node) = name.strip_prefix('N').and_then(|node| node.parse().ok()) {
                    mapping.pages.insert(node, value.parse().ok()?);
                }
            }
        }
    }
    mapping.is_file &= !mapping.is_huge;
    (!mapping.pages.is_empty()).then_some(mapping)
}

/// `bind:0-1`, with flags `bind=static:0-1`.
fn policy(policy: &str) -> Option<(String, infra_api::IdSet)> {
    let (mode, nodes) = policy.split_once(':')?;
    let mode = mode.split('=').next()?;
    Some((mode.to_owned(), nodes.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_where_its_pages_are() {
        let text = "55d0 default file=/usr/bin/qemu mapped=9 N0=9 kernelpagesize_kB=4\n\
                    7f7b8be00000 bind:0 file=/memfd:memory-backend-memfd huge dirty=32 N0=32 kernelpagesize_kB=2048\n\
                    7f00 bind=static:1,3 anon=5 dirty=5 N1=2 N3=3 kernelpagesize_kB=4\n\
                    7f01 prefer:1 heap anon=1 N1=1 kernelpagesize_kB=4\n\
                    7f02 default\n";
        let maps = parse(text);
        assert_eq!(maps.len(), 4, "what has no pages is nowhere");
        let policies: Vec<String> = maps
            .iter()
            .map(|m| {
                m.policy
                    .as_ref()
                    .map_or(String::new(), |(mode, nodes)| format!("{mode} {nodes}"))
            })
            .collect();
        assert_eq!(policies, ["", "bind 0", "bind 1,3", "prefer 1"]);
        assert!(maps[0].is_file && maps[1..].iter().all(|m| !m.is_file));
        assert!(maps[1].is_huge && maps[1].page_bytes == 2 << 20);
        assert_eq!(maps[2].pages, [(1, 2), (3, 3)].into());
    }
}
