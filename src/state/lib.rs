//! What we own and where it was placed: the state file, its lock, the journal, the key of secrets.
