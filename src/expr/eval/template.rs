//! Templates: text with interpolations and directives.

use super::collections::Rounds;
use super::{Evaluated, Evaluator};
use crate::{Type, Value, convert};
use hcl_edit::expr::Expression;
use hcl_edit::template::{
    Directive, Element, ForDirective, HeredocTemplate, IfDirective, Strip, Template,
};
use infra_diag::Diagnostic;

/// Text in the making.
#[derive(Default)]
struct Text {
    text: String,
    unknown: bool,
    sensitive: bool,
}

impl Text {
    fn finish(self) -> Value {
        let value = if self.unknown {
            Value::unknown(Type::String)
        } else {
            Value::string(self.text)
        };
        value.with_sensitive(self.sensitive)
    }
}

/// How a template is laid out.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// In quotes: a `~` takes all spaces up to the next thing that is none.
    Quoted,
    /// Over lines: a `~` takes spaces of its own line only, the newline included; and lines inside
    /// directives still have the indentation that the parser took from the others.
    Lines { indent: usize },
}

/// What becomes of the literals of a template: its layout, and whether a `~` before it and after it takes
/// the spaces at its ends.
#[derive(Clone, Copy)]
struct Frame {
    layout: Layout,
    inside: bool,
    trim: (bool, bool),
}

impl Evaluator<'_> {
    pub(super) fn heredoc(&mut self, heredoc: &HeredocTemplate) -> Evaluated {
        self.template(
            &heredoc.template,
            Layout::Lines {
                indent: heredoc.indent().unwrap_or(0),
            },
        )
    }

    /// A template of exactly one interpolation is the value itself, of whatever type; any other is text.
    pub(super) fn template(&mut self, template: &Template, layout: Layout) -> Evaluated {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr);
        }
        let mut text = Text::default();
        self.write(
            template,
            Frame {
                layout,
                inside: false,
                trim: (false, false),
            },
            &mut text,
        )?;
        Some(text.finish())
    }

    /// All elements are evaluated before giving up, to say all that is wrong.
    fn write(&mut self, template: &Template, frame: Frame, text: &mut Text) -> Option<()> {
        let elements: Vec<&Element> = template.iter().collect();
        let mut complete = Some(());
        for (i, element) in elements.iter().enumerate() {
            let written = match element {
                Element::Literal(literal) => {
                    let before = i
                        .checked_sub(1)
                        .map_or(frame.trim.0, |i| strips(elements[i]).1);
                    let after = elements
                        .get(i + 1)
                        .map_or(frame.trim.1, |next| strips(next).0);
                    text.text.push_str(&frame.literal(literal, before, after));
                    Some(())
                }
                Element::Interpolation(interpolation) => {
                    self.interpolate(&interpolation.expr, text)
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(node) => self.if_directive(node, frame, text),
                    Directive::For(node) => self.for_directive(node, frame, text),
                },
            };
            complete = complete.and(written);
        }
        complete
    }

    fn interpolate(&mut self, expr: &Expression, text: &mut Text) -> Option<()> {
        const SUMMARY: &str = "Invalid interpolation";
        let value = self.eval(expr)?;
        if value.is_null() {
            return self.error(
                expr,
                SUMMARY,
                "this is null, which cannot be part of a string",
            );
        }
        let Ok(value) = convert(&value, &Type::String) else {
            let family = value.type_of().spoken();
            let span = self.span(expr);
            return self.report(
                Diagnostic::error(SUMMARY)
                    .at(
                        span,
                        format!("this is {family}, which cannot be part of a string"),
                    )
                    .hint("choose one of its elements, or make text of it with join or jsonencode"),
            );
        };
        text.sensitive |= value.is_sensitive();
        text.unknown |= value.is_unknown();
        text.text.push_str(value.as_str().unwrap_or_default());
        Some(())
    }

    fn if_directive(&mut self, node: &IfDirective, frame: Frame, text: &mut Text) -> Option<()> {
        let condition = self.condition(&node.if_expr.cond_expr)?;
        text.sensitive |= condition.is_sensitive();
        let end = starts(node.endif_expr.strip);
        let middle = node.else_expr.as_ref().map_or(end, |e| starts(e.strip));
        match condition.as_bool() {
            Some(true) => self.write(
                &node.if_expr.template,
                frame.inside(ends(node.if_expr.strip), middle),
                text,
            ),
            Some(false) => match &node.else_expr {
                Some(branch) => self.write(
                    &branch.template,
                    frame.inside(ends(branch.strip), end),
                    text,
                ),
                None => Some(()),
            },
            None => {
                text.unknown = true;
                Some(())
            }
        }
    }

    fn for_directive(&mut self, node: &ForDirective, frame: Frame, text: &mut Text) -> Option<()> {
        let collection = self.eval(&node.for_expr.collection_expr)?;
        text.sensitive |= collection.is_sensitive();
        let Rounds::Known(rounds) = self.rounds(&collection, &node.for_expr.collection_expr)?
        else {
            text.unknown = true;
            return Some(());
        };
        let names = (node.for_expr.key_var.as_ref(), &node.for_expr.value_var);
        let frame = frame.inside(ends(node.for_expr.strip), starts(node.endfor_expr.strip));
        for round in rounds {
            self.round(names, round, |e| {
                e.write(&node.for_expr.template, frame, text)
            })?;
        }
        Some(())
    }
}

/// Whether an element takes the spaces before it and after it.
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(node) => (starts(node.strip), ends(node.strip)),
        Element::Directive(directive) => match &**directive {
            Directive::If(node) => (starts(node.if_expr.strip), ends(node.endif_expr.strip)),
            Directive::For(node) => (starts(node.for_expr.strip), ends(node.endfor_expr.strip)),
        },
    }
}

fn starts(strip: Strip) -> bool {
    strip.strip_start()
}

fn ends(strip: Strip) -> bool {
    strip.strip_end()
}

impl Frame {
    /// The frame of what is inside a directive.
    fn inside(self, before: bool, after: bool) -> Self {
        Self {
            inside: true,
            trim: (before, after),
            ..self
        }
    }

    fn literal(self, literal: &str, before: bool, after: bool) -> String {
        let Layout::Lines { indent } = self.layout else {
            let literal = if before {
                literal.trim_start()
            } else {
                literal
            };
            return if after { literal.trim_end() } else { literal }.to_owned();
        };
        let indent = if self.inside { indent } else { 0 };
        let mut lines: Vec<&str> = literal.split_inclusive('\n').collect();
        if before && let Some(first) = lines.first_mut() {
            *first = first.trim_start();
        }
        if after && let Some(last) = lines.last_mut() {
            *last = last.trim_end();
        }
        let mut out = String::new();
        for line in lines {
            // Only what stands at the start of a line that is still there has indentation to lose.
            let line = if out.ends_with('\n') {
                dedented(line, indent)
            } else {
                line
            };
            out.push_str(line);
        }
        out
    }
}

fn dedented(line: &str, indent: usize) -> &str {
    let spaces = line
        .chars()
        .take(indent)
        .take_while(|c| matches!(c, ' ' | '\t'))
        .count();
    &line[spaces..]
}
