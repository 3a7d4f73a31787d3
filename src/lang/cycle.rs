//! What is said of a cycle: the path around it, with the place of each step.

use crate::engine::{Engine, ModuleId, Node};
use infra_diag::{Diagnostic, Span};

impl Engine {
    pub(crate) fn cycle(&self, node: &Node, asked: Span) -> Diagnostic {
        let frames = self.frames.borrow();
        let start = frames
            .iter()
            .position(|frame| frame.node == *node)
            .unwrap_or(0);
        let steps = frames[start..]
            .iter()
            .map(|frame| (self.name(&frame.node), frame.asked));
        // Where the first was asked for from outside does not matter; the last step leads back to it.
        let mut steps: Vec<(String, Span)> = steps.collect();
        steps.dedup_by(|a, b| a.0 == b.0);
        steps.push((self.name(node), asked));
        cycle_of(&steps)
    }

    /// What a person calls a node.
    fn name(&self, node: &Node) -> String {
        let within = |module: &ModuleId, what: String| match &self.module(*module).path {
            path if path.is_root() => what,
            path => format!("{path}.{what}"),
        };
        match node {
            Node::Raw(m, name) | Node::Variable(m, name) => within(m, format!("var.{name}")),
            Node::Local(m, name) => within(m, format!("local.{name}")),
            Node::Output(m, name) => within(m, format!("output.{name}")),
            Node::Call(m, name) | Node::Calls(m, name) => within(m, format!("module.{name}")),
            Node::Outputs(m) => self.module(*m).path.to_string(),
            Node::Declared(m, kind, name) | Node::Whole(m, kind, name) => {
                within(m, format!("{kind}.{name}"))
            }
            Node::Object(id) => self.instance(*id).address.to_string(),
            Node::Attribute(id, index) => {
                let at = self.instance(*id);
                format!(
                    "{}.{}",
                    at.address,
                    self.block(&at).kind.attributes[*index].name
                )
            }
            Node::Nested(id, index) => {
                let at = self.instance(*id);
                format!(
                    "{}.{}",
                    at.address,
                    self.block(&at).kind.blocks[*index].kind.name
                )
            }
        }
    }
}

/// How many steps of a cycle are shown: longer ones are cut in the middle.
const SHOWN: usize = 12;

/// The first step's place is not used: it led into the cycle. The last leads back to the first.
fn cycle_of(steps: &[(String, Span)]) -> Diagnostic {
    let mut names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    let mut pairs: Vec<_> = steps.windows(2).collect();
    if pairs.len() > SHOWN {
        names.splice(SHOWN / 2..names.len() - SHOWN / 2, ["…"]);
        pairs.drain(SHOWN / 2..pairs.len() - SHOWN / 2);
    }
    let error = Diagnostic::error("Cycle").note(names.join(" → "));
    let error = pairs.iter().fold(error, |error, pair| {
        error.at(pair[1].1, format!("`{}` needs `{}`", pair[0].0, pair[1].0))
    });
    error.hint("break it where one of these can do without the other")
}
