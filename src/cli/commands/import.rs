//! `infra import`: what somebody else has made is ours from now on. Only the state is changed.

use infra_api::Address;
use infra_lang::Mode;

use super::apply::{Manner, apply, lock};
use crate::cli::arguments::{self, Global};
use crate::cli::session::{Import, Session};
use crate::cli::ui::{Exit, Stop, Ui};

pub(in crate::cli) async fn run(
    args: arguments::Import,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let to = Address::new(&args.address);
    let doing = || format!("importing `{}` as `{to}`", args.id);
    let mut options = global.options(&args.values);
    options.import = Some(Import::new(to.clone(), args.id.clone()));
    let mut lock = lock(&options, &args.locking, "import", ui)?;
    let session = Session::open(options, Mode::Plan, ui)?;
    if session.knows(&to) {
        return Err(
            Stop::error(doing(), "the state has an object there already").hint(format!(
                "`infra state show {to}` shows it; `infra state rm {to}` forgets it"
            )),
        );
    }
    let mut planned = session.plan(ui).await?;
    planned.plan.imports.retain(|id| {
        let record = planned.plan.result.resources.get(id);
        record.is_some_and(|record| record.address == to)
    });
    if planned.plan.imports.is_empty() {
        return Err(
            Stop::error(doing(), "it carries this project's mark already")
                .hint("`infra apply` takes it back by itself"),
        );
    }
    planned.only_imports();
    let exit = apply(
        &planned.session,
        &planned.world,
        (&planned.plan, None),
        &mut lock,
        &Manner::quiet(args.locking),
        ui,
    )
    .await?;
    for id in &planned.plan.imports {
        ui.result(&format!("Imported: {id} is {to} now\n"));
    }
    ui.say(&format!(
        "It is as it was: `infra plan` shows what differs from its declaration. It cannot carry a mark before it is made \
         anew; write `import {{ to = {to}  id = \"{}\" }}` as well, so that `infra state rebuild` finds it.\n",
        args.id
    ));
    Ok(exit)
}
