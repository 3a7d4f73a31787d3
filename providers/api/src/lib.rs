//! The contract between the core and its providers: nouns and two traits.
