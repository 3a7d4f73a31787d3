//! Files → tree: reads a folder and the folders of the modules it calls, and sorts their blocks by name.

use crate::declared::declared;
use crate::evaluation::Spanned;
use crate::files::join;
use crate::language::{self, call, output, variable};
use crate::parse::parse;
use crate::schema::Schema;
use crate::syntax::{Field, Section, contents, hinted, twice};
use crate::tree::{Module, Tree};
use crate::version::Version;
use crate::words::suggest;
use crate::{About, Files};
use crate::{imports, moves};
use infra_diag::{Diagnostic, Diagnostics, Sources, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const SUFFIX: &str = ".infra.hcl";

/// The language's own blocks.
const BLOCKS: [&str; 8] = [
    "import", "infra", "locals", "module", "moved", "output", "removed", "variable",
];

/// Loads a configuration whose root folder is `.`.
pub(crate) fn load(
    files: &Arc<dyn Files>,
    schema: Schema,
    about: &About,
    sources: &mut Sources,
    found: &mut Diagnostics,
) -> Tree {
    let mut loader = Loader {
        files: &**files,
        schema,
        version: Version::parse(&about.version),
        sources,
        found,
        modules: Vec::new(),
        by_folder: BTreeMap::new(),
        inside: Vec::new(),
        infra: None,
        imports: Vec::new(),
    };
    loader.root();
    let project = loader.infra.and_then(|(_, project)| project);
    let project = project.unwrap_or_else(|| about.folder_name.clone());
    Tree {
        schema,
        files: files.clone(),
        project,
        modules: loader.modules,
        imports: loader.imports,
    }
}

struct Loader<'a> {
    files: &'a dyn Files,
    schema: Schema,
    version: Option<Version>,
    sources: &'a mut Sources,
    found: &'a mut Diagnostics,
    modules: Vec<Module>,
    by_folder: BTreeMap<String, usize>,
    /// The folders being loaded, each with the call that led to it.
    inside: Vec<(String, Option<Span>)>,
    /// Where the `infra` block stands, and the project's name if it says one.
    infra: Option<(Span, Option<String>)>,
    imports: Vec<imports::Written>,
}

impl Loader<'_> {
    fn root(&mut self) {
        match self.folder_files(".") {
            Ok(names) => {
                self.module(".", &names, None);
                for path in self.files.more() {
                    self.file(0, &path);
                }
            }
            Err(why) => {
                self.modules.push(Module {
                    folder: ".".to_owned(),
                    ..Module::default()
                });
                self.found.push(
                    Diagnostic::error("No configuration")
                        .note(format!(
                            "{why}: a configuration is the files *{SUFFIX} of a folder"
                        ))
                        .hint("`infra init` writes a first one; -C names another folder"),
                );
            }
        }
    }

    /// The configuration's files in a folder, in order.
    fn folder_files(&self, folder: &str) -> Result<Vec<String>, String> {
        let mut names = self.files.names(folder)?;
        names.retain(|name| name.ends_with(SUFFIX) && !name.starts_with('.'));
        names.sort();
        match names.is_empty() {
            true => Err(format!("the folder has no file *{SUFFIX}")),
            false => Ok(names),
        }
    }

    /// Loads the files of a folder as a module and returns its index.
    fn module(&mut self, folder: &str, names: &[String], call: Option<Span>) -> usize {
        let index = self.modules.len();
        self.modules.push(Module {
            folder: folder.to_owned(),
            ..Module::default()
        });
        self.by_folder.insert(folder.to_owned(), index);
        self.inside.push((folder.to_owned(), call));
        for name in names {
            self.file(index, &join(folder, name));
        }
        self.inside.pop();
        index
    }

    fn file(&mut self, index: usize, path: &str) {
        let Some(text) = read(self.files, path, self.found) else {
            self.modules[index].partial = true;
            return;
        };
        let parsed = parse(path, &text, self.sources, self.found);
        self.modules[index].partial |= parsed.partial;
        let (fields, sections) = contents(parsed.body, parsed.source);
        for field in fields {
            self.found.push(stray_field(&field));
        }
        for section in sections {
            self.section(index, section);
        }
    }

    fn section(&mut self, index: usize, section: Section) {
        let kind = section.kind.value.clone();
        match &*kind {
            "variable" => {
                if let Some((name, item)) = variable(section, self.found) {
                    let address = format!("var.{}", name.value);
                    self.modules[index]
                        .variables
                        .add(name, item, &address, self.found);
                }
            }
            "locals" => self.locals(index, section),
            "output" => {
                if let Some((name, item)) = output(section, self.found) {
                    let address = format!("output.{}", name.value);
                    self.modules[index]
                        .outputs
                        .add(name, item, &address, self.found);
                }
            }
            "infra" => self.infra(index, section),
            "module" => self.call(index, section),
            "moved" => {
                let written = moves::moved(section, self.schema, self.found);
                self.modules[index].moves.extend(written);
            }
            "import" => self.import(index, section),
            "removed" => {
                let written = moves::removed(section, self.schema, self.found);
                self.modules[index].moves.extend(written);
            }
            kind => match self.schema.kind(kind) {
                Some(kind) => {
                    if let Some((name, item)) = declared(section, kind, self.found) {
                        let address = format!("{}.{}", kind.name, name.value);
                        let table = self.modules[index].declared.entry(kind.name).or_default();
                        table.add(name, item, &address, self.found);
                    }
                }
                None => self.unknown(&section),
            },
        }
    }

    fn locals(&mut self, index: usize, mut section: Section) {
        section.no_label(self.found);
        for Field { name, value } in section.all_fields() {
            let address = format!("local.{}", name.value);
            self.modules[index]
                .locals
                .add(name, value, &address, self.found);
        }
        section.finish(
            |_| Some("a value is written name = …".to_owned()),
            self.found,
        );
    }

    fn infra(&mut self, index: usize, section: Section) {
        let header = section.header;
        let settings = language::infra(section, self.version.as_ref(), self.found);
        if index > 0 {
            self.found.push(
                Diagnostic::error("Misplaced block")
                    .at(
                        header,
                        "`infra` stands in the root folder only, not in a module",
                    )
                    .hint("remove it here"),
            );
        } else if let Some((first, _)) = self.infra {
            self.found.push(twice("infra", header, first));
        } else {
            self.infra = Some((header, settings));
        }
    }

    fn import(&mut self, index: usize, section: Section) {
        if index > 0 {
            self.found.push(
                Diagnostic::error("Misplaced block")
                    .at(
                        section.header,
                        "`import` stands in the root folder only, not in a module",
                    )
                    .hint("write it there, with `to = module.NAME.…`"),
            );
            return;
        }
        let written = imports::import(section, self.schema, self.found);
        self.imports.extend(written);
    }

    fn call(&mut self, index: usize, section: Section) {
        let Some((name, source, mut item)) = call(section, self.found) else {
            return;
        };
        if let Some(source) = source {
            let folder = join(&self.modules[index].folder, &source.value);
            item.module = self.source(&folder, source.span);
        }
        // What could not be loaded was reported, and what it would have held is not missed.
        let address = format!("module.{}", name.value);
        self.modules[index]
            .calls
            .add(name, item, &address, self.found);
    }

    /// The module in a folder, loaded if it is not yet.
    fn source(&mut self, folder: &str, span: Span) -> Option<usize> {
        if let Some(at) = self.inside.iter().position(|(outer, _)| outer == folder) {
            self.found.push(self.includes_itself(at, folder, span));
            return None;
        }
        if let Some(index) = self.by_folder.get(folder) {
            return Some(*index);
        }
        match self.folder_files(folder) {
            Ok(names) => Some(self.module(folder, &names, Some(span))),
            Err(why) => {
                self.found.push(
                    Diagnostic::error("Module not found")
                        .at(span, format!("`{folder}`: {why}"))
                        .hint("a source is a folder, relative to the file's own: ./modules/name"),
                );
                None
            }
        }
    }

    fn includes_itself(&self, at: usize, folder: &str, span: Span) -> Diagnostic {
        let circle = &self.inside[at..];
        let mut path: Vec<&str> = circle.iter().map(|(folder, _)| folder.as_str()).collect();
        path.push(folder);
        let error = Diagnostic::error("Module includes itself")
            .at(span, "this leads back to where it began")
            .note(path.join(" → "))
            .hint("a module cannot be inside itself: remove one of these calls");
        circle[1..]
            .iter()
            .filter_map(|(folder, call)| Some((folder, (*call)?)))
            .fold(error, |error, (folder, call)| {
                error.at(call, format!("`{folder}` is called here"))
            })
    }

    fn unknown(&mut self, section: &Section) {
        let kind = &*section.kind.value;
        let error = Diagnostic::error("Unknown block");
        if let Some(instead) = instead_of(kind) {
            let text = format!("`{kind}` belongs to Terraform");
            self.found
                .push(error.at(section.header, text).hint(instead));
            return;
        }
        let kinds = self.schema.kinds.iter().map(|kind| kind.name);
        let hint = match self.schema.kinds.iter().find(|k| k.block(kind).is_some()) {
            Some(outer) => Some(format!("`{kind}` stands inside `{}`", outer.name)),
            None => suggest(kind, kinds.chain(BLOCKS), "there are"),
        };
        let text = format!("there is no block `{kind}`");
        self.found
            .push(hinted(error.at(section.header, text), hint));
    }
}

/// What stands here for a block of Terraform.
fn instead_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "resource" => "declare it by its kind: `workload \"name\" { … }`, `network \"name\" { … }`",
        "data" => {
            "there are no data sources: what a host has is found out by itself; `infra facts` shows it"
        }
        "provider" => {
            "there are no providers to configure: how to reach a machine stands in its `host` block"
        }
        "terraform" => {
            "project and required_version stand in `infra { … }`; state is kept in .infra/"
        }
        "check" => "write a `precondition` in the `lifecycle` of the block it is about",
        _ => return None,
    })
}

fn stray_field(field: &Field) -> Diagnostic {
    let name = &field.name.value;
    Diagnostic::error("Attribute outside of a block")
        .at(field.name.span, format!("`{name}` stands in no block"))
        .hint(format!(
            "a value of your own stands in locals {{ {name} = … }}"
        ))
        .hint(format!(
            "a variable's value stands in a file *{}",
            crate::inputs::SUFFIX
        ))
}

/// A file's text; what cannot be read is reported.
pub(crate) fn read(files: &dyn Files, path: &str, found: &mut Diagnostics) -> Option<String> {
    let told = match files.read(path).map(text) {
        Ok(Ok(text)) => return Some(text),
        Ok(Err((place, why, hint))) => Diagnostic::error("Cannot read file")
            .note(format!("`{path}:{place}`: {why}"))
            .hint(hint),
        Err(why) => Diagnostic::error("Cannot read file").note(format!("`{path}`: {why}")),
    };
    found.push(told);
    None
}

/// Or the line and column at which it is none, why, and what to do. There is no snippet of what is no text.
fn text(bytes: Vec<u8>) -> Result<String, (String, &'static str, &'static str)> {
    let text = String::from_utf8(bytes).map_err(|e| {
        let (good, _) = e.as_bytes().split_at(e.utf8_error().valid_up_to());
        let why = "from here on it is not UTF-8";
        (
            after(&String::from_utf8_lossy(good)),
            why,
            "save it as UTF-8",
        )
    })?;
    match text.split_once('\0') {
        Some((good, _)) => Err((
            after(good),
            "here is a zero byte: it is no text",
            "take it out",
        )),
        None => Ok(text),
    }
}

/// The line and column that come after a text.
fn after(text: &str) -> String {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let line = 1 + text.matches('\n').count();
    format!("{line}:{}", 1 + last.chars().count())
}

/// A name with its place.
pub(crate) type Name = Spanned<Arc<str>>;
