//! `infra plan`: reads the world, decides everything, shows it, changes nothing.

use std::path::Path;

use infra_lang::Mode;
use infra_plan::{Outcome, Plan, Reason};

use crate::cli::arguments::{self, Global};
use crate::cli::plan_file;
use crate::cli::session::{Options, Planned, Session};
use crate::cli::show::{self, PlanView};
use crate::cli::ui::{Exit, Refused, Stop, Ui};

pub(in crate::cli) async fn run(
    args: arguments::Plan,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut options = global.planning(&args.planning);
    options.destroy = args.destroy;
    options.asked = args.selecting.asked();
    options.allow_unreachable = args.reaching.allow_unreachable;
    options.rebalance = args.rebalancing.most();
    options.refresh_only = args.refresh_only;
    if let Some(path) = &args.generate_config_out {
        generate(options.clone(), path, ui).await?;
    }
    let planned = Session::open(options, Mode::Plan, ui)?.plan(ui).await;
    if let (Err(Stop::Refused(refused)), true) = (&planned, args.json) {
        ui.json(&show::json::plan(&view_of(
            refused,
            &nothing(&refused.project),
        )));
    }
    let planned = planned?;
    if let Some(path) = &args.out {
        plan_file::write(path, &planned.plan)?;
    }
    shown(&planned, args.json, args.concise, ui);
    if let (Some(path), false) = (&args.out, args.json) {
        ui.say(&format!(
            "\nThe plan is in {}; `infra apply {}` does exactly that.\n",
            path.display(),
            path.display()
        ));
    }
    let exit = if args.detailed_exitcode {
        exit(&planned)
    } else {
        Exit::Done
    };
    // The program ends here, and all of it goes at once: to take it apart would be a tenth of the work.
    std::mem::forget(planned);
    Ok(exit)
}

/// Declarations of what is imported and not declared, in a file that was not there.
async fn generate(options: Options, path: &Path, ui: Ui) -> Result<(), Stop> {
    use std::os::unix::fs::OpenOptionsExt;
    let doing = || format!("writing declarations to {}", path.display());
    let session = Session::open(options, Mode::Plan, ui)?;
    let world = session.connect().await?;
    let Some(text) = session.generated(&world).await? else {
        ui.say("All that is imported is declared: nothing was written.\n");
        return Ok(());
    };
    // Its values may be secrets.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = file.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Stop::error(doing(), "the file is there already").hint("name another one, or remove it")
        }
        _ => Stop::error(doing(), e),
    })?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| Stop::error(doing(), e))?;
    ui.say(&format!("Declarations are in {}.\n", path.display()));
    Ok(())
}

/// A plan without steps, for what was decided and cannot be done.
fn nothing(project: &infra_api::Project) -> Plan {
    Plan {
        format_version: infra_plan::FORMAT_VERSION.to_owned(),
        project: project.clone(),
        basis: infra_plan::Basis::default(),
        result: Outcome::default(),
        steps: Vec::new(),
        secrets: Vec::new(),
        daemons: std::collections::BTreeMap::new(),
        left_out: std::collections::BTreeSet::new(),
        unreachable: std::collections::BTreeMap::new(),
        moved: std::collections::BTreeMap::new(),
        let_go: std::collections::BTreeSet::new(),
        imports: std::collections::BTreeSet::new(),
    }
}

fn view_of<'a>(refused: &'a Refused, plan: &'a Plan) -> PlanView<'a> {
    PlanView {
        project: &refused.project,
        plan,
        prior: &refused.prior,
        decision: Some(&refused.decision),
        inventory: Some(&refused.inventory),
        concise: false,
    }
}

/// Shows a plan that was just made.
pub(super) fn shown(planned: &Planned, json: bool, concise: bool, ui: Ui) {
    let prior = planned.session.prior();
    let view = PlanView {
        project: planned.session.project(),
        plan: &planned.plan,
        prior,
        decision: Some(&planned.decision),
        inventory: Some(&planned.inventory),
        concise,
    };
    if json {
        ui.json(&show::json::plan(&view));
    } else {
        ui.result(&show::plan::plan(&view));
    }
}

fn exit(planned: &Planned) -> Exit {
    let (plan, prior) = (&planned.plan, planned.session.prior());
    let recorded = show::recorded::of_state_alone(plan, prior);
    let drift = |reason: &Reason| {
        matches!(
            reason,
            Reason::Drift | Reason::Vanished | Reason::HalfMade { .. }
        )
    };
    let same_outputs = plan.result.outputs == prior.outputs;
    let moves = !plan.moved.is_empty() || !plan.let_go.is_empty() || !plan.imports.is_empty();
    match (
        plan.is_empty() && !moves && same_outputs && !recorded,
        !moves && same_outputs && plan.steps.iter().all(|s| drift(&s.reason)),
    ) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Drift,
        (false, false) => Exit::Changes,
    }
}
