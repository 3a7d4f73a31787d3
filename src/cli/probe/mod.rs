//! `infra probe`: what a processor, its memory, a disk and the network are worth here and now, within what this process
//! may use. `infra measure host` runs it in every runtime; it knows none of them.

mod cpu;
mod disk;
mod figure;
mod guest;
mod memory;
mod network;
mod nodes;
mod pace;
mod package;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

pub use figure::{Figure, Found};
pub(in crate::cli) use memory::buffer_for;
pub(in crate::cli) use package::{DIRECTORY, Package, padding};

use super::arguments;
use super::ui::{Exit, Stop, Ui};

/// So long each figure is looked at.
const SPAN: Duration = Duration::from_millis(200);

/// What is looked at.
#[derive(Clone, Debug)]
struct Subject {
    buffer_bytes: usize,
    /// A folder, or a block device whose content is nobody's.
    disk: Option<PathBuf>,
}

pub(super) fn run(args: arguments::Probe, ui: Ui) -> Result<Exit, Stop> {
    let failed = |why: String| Stop::error("probing", why);
    if let Some(address) = args.ask {
        let found = network::ask(address, SPAN).map_err(failed)?;
        return said(&found, ui);
    }
    let subject = Subject {
        buffer_bytes: usize::try_from(args.buffer_bytes).unwrap_or(usize::MAX),
        disk: args.disk,
    };
    if let Some(cpus) = &args.cpus {
        nodes::keep_to(cpus).map_err(|e| failed(format!("binding to CPUs {cpus}: {e}")))?;
    }
    let Some(port) = args.serve else {
        let found = here(&subject).map_err(failed)?;
        return said(&found, ui);
    };
    if let Some(guest) = args.guest {
        // Process 1 of a machine: its end would be the machine's, and say nothing.
        if let Err(why) = guest::prepare(guest) {
            ui.say(&format!("infra: {why}\n"));
        }
    }
    let anywhere = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port);
    let listener = TcpListener::bind(anywhere).map_err(|e| failed(format!("{anywhere}: {e}")))?;
    ui.say(&format!("infra: answers on port {port}\n"));
    network::serve(&listener, &subject);
    Ok(Exit::Done)
}

/// The same way as from elsewhere: asked over a connection.
fn here(subject: &Subject) -> Result<Found, String> {
    let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0))
        .map_err(|e| format!("listening on the loopback address: {e}"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let subject = subject.clone();
    std::thread::spawn(move || network::serve(&listener, &subject));
    network::ask(address, SPAN)
}

/// One line.
fn said(found: &Found, ui: Ui) -> Result<Exit, Stop> {
    let line = serde_json::to_string(found).map_err(|e| Stop::error("probing", e))?;
    ui.result(&format!("{line}\n"));
    Ok(Exit::Done)
}

/// Everything but what somebody else has to ask for.
fn look(subject: &Subject) -> Found {
    let mut found = Found::default();
    found.set(Figure::Cpu, Ok(cpu::rate(SPAN)));
    memory::look(subject.buffer_bytes, SPAN, &mut found);
    match &subject.disk {
        Some(path) => disk::look(path, SPAN, &mut found),
        None => Figure::OF_DISKS
            .into_iter()
            .for_each(|figure| found.set(figure, Err("no disk was given".to_owned()))),
    }
    found.set(Figure::Loopback, network::loopback(SPAN));
    found
}
