//! `import { to = workload.a  id = "db" }`: what somebody else has made and is declared at an address from now on.

use crate::moves::{self, Endpoint};
use crate::schema::Schema;
use crate::syntax::Section;
use crate::{Address, literal};
use infra_diag::{Diagnostic, Diagnostics, Span};

/// One of them.
#[derive(Clone, Debug)]
pub struct Import {
    pub to: Address,
    /// As its daemon calls it, or whole: `HOST/docker/container/NAME`.
    pub id: String,
    /// Where the address is written, and where the id is.
    pub to_span: Span,
    pub id_span: Span,
}

/// Reads one of the root module. Nothing in it is evaluated: whether it holds must not depend on what is found.
pub(crate) fn import(
    mut section: Section,
    schema: Schema,
    found: &mut Diagnostics,
) -> Option<Import> {
    section.no_label(found);
    let to = section.required("to", found);
    let id = section.field("id");
    if id.is_none() {
        found.push(
            Diagnostic::error("Missing attribute")
                .at(section.header, "`id` is not written")
                .hint("write the name that its daemon has for it, as in `id = \"db\"`"),
        );
    }
    section.finish(crate::language::nowhere, found);
    let to = to?;
    let to_span = to.span;
    let id_span = id.as_ref()?.value.span;
    let endpoint = moves::endpoint(to, schema, found);
    let id = literal::string(id, found);
    if id.as_deref() == Some("") {
        found.push(Diagnostic::error("Invalid name").at(id_span, "an object's name is not empty"));
        return None;
    }
    let Some(to) = endpoint.as_ref()?.instance() else {
        found.push(
            Diagnostic::error("Invalid address")
                .at(to_span, "a module is no object")
                .hint("write workload.name, network.name, module.name.workload.name, …"),
        );
        return None;
    };
    Some(Import {
        to,
        id: id?,
        to_span,
        id_span,
    })
}

/// Two that name one address.
pub(crate) fn twice(imports: &[Import]) -> impl Iterator<Item = Diagnostic> {
    let again = imports.iter().enumerate().filter_map(|(n, one)| {
        let first = imports[..n].iter().find(|first| first.to == one.to)?;
        Some((first, one))
    });
    again.map(|(first, one)| {
        Diagnostic::error("Imported twice")
            .at(one.to_span, format!("`{}` is one object", first.to))
            .at(first.to_span, "another one is imported here")
            .hint("remove one of the two")
    })
}

impl Endpoint {
    /// The one instance it is; none where it is a module.
    fn instance(&self) -> Option<Address> {
        let (kind, name, key) = self.block.clone()?;
        let module = crate::ModulePath(self.module.clone());
        Some(Address::new(module, &kind, &name, key))
    }
}
