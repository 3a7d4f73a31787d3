//! The parser's tree with every place worked out, and the taking apart of blocks. A block is asked for what
//! it may hold; whatever is left over at the end is unknown. So what a block takes is said only once.

use crate::evaluation::Spanned;
use crate::needs::{Needs, needs};
use crate::words::suggest;
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{self, BlockLabel, Body, Structure};
use infra_diag::{Diagnostic, Diagnostics, SourceId, Span};
use std::sync::Arc;

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) node: Expression,
    pub(crate) span: Span,
    pub(crate) needs: Needs,
}

impl Expr {
    pub(crate) fn new(node: Expression, source: SourceId) -> Self {
        let span = Span::new(source, node.span().unwrap_or(0..0));
        let needs = needs(&node, source);
        Self { node, span, needs }
    }

    pub(crate) fn source(&self) -> SourceId {
        self.span.source
    }
}

/// `name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Spanned<Arc<str>>,
    pub(crate) value: Expr,
}

/// `kind "label" { … }`.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) kind: Spanned<Arc<str>>,
    pub(crate) labels: Vec<Spanned<Arc<str>>>,
    /// Kind and labels.
    pub(crate) header: Span,
    fields: Vec<Field>,
    sections: Vec<Section>,
    known_fields: Vec<&'static str>,
    known_sections: Vec<&'static str>,
}

/// The fields and blocks of a whole file.
pub(crate) fn contents(body: Body, source: SourceId) -> (Vec<Field>, Vec<Section>) {
    let (mut fields, mut sections) = (Vec::new(), Vec::new());
    for structure in body {
        match structure {
            Structure::Attribute(a) => fields.push(field(a, source)),
            Structure::Block(b) => sections.push(section(b, source)),
        }
    }
    (fields, sections)
}

fn field(attribute: structure::Attribute, source: SourceId) -> Field {
    let span = Span::new(source, attribute.key.span().unwrap_or(0..0));
    let name = Spanned {
        value: attribute.key.as_str().into(),
        span,
    };
    Field {
        name,
        value: Expr::new(attribute.value, source),
    }
}

fn section(block: structure::Block, source: SourceId) -> Section {
    let span = |range: Option<std::ops::Range<usize>>| Span::new(source, range.unwrap_or(0..0));
    let kind = Spanned {
        value: block.ident.as_str().into(),
        span: span(block.ident.span()),
    };
    let label = |l: &BlockLabel| Spanned {
        value: l.as_str().into(),
        span: span(l.span()),
    };
    let labels: Vec<_> = block.labels.iter().map(label).collect();
    let end = labels.last().map_or(kind.span.end, |label| label.span.end);
    let header = Span { end, ..kind.span };
    let (fields, sections) = contents(block.body, source);
    let (known_fields, known_sections) = (Vec::new(), Vec::new());
    Section {
        kind,
        labels,
        header,
        fields,
        sections,
        known_fields,
        known_sections,
    }
}

impl Section {
    /// The field of that name, which is now known to be one.
    pub(crate) fn field(&mut self, name: &'static str) -> Option<Field> {
        self.known_fields.push(name);
        let at = self
            .fields
            .iter()
            .position(|field| &*field.name.value == name)?;
        Some(self.fields.remove(at))
    }

    /// The field of that name, or an error that it is missing.
    pub(crate) fn required(&mut self, name: &'static str, found: &mut Diagnostics) -> Option<Expr> {
        let field = self.field(name);
        if field.is_none() {
            found.push(missing(self.header, &self.kind.value, name, "…"));
        }
        field.map(|field| field.value)
    }

    /// All blocks of that kind, which is now known to be one.
    pub(crate) fn sections(&mut self, kind: &'static str) -> Vec<Section> {
        self.known_sections.push(kind);
        self.sections
            .extract_if(.., |section| &*section.kind.value == kind)
            .collect()
    }

    /// The one block of that kind; more than one are an error.
    pub(crate) fn section(
        &mut self,
        kind: &'static str,
        found: &mut Diagnostics,
    ) -> Option<Section> {
        let mut all = self.sections(kind).into_iter();
        let first = all.next()?;
        for more in all {
            found.push(twice(kind, more.header, first.header));
        }
        Some(first)
    }

    /// Every field that is left, whatever its name.
    pub(crate) fn all_fields(&mut self) -> Vec<Field> {
        std::mem::take(&mut self.fields)
    }

    /// Its one label, if it has exactly one.
    pub(crate) fn label(&self, what: &str, found: &mut Diagnostics) -> Option<Spanned<Arc<str>>> {
        let kind = &self.kind.value;
        match &self.labels[..] {
            [label] => return Some(label.clone()),
            [] => found.push(
                Diagnostic::error("Missing label")
                    .at(self.header, format!("`{kind}` needs a label: {what}"))
                    .hint(format!(
                        "write {kind} \"{}\" {{ … }}",
                        what.to_uppercase().replace(' ', "_")
                    )),
            ),
            [_, second, ..] => found.push(
                Diagnostic::error("Too many labels")
                    .at(second.span, format!("`{kind}` has one label only: {what}"))
                    .hint(format!("write {kind} \"{}\" {{ … }}", self.labels[0].value)),
            ),
        }
        None
    }

    /// Like [`Section::label`], but also a name that expressions can refer to.
    pub(crate) fn name(&self, what: &str, found: &mut Diagnostics) -> Option<Spanned<Arc<str>>> {
        let label = self.label(what, found)?;
        if crate::address::is_name(&label.value) {
            return Some(label);
        }
        let text = format!("`{}` is no name", label.value);
        found.push(Diagnostic::error("Invalid name").at(label.span, text).hint(
            "a name starts with a letter or `_` and goes on with letters, digits, `_` and `-`",
        ));
        None
    }

    pub(crate) fn no_label(&self, found: &mut Diagnostics) {
        if let Some(label) = self.labels.first() {
            let text = format!("`{}` has no label", self.kind.value);
            let error = Diagnostic::error("Too many labels").at(label.span, text);
            found.push(error.hint(format!("write {} {{ … }}", self.kind.value)));
        }
    }

    /// Reports everything that nobody asked for. `elsewhere` may say where a name would be right.
    pub(crate) fn finish(
        self,
        elsewhere: impl Fn(&str) -> Option<String>,
        found: &mut Diagnostics,
    ) {
        for field in &self.fields {
            found.push(self.unknown_field(field, &elsewhere));
        }
        for section in &self.sections {
            found.push(self.unknown_section(section, &elsewhere));
        }
    }

    fn unknown_field(
        &self,
        field: &Field,
        elsewhere: &impl Fn(&str) -> Option<String>,
    ) -> Diagnostic {
        let (name, kind) = (&field.name.value, &self.kind.value);
        if self.known_sections.iter().any(|known| **known == **name) {
            return Diagnostic::error("Block written as an attribute")
                .at(field.name.span, format!("`{name}` is a block"))
                .hint(format!("write {name} {{ … }} without `=`"));
        }
        let error = Diagnostic::error("Unknown attribute").at(
            field.name.span,
            format!("`{kind}` has no attribute `{name}`"),
        );
        let known = self
            .known_fields
            .iter()
            .chain(&self.known_sections)
            .copied();
        hinted(
            error,
            elsewhere(name).or_else(|| suggest(name, known, "it takes")),
        )
    }

    fn unknown_section(
        &self,
        section: &Section,
        elsewhere: &impl Fn(&str) -> Option<String>,
    ) -> Diagnostic {
        let (name, kind) = (&section.kind.value, &self.kind.value);
        if self.known_fields.iter().any(|known| **known == **name) {
            return Diagnostic::error("Attribute written as a block")
                .at(section.header, format!("`{name}` is an attribute"))
                .hint(format!("write {name} = {{ … }}"));
        }
        let error = Diagnostic::error("Unknown block")
            .at(section.header, format!("`{kind}` has no block `{name}`"));
        let known = self
            .known_sections
            .iter()
            .chain(&self.known_fields)
            .copied();
        hinted(
            error,
            elsewhere(name).or_else(|| suggest(name, known, "it takes")),
        )
    }
}

pub(crate) fn hinted(diagnostic: Diagnostic, hint: Option<String>) -> Diagnostic {
    hint.into_iter().fold(diagnostic, Diagnostic::hint)
}

pub(crate) fn missing(header: Span, kind: &str, name: &str, example: &str) -> Diagnostic {
    Diagnostic::error("Missing attribute")
        .at(header, format!("`{kind}` needs `{name}`"))
        .hint(format!("add {name} = {example}"))
}

/// Two of a thing that there may be once.
pub(crate) fn twice(what: &str, second: Span, first: Span) -> Diagnostic {
    Diagnostic::error("Declared twice")
        .at(second, format!("`{what}` again"))
        .at(first, "first here")
        .hint("keep one of the two")
}
