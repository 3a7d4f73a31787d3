//! In what one document differs from another, as changes that would make the one the other.

use infra_api::target::XmlPatch;

use super::tree::{Child, Tree};

/// What tells elements of one name apart, by the way to it below them.
const TOLD_BY: [(&str, &str); 13] = [
    ("disk", "target/@dev"),
    ("interface", "mac/@address"),
    ("serial", "target/@port"),
    ("channel", "target/@name"),
    ("filesystem", "target/@dir"),
    ("vcpupin", "@vcpu"),
    ("iothreadpin", "@iothread"),
    ("timer", "@name"),
    ("feature", "@name"),
    ("entry", "@name"),
    ("host", "@mac"),
    ("boot", "@dev"),
    ("controller", "@type"),
];

impl Tree {
    /// Without the blanks between elements.
    pub(crate) fn compact(mut self) -> Self {
        let blank = |child: &Child| matches!(child, Child::Text(text) if text.trim().is_empty());
        self.children.retain(|child| !blank(child));
        let children = self.children.into_iter().map(|child| match child {
            Child::Element(element) => Child::Element(element.compact()),
            Child::Text(text) => Child::Text(text.trim().to_owned()),
        });
        self.children = children.collect();
        self
    }

    /// The same in another order is the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.is_in(other) && other.is_in(self)
    }

    fn below(&self, way: &str) -> Option<&str> {
        let mut parts: Vec<&str> = way.split('/').collect();
        let attribute = parts.pop_if(|last| last.starts_with('@'))?;
        let mut here = self;
        for part in parts {
            here = here.elements().find(|child| child.name == part)?;
        }
        here.attribute(&attribute[1..])
    }

    /// How it is told from others of its name: the way, and what stands there.
    fn told_by(&self) -> Option<(&'static str, &str)> {
        let (_, way) = TOLD_BY.iter().find(|(name, _)| *name == self.name)?;
        Some((way, self.below(way)?))
    }
}

/// What makes `ours` the same as `theirs`: what is set and added first, then what is removed.
pub(crate) fn differences(ours: &Tree, theirs: &Tree) -> Vec<XmlPatch> {
    let mut all = Vec::new();
    element(ours, theirs, "", &mut all);
    all.sort_by_key(|patch| patch.remove);
    all
}

/// `devices/rng`, `cpu/@check`: what a change is about.
pub(crate) fn named(patch: &XmlPatch) -> String {
    let added = patch.add.as_ref().and_then(|add| Tree::fragment(add).ok());
    let added = added.map(|element| element.name);
    let place: Vec<&str> = patch
        .at
        .as_deref()
        .into_iter()
        .chain(added.as_deref())
        .collect();
    place.join("/")
}

fn change(at: &str) -> XmlPatch {
    XmlPatch {
        at: (!at.is_empty()).then(|| at.to_owned()),
        set: None,
        add: None,
        remove: false,
    }
}

/// An element that is added, at a place.
pub(crate) fn added(at: &str, element: &Tree) -> XmlPatch {
    let text = element.document().unwrap_or_default();
    // Quotes in values are written as entities: all that are left delimit.
    let text = match text.contains('\'') {
        true => text,
        false => text.replace('"', "'"),
    };
    XmlPatch {
        add: Some(text),
        ..change(at)
    }
}

fn join(at: &str, step: &str) -> String {
    match at {
        "" => step.to_owned(),
        at => format!("{at}/{step}"),
    }
}

fn element(ours: &Tree, theirs: &Tree, at: &str, all: &mut Vec<XmlPatch>) {
    let real = |name: &str| name != "xmlns" && !name.starts_with("xmlns:");
    for (name, value) in theirs.attributes.iter().filter(|(name, _)| real(name)) {
        if ours.attribute(name) != Some(value) {
            all.push(XmlPatch {
                set: Some(value.clone()),
                ..change(&join(at, &format!("@{name}")))
            });
        }
    }
    for (name, _) in ours.attributes.iter().filter(|(name, _)| real(name)) {
        if theirs.attribute(name).is_none() {
            all.push(XmlPatch {
                remove: true,
                ..change(&join(at, &format!("@{name}")))
            });
        }
    }
    if ours.text() != theirs.text() {
        all.push(XmlPatch {
            set: Some(theirs.text()),
            ..change(at)
        });
    }
    elements(ours, theirs, at, all);
}

/// Each of theirs finds its like among ours: the same one first, then one of its name.
fn elements(ours: &Tree, theirs: &Tree, at: &str, all: &mut Vec<XmlPatch>) {
    let mut left: Vec<&Tree> = ours.elements().collect();
    let mut unlike: Vec<&Tree> = Vec::new();
    for theirs in theirs.elements() {
        match left.iter().position(|ours| ours.is_same(theirs)) {
            Some(place) => drop(left.remove(place)),
            None => unlike.push(theirs),
        }
    }
    for theirs in unlike {
        let like = |ours: &&Tree| ours.name == theirs.name && ours.told_by() == theirs.told_by();
        match left.iter().position(like) {
            Some(place) => {
                let ours_one = left.remove(place);
                element(ours_one, theirs, &join(at, &step(ours_one, ours)), all);
            }
            None => all.push(added(at, theirs)),
        }
    }
    for ours_one in left {
        all.push(XmlPatch {
            remove: true,
            ..change(&join(at, &step(ours_one, ours)))
        });
    }
}

/// Its name, with what tells it from others of that name where there are.
fn step(element: &Tree, parent: &Tree) -> String {
    let name = &element.name;
    let alone = parent.elements().filter(|e| e.name == *name).count() == 1;
    let plain = matches!(name.as_str(), "serial" | "boot");
    match element.told_by() {
        Some((way, value)) if !(alone && plain) => format!("{name}[{way}='{value}']"),
        _ => name.clone(),
    }
}
