//! The functions of the language: one table.

/// A function: its name, what it takes and gives, what it does in a line.
pub struct Function {
    pub name: &'static str,
    pub signature: &'static str,
    pub doc: &'static str,
}

/// All functions, sorted by name.
pub static FUNCTIONS: &[Function] = &[];
