//! What a domain is told to be on the host it moves to: what it runs as now, but on other CPUs and nodes.

use super::tree::{Child, Tree};

/// What says where on its host it runs, and what it was made from.
const PLACE: [&str; 3] = ["cputune", "numatune", "metadata"];

/// The description of what runs, with its place as in that of what it shall be.
pub(crate) fn on_its_way(live: &str, wanted: &str) -> Result<String, String> {
    let (mut live, wanted) = (Tree::parse(live)?, Tree::parse(wanted)?);
    for name in PLACE {
        let is_it =
            |child: &Child| matches!(child, Child::Element(element) if element.name == name);
        let place = live.children.iter().position(is_it);
        live.children.retain(|child| !is_it(child));
        let new = wanted.children.iter().find(|child| is_it(child)).cloned();
        if let Some(new) = new {
            live.children
                .insert(place.unwrap_or(live.children.len()), new);
        }
    }
    live.document()
}

/// Where the memory goes: straight to the host in the URI of its daemon.
pub(crate) fn address(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split('/').next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, p)| p);
    let host = match place.split_once(']') {
        Some((v6, _)) => format!("{v6}]"),
        None => place.split(':').next()?.to_owned(),
    };
    (!host.is_empty()).then(|| format!("tcp://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_to_other_cpus_and_nodes_and_is_the_same_otherwise() {
        let live = "<domain id='3'><name>a</name><metadata><x made='1'/></metadata><vcpu>1</vcpu>\
                    <cputune><vcpupin vcpu='0' cpuset='0'/></cputune><devices><alias name='net0'/></devices></domain>";
        let wanted = "<domain><name>a</name><metadata><x made='2'/></metadata><vcpu>1</vcpu>\
                      <cputune><vcpupin vcpu='0' cpuset='4'/></cputune>\
                      <numatune><memory mode='strict' nodeset='1'/></numatune><devices/></domain>";
        assert_eq!(
            on_its_way(live, wanted).unwrap(),
            "<domain id=\"3\"><name>a</name><metadata><x made=\"2\"/></metadata><vcpu>1</vcpu>\
             <cputune><vcpupin vcpu=\"0\" cpuset=\"4\"/></cputune><devices><alias name=\"net0\"/></devices>\
             <numatune><memory mode=\"strict\" nodeset=\"1\"/></numatune></domain>"
        );
        let bare = "<domain><devices/></domain>";
        assert_eq!(
            on_its_way("<domain><cputune><a/></cputune><devices/></domain>", bare).unwrap(),
            "<domain><devices/></domain>"
        );
        assert!(on_its_way("<domain>", bare).is_err());
    }

    #[test]
    fn memory_goes_to_the_host_of_the_daemon() {
        let address = |uri| address(uri).unwrap_or_default();
        assert_eq!(address("qemu+ssh://root@r2/system?no_tty=1"), "tcp://r2");
        assert_eq!(address("qemu+ssh://r2:2222/system"), "tcp://r2");
        assert_eq!(
            address("qemu+ssh://a@[fd00::2]:22/system"),
            "tcp://[fd00::2]"
        );
        assert_eq!(address("qemu:///system"), "");
    }
}
