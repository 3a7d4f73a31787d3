//! The state for a person: where each workload runs, what is ours, what the outputs are.

use std::fmt::Write;

use infra_state::State;

/// The state, a line an object.
#[must_use]
pub fn state(state: &State) -> String {
    let mut text = format!("project {} · serial {}\n", state.project, state.serial);
    for (address, placement) in &state.outcome.workloads {
        let cpus = placement.cpus();
        let _ = writeln!(
            text,
            "\n{address}  {} on {}  CPU {cpus}",
            placement.runtime, placement.host
        );
        for (label, ip) in &placement.addresses {
            let _ = writeln!(text, "  {label} {ip}");
        }
    }
    if !state.outcome.resources.is_empty() {
        text.push('\n');
    }
    for (id, record) in &state.outcome.resources {
        let _ = writeln!(text, "{id}  ({})", record.address);
    }
    for (name, output) in &state.outcome.outputs {
        let value = output
            .value
            .as_ref()
            .map_or_else(|| "(sensitive)".to_owned(), ToString::to_string);
        let _ = writeln!(text, "\n{name} = {value}");
    }
    text
}
