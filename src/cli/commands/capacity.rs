//! `infra capacity`: how many more workloads of given shapes fit, and what is left that they cannot use.

use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Workload;

pub(in crate::cli) async fn run(
    args: arguments::Capacity,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut options = global.planning(&args.planning);
    options.beside.clone_from(&args.shape);
    let session = Session::open(options, Mode::Plan, ui)?;
    let file = args.shape.as_deref();
    let of_file = |workload: &Workload| {
        let name = session.configuration.sources.name(workload.origin.source);
        file.is_some_and(|file| session.is_file(name, file))
    };
    let workloads = &session.configuration.declared.workloads;
    if let Some(file) = file.filter(|_| !workloads.iter().any(of_file)) {
        let doing = format!("reading shapes from {}", file.display());
        return Err(Stop::error(doing, "the file declares no workload")
            .hint("write workload blocks in it, as in a configuration"));
    }
    let (shapes, without) = session
        .survey(
            of_file,
            |arranged, own, others| {
                let asked = if file.is_some() { others } else { own };
                let refused = arranged.placed().refused;
                let without = refused.into_iter().map(|r| r.workload).collect();
                (arranged.capacity(asked), without)
            },
            ui,
        )
        .await?;
    let document = show::capacity::document(session.project(), shapes, without);
    if args.json {
        let value = serde_json::to_value(&document);
        ui.json(&value.map_err(|e| Stop::error("writing the document", e))?);
    } else {
        ui.result(&show::capacity::page(&document));
    }
    Ok(Exit::Done)
}
