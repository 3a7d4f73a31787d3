//! Plan files on the disk.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use infra_plan::Plan;

use super::ui::Stop;

/// Writes a plan file: new, synced, renamed; mode 0600.
///
/// # Errors
/// What the file system said.
pub(super) fn write(path: &Path, plan: &Plan) -> Result<(), Stop> {
    let failed =
        |e: std::io::Error| Stop::error(format!("writing the plan to {}", path.display()), e);
    let part = path.with_added_extension("part");
    write_whole(&part, plan)
        .and_then(|()| std::fs::rename(&part, path))
        .map_err(|error| {
            let _half_a_plan = std::fs::remove_file(&part);
            failed(error)
        })
}

fn write_whole(path: &Path, plan: &Plan) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(infra_plan::write(plan).as_bytes())?;
    file.sync_all()
}

/// Reads a plan file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(path: &Path) -> Result<Plan, Stop> {
    let doing = || format!("reading the plan {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not a plan file: it is no text".to_owned(),
        _ => e.to_string(),
    });
    text.and_then(|text| infra_plan::read(&text))
        .map_err(|why| Stop::error(doing(), why).hint("make one with `infra plan --out FILE`"))
}
