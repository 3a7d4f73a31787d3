//! Only hosts with the labels it asks for.

use super::OfHost;

pub(super) const GATE: OfHost = OfHost {
    name: "labels",
    closed: |workload, _, host, _| {
        let labels = &host.declared.labels;
        let mut asked = workload.host_labels.iter();
        let (label, value) = asked.find(|(label, value)| labels.get(*label) != Some(*value))?;
        Some(match labels.get(label) {
            Some(other) => format!("its label {label} is {other}, and {value} is asked for"),
            None => format!("it has no label {label}, and {value} is asked for"),
        })
    },
};
