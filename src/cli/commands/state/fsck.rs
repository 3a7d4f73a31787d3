//! `infra state fsck`: the state's files one by one, and the state beside the marks on the hosts.

use std::collections::BTreeMap;

use infra_api::{Address, Observed, ResourceId};
use infra_lang::Mode;
use infra_plan::Record;
use infra_state::Store;

use crate::cli::arguments::{Global, Values};
use crate::cli::session::{Session, paths, read};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::world::Folder;

pub(super) async fn run(
    global: &Global,
    values: &Values,
    offline: bool,
    ui: Ui,
) -> Result<Exit, Stop> {
    let options = global.options(values);
    let project = read(&Folder::new(&options.directory))?.project();
    let checks = Store::open(paths(&options)).check(&project);
    let mut broken = Vec::new();
    for (path, found) in checks {
        match found {
            Ok(what) => ui.result(&format!("ok   {}  {what}\n", path.display())),
            Err(error) => {
                ui.result(&format!("bad  {}  {}\n", path.display(), error.cause));
                broken.push(Stop::from(error));
            }
        }
    }
    if !broken.is_empty() {
        return Err(Stop::Several(broken));
    }
    if offline {
        return Ok(Exit::Done);
    }
    let session = Session::open(options, Mode::Plan, ui)?;
    let world = session.connect().await?;
    let mut recorded = session.prior().resources.clone();
    // What is nobody's alone carries no mark.
    recorded.retain(|id, _| !session.outlives(id));
    let bodies = recorded.iter().map(|(id, r)| (id.clone(), &*r.body));
    let observed = session.observe(&world, &bodies.collect()).await?;
    let complaints = complaints(&recorded, &observed);
    for (id, why) in &complaints {
        ui.result(&format!("bad  {id}  {why}\n"));
    }
    if complaints.is_empty() {
        let count = recorded.len();
        ui.result(&format!(
            "ok   {count} objects are there and carry the marks the state says\n"
        ));
        return Ok(Exit::Done);
    }
    ui.say(
        "\nhint: `infra diff` shows more, `infra apply` mends, `infra apply --refresh-only` takes the world as it is\n",
    );
    Ok(Exit::Changes)
}

/// In the order of ids. Addresses are those of today: what has moved is marked with the one it was made for.
fn complaints(
    recorded: &BTreeMap<ResourceId, Record>,
    observed: &BTreeMap<ResourceId, Observed>,
) -> Vec<(ResourceId, String)> {
    let one = |(id, found): (&ResourceId, &Observed)| {
        let why = match (recorded.get(id), found) {
            (Some(_), Observed::Absent) => "is recorded and not there".to_owned(),
            (Some(_), Observed::Foreign { what, .. }) => {
                format!("is recorded, but its name is taken: {what}")
            }
            (Some(record), Observed::Present { address, .. }) => elsewhere(record, address)?,
            (None, Observed::Present { address, .. }) => {
                format!("carries the mark of `{address}` and is not recorded")
            }
            (_, Observed::Partial { why, .. }) => format!("is half made: {why}"),
            (None, Observed::Absent | Observed::Foreign { .. }) => return None,
        };
        Some((id.clone(), why))
    };
    observed.iter().filter_map(one).collect()
}

fn elsewhere(record: &Record, marked: &Address) -> Option<String> {
    let recorded = &record.address;
    (marked != recorded)
        .then(|| format!("is recorded at `{recorded}`, but its mark says `{marked}`"))
}
