//! Our mark in a domain's or network's `<metadata>`: whose it is, and what we last wrote.

use infra_api::{Address, Mark, Project, names};
use roxmltree::Node;
use serde::Serialize;

use super::xml::{El, el, find};

/// Our namespace in libvirt's metadata. Its last part is the version of the element's shape.
pub(crate) const NAMESPACE: &str = "urn:infra:mark:1";

/// A mark as it stands in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) mark: Mark,
    /// [`fingerprint`] of the body the object was written from.
    pub(crate) made: String,
}

/// The element that marks an object; a domain's own notes may follow in it.
pub(crate) fn element(mark: &Mark, made: &str) -> El {
    let Mark { project, address } = mark;
    el("infra:mark")
        .attr("xmlns:infra", NAMESPACE)
        .attr("project", project)
        .attr("address", address)
        .attr("made", made)
}

/// The mark's element in a `<domain>` or `<network>`.
pub(crate) fn node<'a, 'i>(root: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    find(root, "metadata")?
        .children()
        .find(|child| child.has_tag_name((NAMESPACE, "mark")))
}

pub(crate) fn read(root: Node) -> Option<Stamp> {
    let node = node(root)?;
    let mark = Mark {
        project: Project::new(node.attribute("project")?),
        address: Address::new(node.attribute("address")?),
    };
    Some(Stamp {
        mark,
        made: node.attribute("made").unwrap_or_default().to_owned(),
    })
}

/// A digest that tells whether an object is still as we wrote it.
pub(crate) fn fingerprint(body: &impl Serialize) -> String {
    // A body that cannot become JSON equals nothing, which only makes us look closer.
    let json = serde_json::to_string(body).unwrap_or_default();
    names::digest(&[&json])[..16].to_owned()
}

/// Which of two versions of one object to report: what runs, and what its next start would make of it.
/// Where they differ somebody changed one of them by hand, and the one that is not as we wrote it is the news.
/// Without the fingerprint, `virsh edit` (which leaves the running machine alone) could not be seen.
pub(crate) fn news<T: Serialize>(live: T, stored: T, made: &str) -> T {
    if fingerprint(&live) == made {
        stored
    } else {
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::xml::parse;

    #[test]
    fn a_mark_is_read_back() {
        let mark = Mark {
            project: Project::new("demo"),
            address: Address::new("workload.a[\"<x&y>\"]"),
        };
        let xml = el("domain")
            .child(el("metadata").child(element(&mark, "0123")))
            .document()
            .unwrap();
        assert_eq!(
            parse(&xml, read),
            Ok(Stamp {
                mark,
                made: "0123".into()
            })
        );
    }

    #[test]
    fn another_namespace_is_no_mark() {
        let xml = "<domain><metadata><infra:mark xmlns:infra='urn:other' project='p' address='a'/></metadata></domain>";
        assert!(parse(xml, read).is_err());
    }

    #[test]
    fn the_news_is_what_we_did_not_write() {
        let made = fingerprint(&1);
        assert_eq!(news(1, 2, &made), 2, "edited for the next start");
        assert_eq!(news(2, 1, &made), 2, "changed while it runs");
        assert_eq!(news(1, 1, &made), 1);
    }
}
