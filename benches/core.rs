//! The core's speed and memory, side by side in one run: `cargo bench --bench core [-- SECTION...]`, where a section
//! is `start`, `plan`, `apply` or `terraform`. It prints figures with what they are to reach, and judges nothing:
//! timings are no tests. What was measured when is in `benches/README.md`.

#[path = "core/applies.rs"]
mod applies;
#[path = "core/folder.rs"]
mod folder;
#[path = "core/meter.rs"]
mod meter;
#[path = "core/shapes.rs"]
mod shapes;
#[path = "core/tables.rs"]
mod tables;

use std::path::Path;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        // What must not weigh on the figures of this process' children is done in processes of its own.
        ["applied", path] => folder::applied(Path::new(path)),
        ["apply", steps, directory] => tables::applied(steps, directory),
        _ => {
            let mut asked = words.clone();
            asked.retain(|word| !word.starts_with('-'));
            let sections: [(&str, fn()); 4] = [
                ("start", tables::start),
                ("plan", tables::plan),
                ("apply", tables::apply),
                ("terraform", tables::terraform),
            ];
            let run = |name: &&str| asked.is_empty() || asked.contains(name);
            let sections = sections.iter().filter(|(name, _)| run(name));
            sections.for_each(|(_, section)| section());
        }
    }
}
