//! Text to evaluated configuration: HCL as Terraform's users know it; knows nothing of machines.
//!
//! [`Program::load`] reads and checks, [`Program::inputs`] gives variables their values,
//! [`Program::evaluate`] works everything out, and [`Evaluator::resolve`] does so again for what depends
//! on addresses that are allocated in between.

mod address;
mod check;
mod chunks;
mod cycle;
mod declared;
mod decode;
mod dynamic;
mod engine;
mod evaluation;
mod expand;
mod few;
mod files;
mod fit;
mod format;
mod graph;
mod hints;
mod imports;
mod inputs;
mod language;
mod limits;
mod literal;
mod load;
mod moves;
mod needs;
mod order;
mod parse;
mod program;
mod resolve;
mod schema;
mod scope;
mod stack;
mod syntax;
mod tree;
mod variables;
mod version;
mod words;

pub use address::{Address, Key, ModulePath, NotAnAddress, Step};
pub use engine::Allocated;
pub use evaluation::{
    Block, Edge, Evaluation, Ignore, Instance, Lifecycle, Module, Output, Spanned, Why,
};
pub use few::Few;
pub use files::{Files, Memory};
pub use format::format;
pub use graph::Graph;
pub use imports::Import;
pub use inputs::{Argument, Given as GivenValues, Inputs};
pub use moves::Moves;
pub use parse::syntax;
pub use program::{About, Evaluator, Mode, Program};
pub use schema::{
    Attribute, BlockKind, Computed, Given, Meta, Nested, Origin, Schema, Shape, Text,
};
pub use stack::on_large_stack;
pub use words::suggest;
