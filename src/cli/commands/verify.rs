//! `infra verify`: reads back from the kernel that what was planned is so.

use std::time::Duration;

use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::{Session, Verified, verified};
use crate::cli::show::verification as show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::select::Pattern;

pub(in crate::cli) async fn run(
    args: arguments::Verify,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let session = Session::open(global.options(&args.values), Mode::Plan, ui)?;
    let patterns: Vec<Pattern> = args
        .addresses
        .iter()
        .map(|word| Pattern::new(word))
        .collect();
    let prior = session.prior();
    for (pattern, word) in patterns.iter().zip(&args.addresses) {
        if !prior
            .resources
            .values()
            .any(|record| pattern.matches(&record.address))
        {
            let doing = format!("verifying `{word}`");
            return Err(Stop::error(doing, "nothing of this address was applied")
                .hint("`infra state list` tells what there is"));
        }
    }
    let world = session.connect().await?;
    let watch = args.watch.map(|time| Duration::from_nanos(time.0));
    let meant = |address: &infra_api::Address| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(address))
    };
    let verified = verified(&world, prior, meant, watch).await;
    if args.json {
        ui.json(&show::document(session.project(), &verified.checks));
    } else {
        ui.result(&show::table(&verified.checks));
    }
    let exit = exit(&verified);
    match verified.failures.is_empty() {
        true => Ok(exit),
        false if exit == Exit::Changes => {
            ui.stop(&Stop::all(verified.failures));
            Ok(exit)
        }
        false => Err(Stop::all(verified.failures)),
    }
}

/// What is not so is told before what could not be looked at.
fn exit(verified: &Verified) -> Exit {
    let has = |verdict| verified.checks.iter().any(|check| check.verdict == verdict);
    if has(crate::verify::Verdict::Fails) {
        Exit::Changes
    } else if has(crate::verify::Verdict::Unknown) {
        Exit::Error
    } else {
        Exit::Done
    }
}
