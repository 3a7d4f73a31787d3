//! `infra fmt`: files in their canonical form.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use infra_diag::{Diagnostics, Sources};

use crate::cli::arguments;
use crate::cli::ui::{Exit, Stop, Ui};

/// What of a folder is brought to it.
const SUFFIXES: [&str; 2] = [".infra.hcl", ".vars.hcl"];

pub(in crate::cli) fn run(args: &arguments::Fmt, ui: Ui) -> Result<Exit, Stop> {
    if args.paths.len() == 1 && args.paths[0] == Path::new("-") {
        return stdin(args, ui);
    }
    let mut files = Vec::new();
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() {
        &here[..]
    } else {
        &args.paths
    };
    for path in paths {
        collect(path, true, args.recursive, &mut files)?;
    }
    files.sort();
    files.dedup();
    let (mut sources, mut wrong, mut changed) = (Sources::new(), Diagnostics::new(), false);
    for path in &files {
        let text = read(path)?;
        let Some(formatted) = formatted(&name(path), &text, &mut sources, &mut wrong) else {
            continue;
        };
        if formatted == text {
            continue;
        }
        changed = true;
        if !args.check {
            replace(path, &formatted).map_err(|e| failed("writing", path, &e))?;
        }
        tell(&name(path), &text, &formatted, args.diff, ui);
    }
    if wrong.has_errors() {
        return Err(Stop::Diagnostics(wrong.sorted(), Box::new(sources)));
    }
    Ok(ended(args, changed))
}

fn ended(args: &arguments::Fmt, changed: bool) -> Exit {
    if args.check && changed {
        Exit::Changes
    } else {
        Exit::Done
    }
}

fn stdin(args: &arguments::Fmt, ui: Ui) -> Result<Exit, Stop> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|e| Stop::error("reading standard input", e))?;
    let (mut sources, mut wrong) = (Sources::new(), Diagnostics::new());
    match formatted("stdin", &text, &mut sources, &mut wrong) {
        None => Err(Stop::Diagnostics(wrong.sorted(), Box::new(sources))),
        Some(formatted) => {
            let changed = formatted != text;
            if args.diff && changed {
                tell("stdin", &text, &formatted, true, ui);
            } else if !args.check {
                ui.result(&formatted);
            }
            Ok(ended(args, changed))
        }
    }
}

/// Nothing where it does not parse: that is said.
fn formatted(
    name: &str,
    text: &str,
    sources: &mut Sources,
    wrong: &mut Diagnostics,
) -> Option<String> {
    let found = infra_lang::syntax(name, text, sources);
    let whole = !found.has_errors();
    wrong.extend(found);
    whole.then(|| infra_lang::format(text))
}

fn name(path: &Path) -> String {
    path.strip_prefix("./")
        .unwrap_or(path)
        .display()
        .to_string()
}

/// A file that is named is taken whatever its name; of a folder those that are ours, none that is hidden.
fn collect(
    path: &Path,
    named: bool,
    recursive: bool,
    files: &mut Vec<PathBuf>,
) -> Result<(), Stop> {
    let found = std::fs::metadata(path).map_err(|e| failed("reading", path, &e))?;
    let file_name = path
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if !found.is_dir() {
        let ours = SUFFIXES.iter().any(|suffix| file_name.ends_with(suffix));
        if named || ours {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if !named && !recursive {
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|e| failed("reading", path, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| failed("reading", path, &e))?;
        let link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && !link {
            collect(&entry.path(), false, recursive, files)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|e| failed("reading", path, &e))
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Stop {
    let cause = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    Stop::error(format!("{verb} {}", name(path)), cause)
}

/// In one go, under the mode it had: a file is never half written.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let part = path.with_added_extension("part");
    let mut file = std::fs::File::create(&part)?;
    file.set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&part, &path)
}

fn tell(name: &str, before: &str, after: &str, diff: bool, ui: Ui) {
    if diff {
        ui.result(&difference(name, before, after));
    } else {
        ui.result(&format!("{name}\n"));
    }
}

/// As `diff -U0` has it. There are as many lines after as before, each in its place.
fn difference(name: &str, before: &str, after: &str) -> String {
    let mut text = format!("--- {name}\n+++ {name}\n");
    let pairs: Vec<(&str, &str)> = before
        .split_inclusive('\n')
        .zip(after.split_inclusive('\n'))
        .collect();
    let mut at = 0;
    for run in pairs.chunk_by(|a, b| (a.0 == a.1) == (b.0 == b.1)) {
        let line = at + 1;
        at += run.len();
        if run.iter().all(|(was, is)| was == is) {
            continue;
        }
        text += &format!("@@ -{line},{n} +{line},{n} @@\n", n = run.len());
        run.iter().for_each(|(was, _)| text += &marked('-', was));
        run.iter().for_each(|(_, is)| text += &marked('+', is));
    }
    text
}

fn marked(sign: char, line: &str) -> String {
    let end = if line.ends_with('\n') {
        ""
    } else {
        "\n\\ No newline at end of file\n"
    };
    format!("{sign}{line}{end}")
}
