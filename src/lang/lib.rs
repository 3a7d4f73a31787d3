//! Text to evaluated configuration: HCL as Terraform's users know it; knows nothing of machines.

mod address;
mod evaluation;
mod schema;

pub use address::{Address, Key, ModulePath, NotAnAddress, Step};
pub use evaluation::{
    Block, Edge, Evaluation, Ignore, Instance, Lifecycle, Module, Output, Spanned, Why,
};
pub use schema::{
    Attribute, BlockKind, Computed, Given, Meta, Nested, Origin, Schema, Shape, Text,
};
