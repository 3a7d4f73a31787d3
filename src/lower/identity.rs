//! What others know a machine by: its UUID, and the MACs of its NICs.

use infra_api::{Placement, names};

use super::Lowering;
use crate::declared::{Kvm, Workload};

impl Lowering<'_> {
    /// Before any is derived: what is written is nobody else's.
    pub(super) fn written_macs(&mut self) {
        for workload in &self.inputs.declared.workloads {
            if !self.inputs.placements.contains_key(&workload.address) {
                continue;
            }
            for mac in workload.interfaces.iter().filter_map(|i| i.mac.as_ref()) {
                if !self.macs.insert(mac.value.clone()) {
                    let text = format!("another interface has {}", mac.value);
                    let hint = "give each another one, or leave `mac` out";
                    self.error(mac.span, "MAC taken", &text, hint);
                }
            }
        }
    }

    /// A MAC that no other interface of the project has: 24 bits of a digest meet once in a few thousand machines.
    pub(super) fn mac(&mut self, workload: &infra_api::Address, label: &str) -> String {
        let project = self.inputs.project;
        let made_as = self.inputs.made_as.of(workload);
        let mut macs = (0..).map(|attempt| names::mac(project, made_as, label, attempt));
        macs.find(|mac| self.macs.insert(mac.clone()))
            .expect("there are more MACs than a project has interfaces")
    }

    /// As written, and then no other machine's of the host.
    pub(super) fn uuid(
        &mut self,
        workload: &Workload,
        form: &Kvm,
        placement: &Placement,
    ) -> String {
        let Some(written) = &form.uuid else {
            return names::uuid(self.inputs.project, self.made_as(&workload.address));
        };
        if !self.first(&placement.host, &format!("UUID {}", written.value)) {
            let hint = "give each machine another one, or leave `uuid` out";
            self.error(
                written.span,
                "UUID taken",
                "another machine of this host has it",
                hint,
            );
        }
        written.value.clone()
    }
}
