//! The repository's own rules, reading its files as text: who may know whom, which words stand where, how long
//! things may be, that nothing lies about unreachable. Each failure says what to do.

#[path = "tidy/folders.rs"]
mod folders;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/lengths.rs"]
mod lengths;
#[path = "tidy/reading.rs"]
mod reading;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/words.rs"]
mod words;

/// Fails with every complaint at once, and what to do.
fn hold(complaints: &[String], advice: &str) {
    assert!(
        complaints.is_empty(),
        "\n{}\n{advice}\n",
        complaints.join("\n")
    );
}
