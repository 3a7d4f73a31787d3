//! `infra explain ADDRESS`: why a workload runs as what it does and where.

use infra_api::Address;
use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Workload;

pub(in crate::cli) async fn run(
    args: arguments::Explain,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let session = Session::open(global.planning(&args.planning), Mode::Plan, ui)?;
    let address = Address::new(&args.address);
    let workloads = &session.configuration.declared.workloads;
    if !workloads.iter().any(|w| w.address == address) {
        let known: Vec<&str> = workloads.iter().map(|w| w.address.as_str()).collect();
        return Err(Stop::error(
            format!("explaining `{address}`"),
            "no workload is declared there",
        )
        .hint(format!("declared: {}", known.join(", "))));
    }
    let (decision, inventory) = session.decide(ui).await?;
    let nobody = |_: &Workload| false;
    let explained = session.survey_at(&inventory, nobody, |arranged, _, _| {
        arranged.explain(&address)
    });
    let page = show::explain::explain(&address, &decision, &inventory, explained.as_ref());
    ui.result(&page);
    Ok(Exit::Done)
}
