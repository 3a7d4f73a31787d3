//! `infra init`: a commented folder to start from.

use std::io::Write;
use std::path::PathBuf;

use crate::cli::arguments::{self, Global};
use crate::cli::ui::{Exit, Stop, Ui};

const FILES: [(&str, &str); 2] = [
    ("main.infra.hcl", include_str!("init/main.infra.hcl")),
    (".gitignore", ".infra/\n*.plan\n"),
];

pub(in crate::cli) fn run(args: &arguments::Init, global: &Global, ui: Ui) -> Result<Exit, Stop> {
    // Without the dots in between, which `join` leaves.
    let folder: PathBuf = global.directory.join(&args.folder).components().collect();
    std::fs::create_dir_all(&folder)
        .map_err(|e| Stop::error(format!("making {}", folder.display()), e))?;
    let there = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    if let Some(file) = there
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .find(|n| n.ends_with(".infra.hcl"))
    {
        return Err(Stop::error(
            format!("starting a configuration in {}", folder.display()),
            format!("it holds `{file}` already"),
        )
        .hint("name another folder: `infra init DIR`"));
    }
    for (name, text) in FILES {
        let path = folder.join(name);
        let made = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path);
        match made.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => ui.say(&format!("made {}\n", path.display())),
            // A file of the person's is kept: only the configuration itself must be new.
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                ui.say(&format!("kept {}\n", path.display()))
            }
            Err(e) => return Err(Stop::error(format!("writing {}", path.display()), e)),
        }
    }
    ui.say("\nRead main.infra.hcl, then run `infra validate` and `infra plan` there.\n");
    Ok(Exit::Done)
}
