//! Arguments → command. `ui` is the only file that prints, with `progress` for a running apply.

mod arguments;
mod clock;
mod commands;
mod plan_file;
pub mod probe;
pub mod progress;
pub mod session;
pub mod show;
pub mod ui;

pub use arguments::{Arguments, Command};

use std::path::Path;

use clap::{CommandFactory, Parser};

use ui::{Exit, Stop, Ui};

/// Runs the program on these arguments (the first is its name) and returns how it ends.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _broken_pipe = error.print();
            return if error.use_stderr() {
                Exit::Error
            } else {
                Exit::Done
            };
        }
    };
    let ui = Ui::default();
    // The language needs one, and would start a thread for it each time.
    infra_lang::on_large_stack(|| match command(arguments, ui) {
        Ok(exit) => exit,
        Err(stop) => ui.stop(&stop),
    })
}

fn command(arguments: Arguments, ui: Ui) -> Result<Exit, Stop> {
    let Arguments {
        mut global,
        command,
    } = arguments;
    enter(&mut global)?;
    if global.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    match command {
        Command::Init(args) => commands::init::run(&args, &global, ui),
        Command::Validate(args) => commands::validate::run(&args, global, ui),
        Command::Fmt(args) => commands::fmt::run(&args, ui),
        Command::Facts(args) => wait(commands::facts::run(args, global, ui)),
        Command::Plan(args) => {
            if args.planning.facts.is_none() {
                arguments::endpoints().warm_up();
            }
            wait(commands::plan::run(args, global, ui))
        }
        Command::Apply(args) => {
            arguments::endpoints().warm_up();
            wait(commands::apply::run(args, global, ui))
        }
        Command::Destroy(args) => {
            arguments::endpoints().warm_up();
            wait(commands::apply::destroy(args, global, ui))
        }
        Command::Import(args) => wait(commands::import::run(args, global, ui)),
        Command::Diff(args) => wait(commands::diff::run(args, global, ui)),
        Command::Verify(args) => wait(commands::verify::run(args, global, ui)),
        Command::Show(args) => commands::show::run(&args, global, ui),
        Command::State(args) => wait(commands::state::run(args, global, ui)),
        Command::Output(args) => commands::output::run(&args, global, ui),
        Command::Graph(args) => commands::graph::run(args, global, ui),
        Command::Explain(args) => wait(commands::explain::run(args, global, ui)),
        Command::Capacity(args) => wait(commands::capacity::run(args, global, ui)),
        Command::Measure(args) => {
            // What is packed of this program for a host is what it needs itself: no daemon's library.
            if args.what.is_none() {
                arguments::endpoints().warm_up();
            }
            wait(commands::measure::run(args, global, ui))
        }
        Command::Probe(args) => probe::run(args, ui),
        Command::Suitability(args) => commands::suitability::table(&args, &global, ui),
        Command::Classes(args) => commands::suitability::classes(&args, &global, ui),
        Command::Console(args) => commands::console::run(args, global, ui),
        Command::Version(args) => Ok(commands::version::run(&args, ui)),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "infra", &mut text);
            ui.result(&String::from_utf8_lossy(&text));
            Ok(Exit::Done)
        }
    }
}

/// `-C DIR`: as if started there, every path of the command line included. Messages name the folder whole: they are
/// read elsewhere.
fn enter(global: &mut arguments::Global) -> Result<(), Stop> {
    if global.directory == Path::new(".") {
        return Ok(());
    }
    let failed = |e: std::io::Error| {
        let cause = match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
            _ => e.to_string(),
        };
        Stop::error(
            format!("reading the folder {}", global.directory.display()),
            cause,
        )
    };
    std::env::set_current_dir(&global.directory).map_err(failed)?;
    global.directory = std::env::current_dir().map_err(failed)?;
    Ok(())
}

/// Runs what waits for the world; commands that do not need it start no runtime.
fn wait(work: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    // What waits needs no second thread: what blocks has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::error("starting", e))?;
    let outcome = runtime.block_on(work);
    // A call that hangs in a daemon must not keep the program: what it did is found again by its mark.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}
