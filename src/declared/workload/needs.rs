//! `class = "memcached"` and `needs { … }`: what a workload needs of what it runs as. The runtime is chosen by it.

use infra_api::{Level, Need, Needs};
use infra_diag::{Diagnostic, Span};
use infra_lang::{Attribute, Block, BlockKind, Meta, Shape};
use infra_suitability::Table;

use crate::declared::read::{At, Reader};
use crate::declared::words::word;

const LEVEL: Shape = Shape::OneOf(&Level::WORDS);

const fn level(name: &'static str, doc: &'static str) -> Attribute {
    word(name, LEVEL, doc)
}

pub(super) static KIND: BlockKind = BlockKind {
    name: "needs",
    label: None,
    doc: "What it needs of what it runs as, each `high`, `medium`, `low` or `none`. Where something is needed the runtime is \
          chosen by how well each suits (`infra suitability` shows the figures), with settings the host has and a need asks for; what is \
          written here counts before what its `class` says. Where nothing is needed a container comes before a VM.",
    attributes: &[
        level("cpu", "To compute at full speed."),
        level("memory", "To reach memory at full speed."),
        level("disk_latency", "Short answers of disks."),
        level("disk_throughput", "Much data from and to disks."),
        level("network_latency", "Short answers over the network."),
        level("network_throughput", "Much data over the network."),
        level("security", "To be kept apart from whoever else runs on the host."),
        level("live_migration", "To go to another host while it runs."),
        level("deployment_speed", "To be there soon, and often anew."),
        level("alternative_os", "A kernel or an operating system of its own."),
        word(
            "trust",
            Shape::OneOf(&["strangers", "same_tenant"]),
            "Who else runs on its host. With `same_tenant` they may share a kernel though `security` is `high`.",
        )
        .default("\"strangers\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// What is needed, as declared and as it follows from the class.
#[derive(Clone, Debug, Default)]
pub struct Suits {
    pub class: Option<At<String>>,
    /// Those that are written.
    written: Vec<(Need, Level)>,
    /// It may share a kernel with its neighbours.
    pub trusted: bool,
    /// All: known when the classes are (see [`Suits::resolve`]).
    pub needs: Needs,
    /// Of the block, else of the class.
    pub span: Option<Span>,
}

impl Suits {
    pub(super) fn read(workload: &Block, reader: &mut Reader<'_>) -> Self {
        let class = reader.string(workload, "class");
        let Some(block) = workload.nested(KIND.name).next() else {
            return Self {
                span: class.as_ref().map(|class| class.span),
                class,
                ..Self::default()
            };
        };
        let mut level = |need: Need| {
            let word = reader.string(block, need.word())?;
            Some((need, Level::of(&word.value)?))
        };
        let written: Vec<(Need, Level)> = Need::ALL.into_iter().filter_map(&mut level).collect();
        let trust = reader.string(block, "trust");
        Self {
            needs: written.iter().copied().collect(),
            class,
            written,
            trusted: trust.is_some_and(|trust| trust.value == "same_tenant"),
            span: Some(block.span),
        }
    }

    /// Takes the class's needs where none is written.
    ///
    /// # Errors
    /// When there is no such class.
    pub(crate) fn resolve(&mut self, table: &Table) -> Result<(), Box<Diagnostic>> {
        let Some(name) = &self.class else {
            return Ok(());
        };
        let Some(class) = table.class(&name.value) else {
            return Err(Box::new(unknown(name, table)));
        };
        let written = self.written.iter();
        self.needs = written.fold(class.needs, |needs, (need, level)| {
            needs.with(*need, *level)
        });
        Ok(())
    }
}

fn unknown(name: &At<String>, table: &Table) -> Diagnostic {
    let known: Vec<&str> = table.classes.iter().map(|c| c.name.as_str()).collect();
    let error = Diagnostic::error("Unknown class")
        .at(name.span, format!("there is no class `{}`", name.value));
    match infra_lang::suggest(&name.value, known.iter().copied(), "the classes are") {
        Some(hint) => error.hint(hint),
        None => error.hint("`infra classes` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_needs() {
        let words: Vec<&str> = KIND.attributes.iter().map(|a| a.name).collect();
        let needs: Vec<&str> = Need::ALL.iter().map(|need| need.word()).collect();
        assert_eq!(words[..needs.len()], needs);
    }
}
