//! XML as libvirt's documents need it: a small tree to write, and paths to read by. Knows no element's meaning.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use roxmltree::{Document, Node};
use std::fmt::Display;

/// An element to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct El {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<El>,
}

pub(crate) fn el(name: &'static str) -> El {
    El {
        name,
        attributes: Vec::new(),
        text: None,
        children: Vec::new(),
    }
}

/// An element that holds nothing but text.
pub(crate) fn leaf(name: &'static str, text: impl Display) -> El {
    El {
        text: Some(text.to_string()),
        ..el(name)
    }
}

impl El {
    pub(crate) fn attr(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// An attribute, where there is a value.
    pub(crate) fn attrs(self, name: &'static str, value: Option<&(impl Display + ?Sized)>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    pub(crate) fn child(mut self, child: El) -> Self {
        self.children.push(child);
        self
    }

    /// Appends what there is: an `Option`, a list, an iterator.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = El>) -> Self {
        self.children.extend(children);
        self
    }

    /// Without prefixes and without naming their namespace, for who puts it into one himself.
    pub(crate) fn unprefixed(self) -> Self {
        let plain = |name: &'static str| name.split_once(':').map_or(name, |(_, plain)| plain);
        Self {
            name: plain(self.name),
            attributes: self
                .attributes
                .into_iter()
                .filter(|(name, _)| !name.starts_with("xmlns:"))
                .collect(),
            children: self.children.into_iter().map(Self::unprefixed).collect(),
            ..self
        }
    }

    /// The document's text. XML has no way to write control characters, so a value with one is refused
    /// here by name, where libvirt would only say "parse error".
    pub(crate) fn document(&self) -> Result<String, String> {
        self.check()?;
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer)
            .map_err(|e| format!("the XML could not be written: {e}"))?;
        String::from_utf8(writer.into_inner()).map_err(|e| e.to_string())
    }

    fn check(&self) -> Result<(), String> {
        let mut values = self
            .attributes
            .iter()
            .map(|(_, value)| value)
            .chain(&self.text);
        match values.find(|value| !value.chars().all(allowed)) {
            Some(value) => Err(format!(
                "{value:?} in <{}> holds a character that XML cannot carry",
                self.name
            )),
            None => self.children.iter().try_for_each(El::check),
        }
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name);
        start.extend_attributes(
            self.attributes
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(text)))?;
        }
        self.children
            .iter()
            .try_for_each(|child| child.write(writer))?;
        writer.write_event(Event::End(BytesEnd::new(self.name)))
    }
}

pub(crate) fn allowed(c: char) -> bool {
    c >= ' ' && !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

/// Parses a document and hands its root element to `read`.
pub(crate) fn parse<T>(text: &str, read: impl FnOnce(Node) -> Option<T>) -> Result<T, String> {
    let document =
        Document::parse(text).map_err(|e| format!("libvirt's XML cannot be read: {e}"))?;
    let root = document.root_element();
    read(root).ok_or_else(|| {
        format!(
            "libvirt's <{}> lacks what each one has",
            root.tag_name().name()
        )
    })
}

/// The elements `name` right under a node.
pub(crate) fn all<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

/// The first element at a path such as `os/kernel`.
pub(crate) fn find<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(node, |node, name| {
        node.children().find(|child| child.has_tag_name(name))
    })
}

pub(crate) fn text(node: Node, path: &str) -> Option<String> {
    find(node, path).map(|found| found.text().unwrap_or_default().to_owned())
}

pub(crate) fn attr(node: Node, path: &str, name: &str) -> Option<String> {
    find(node, path)?.attribute(name).map(str::to_owned)
}

/// A size with libvirt's `unit` (powers of 1024 unless it ends in `B`), in bytes; without one, KiB.
pub(crate) fn size(node: Node, number: &str) -> Option<u64> {
    let scale: u64 = match node.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.trim().parse::<u64>().ok()?.checked_mul(scale)
}

/// The size an element holds as its text.
pub(crate) fn size_at(node: Node, path: &str) -> Option<u64> {
    let found = find(node, path)?;
    size(found, found.text()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_escaped_and_read_back() {
        let nasty = r#"<a & "b" 'c'>"#;
        let xml = el("top")
            .child(leaf("x", nasty))
            .child(el("y").attr("z", nasty))
            .document()
            .unwrap();
        let back = parse(&xml, |root| Some((text(root, "x")?, attr(root, "y", "z")?)));
        assert_eq!(back, Ok((nasty.to_owned(), nasty.to_owned())));
    }

    #[test]
    fn control_characters_are_refused() {
        for bad in ["a\0b", "a\nb", "\u{1b}[31m"] {
            assert!(leaf("x", bad).document().unwrap_err().contains("<x>"));
            assert!(el("x").attr("y", bad).document().is_err());
        }
    }

    #[test]
    fn sizes_have_units() {
        let read = |xml: &str| parse(xml, |root| size(root, root.text()?));
        assert_eq!(read("<m unit='KiB'>2048</m>"), Ok(2 << 20));
        assert_eq!(read("<m>1</m>"), Ok(1024));
        assert_eq!(read("<m unit='bytes'>5000</m>"), Ok(5000));
        assert!(read("<m unit='parsec'>1</m>").is_err());
        assert!(read("<m unit='TiB'>99999999999999</m>").is_err());
    }
}
