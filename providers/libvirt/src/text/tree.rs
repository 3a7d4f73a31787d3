//! A document that can be changed: what is parsed, patched and written again.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use roxmltree::{Document, Node};

use super::xml::allowed;

/// Names are as they are written, with their prefix; what declares a namespace is an attribute like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Child {
    Element(Tree),
    Text(String),
}

/// libvirt's own namespace for QEMU's arguments: it always writes this prefix.
const QEMU: (&str, &str) = ("qemu", "http://libvirt.org/schemas/domain/qemu/1.0");

impl Tree {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document = Document::parse(text).map_err(|e| e.to_string())?;
        shallow(&document)?;
        Ok(Self::of(document.root_element()))
    }

    /// One element by itself. The prefix `qemu` needs no declaration.
    pub(crate) fn fragment(text: &str) -> Result<Self, String> {
        let (prefix, namespace) = QEMU;
        let wrapped = format!("<infra xmlns:{prefix}=\"{namespace}\">{text}</infra>");
        let document = Document::parse(&wrapped).map_err(|error| {
            // Positions in the wrapping would be nobody's.
            let told = error.to_string();
            let what = told.rsplit_once(" at ").map_or(&*told, |(what, _)| what);
            format!("it is no XML: {what}")
        })?;
        shallow(&document)?;
        let root = document.root_element();
        let stray = root
            .children()
            .any(|node| node.is_text() && !node.text().unwrap_or_default().trim().is_empty());
        let mut elements = root.children().filter(Node::is_element);
        match (elements.next(), elements.next(), stray) {
            (Some(element), None, false) => Ok(Self::of(element).declared()),
            (None, ..) => Err("it has no element".to_owned()),
            (_, Some(_), _) => Err("it has more than one element".to_owned()),
            (_, _, true) => Err("it has text beside its element".to_owned()),
        }
    }

    /// With the namespace of a prefix that it uses and does not declare.
    fn declared(mut self) -> Self {
        let (prefix, namespace) = QEMU;
        let name = format!("xmlns:{prefix}");
        if self.uses(prefix) && self.attribute(&name).is_none() {
            self.attributes.insert(0, (name, namespace.to_owned()));
        }
        self
    }

    fn uses(&self, prefix: &str) -> bool {
        let has = |name: &str| name.split_once(':').is_some_and(|(p, _)| p == prefix);
        has(&self.name) || self.elements().any(|child| child.uses(prefix))
    }

    fn of(node: Node) -> Self {
        let outer = node.parent_element();
        let known = |namespace: &roxmltree::Namespace| {
            let same = |other: &roxmltree::Namespace| other == namespace;
            outer.is_some_and(|outer| outer.namespaces().any(same))
        };
        let declared = node
            .namespaces()
            .filter(|n| !known(n) && n.name() != Some("xml"));
        let declared = declared.map(|namespace| {
            let name = match namespace.name().map(|name| usual(name, namespace.uri())) {
                Some(prefix) => format!("xmlns:{prefix}"),
                None => "xmlns".to_owned(),
            };
            (name, namespace.uri().to_owned())
        });
        let attributes = node.attributes().map(|attribute| {
            let name = qualified(node, attribute.namespace(), attribute.name());
            (name, attribute.value().to_owned())
        });
        let children = node.children().filter_map(|child| {
            if child.is_element() {
                return Some(Child::Element(Self::of(child)));
            }
            let text = child.is_text().then(|| child.text().unwrap_or_default());
            text.map(|text| Child::Text(text.to_owned()))
        });
        Self {
            name: qualified(node, node.tag_name().namespace(), node.tag_name().name()),
            attributes: declared.chain(attributes).collect(),
            children: children.collect(),
        }
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|child| match child {
            Child::Text(text) => Some(text.as_str()),
            Child::Element(_) => None,
        });
        texts.collect::<String>().trim().to_owned()
    }

    /// Whether all that stands in it stands in another as well, which may have more.
    pub(crate) fn is_in(&self, other: &Self) -> bool {
        let attributes = self
            .attributes
            .iter()
            .filter(|(name, _)| name != "xmlns" && !name.starts_with("xmlns:"));
        let mut attributes = attributes.map(|(n, v)| other.attribute(n) == Some(v));
        let text = self.text();
        let mut left: Vec<&Self> = other.elements().collect();
        let takes = |child: &Self| {
            let place = left.iter().position(|found| child.is_in(found));
            place.map(|place| left.remove(place)).is_some()
        };
        self.name == other.name
            && attributes.all(|same| same)
            && (text.is_empty() || text == other.text())
            && self.elements().all(takes)
    }

    pub(crate) fn document(&self) -> Result<String, String> {
        self.check()?;
        let mut writer = Writer::new(Vec::new());
        self.write(&mut writer)
            .map_err(|e| format!("the XML could not be written: {e}"))?;
        String::from_utf8(writer.into_inner()).map_err(|e| e.to_string())
    }

    fn check(&self) -> Result<(), String> {
        let texts = self.children.iter().filter_map(|child| match child {
            Child::Text(text) => Some(text),
            Child::Element(_) => None,
        });
        let mut values = self.attributes.iter().map(|(_, value)| value).chain(texts);
        let fits = |value: &str| {
            value
                .chars()
                .all(|c| allowed(c) || matches!(c, '\n' | '\r' | '\t'))
        };
        match values.find(|value| !fits(value)) {
            Some(value) => Err(format!(
                "{value:?} in <{}> holds a character that XML cannot carry",
                self.name
            )),
            None => self.elements().try_for_each(Self::check),
        }
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name.as_str());
        let attributes = self.attributes.iter();
        start.extend_attributes(attributes.map(|(name, value)| (name.as_str(), value.as_str())));
        if self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        for child in &self.children {
            match child {
                Child::Element(element) => element.write(writer)?,
                Child::Text(text) => writer.write_event(Event::Text(BytesText::new(text)))?,
            }
        }
        writer.write_event(Event::End(BytesEnd::new(self.name.as_str())))
    }
}

/// No description of a machine is nested deeper.
const DEEPEST: usize = 64;

fn shallow(document: &Document) -> Result<(), String> {
    let mut nodes = document.descendants();
    match nodes.any(|node| node.ancestors().nth(DEEPEST).is_some()) {
        true => Err(format!("it is nested deeper than {DEEPEST} levels")),
        false => Ok(()),
    }
}

/// The prefix that libvirt gives a namespace it knows, whatever it is here.
fn usual<'a>(prefix: &'a str, namespace: &str) -> &'a str {
    let (usual, known) = QEMU;
    if namespace == known { usual } else { prefix }
}

fn qualified(node: Node, namespace: Option<&str>, name: &str) -> String {
    let prefix = namespace.and_then(|uri| Some(usual(node.lookup_prefix(uri)?, uri)));
    match prefix.filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_parsed() {
        let text =
            "<a xmlns:q=\"urn:q\" b=\"&lt;&quot;&amp;\"><q:c d=\"1\">x &amp; y</q:c><e/></a>";
        let tree = Tree::parse(text).unwrap();
        assert_eq!(tree.document().unwrap(), text);
        assert_eq!(Tree::parse(&tree.document().unwrap()), Ok(tree));
    }

    #[test]
    fn a_fragment_is_one_element() {
        for (bad, why) in [
            ("", "no element"),
            ("text", "no element"),
            ("<a/><b/>", "more than one"),
            ("<a/>x", "beside its element"),
            ("<a>", "expected 'a' tag"),
            ("<a b=c/>", ""),
            ("<x:a/>", "unknown namespace prefix 'x'"),
            (&"<a>".repeat(100_000), "expected"),
            (
                &format!("{}{}", "<a>".repeat(65), "</a>".repeat(65)),
                "deeper than 64",
            ),
            ("<!DOCTYPE a [<!ENTITY e 'x'>]><a/>", ""),
        ] {
            let told = Tree::fragment(bad).unwrap_err();
            assert!(told.contains(why), "{bad}: {told}");
        }
        let tree = Tree::fragment("<qemu:commandline><qemu:arg value='-x'/></qemu:commandline>");
        let text = tree.unwrap().document().unwrap();
        assert!(
            text.starts_with("<qemu:commandline xmlns:qemu=\"http://libvirt.org/"),
            "{text}"
        );
        let other = "<q:arg xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>";
        assert_eq!(Tree::fragment(other).unwrap().name, "qemu:arg");
    }

    #[test]
    fn a_part_is_in_the_whole() {
        let tree = |text| Tree::fragment(text).unwrap();
        let whole = tree("<a b='1' c='2'> <d/> <d e='3'/> <f>text </f> </a>");
        for (part, is) in [
            ("<a/>", true),
            ("<a b='1'><d e='3'/></a>", true),
            ("<a><d/><d/></a>", true),
            ("<a><d/><d/><d/></a>", false),
            ("<a><f>text</f></a>", true),
            ("<a><f>other</f></a>", false),
            ("<a b='2'/>", false),
            ("<b/>", false),
        ] {
            assert_eq!(tree(part).is_in(&whole), is, "{part}");
        }
    }
}
