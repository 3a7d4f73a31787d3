//! A workload once more beside itself, for as long as it is measured: what is made of it is the copy's alone, stands in
//! the state under the copy's address, and goes with the next plan at the latest.

use std::sync::Arc;

use infra_api::{Address, HostName, Variant};
use infra_lang::Ignore;

use super::Session;
use crate::addresses;
use crate::choose;
use crate::cli::ui::Stop;
use crate::declared::{At, Stops, Suits};

/// What the copy's name ends with.
const COPY: &str = "_measured";

/// The address of a workload's copy.
#[must_use]
pub fn copy_of(address: &Address) -> Address {
    let parsed = address.as_str().parse::<infra_lang::Address>();
    Address::new(parsed.map_or_else(
        |_| format!("{address}{COPY}"),
        |parsed| copied(parsed).to_string(),
    ))
}

fn copied(address: infra_lang::Address) -> infra_lang::Address {
    infra_lang::Address {
        name: Arc::from(format!("{}{COPY}", address.name)),
        ..address
    }
}

impl Session {
    /// Declares a copy of a workload, as one variant, and returns its address. It gets addresses and disks of its own.
    ///
    /// # Errors
    /// When there is no such workload, or no address is left for the copy.
    pub fn declare_copy(
        &mut self,
        of: &Address,
        variant: Variant,
        on: &HostName,
    ) -> Result<Address, Stop> {
        let doing = || format!("measuring `{of}`");
        let nobody = || Stop::error(doing(), "no workload is declared there");
        let parsed: infra_lang::Address = of.as_str().parse().map_err(|_| nobody())?;
        let evaluation = &mut self.configuration.evaluation;
        let instance = evaluation.instance(&parsed).ok_or_else(nobody)?;
        let mut instance = instance.clone();
        instance.address = copied(parsed);
        instance.lifecycle.prevent_destroy = false;
        let address = Address::new(instance.address.to_string());
        let after = |i: &infra_lang::Instance| i.address < instance.address;
        let place = evaluation.instances.partition_point(after);
        evaluation.instances.insert(place, instance);
        let declared = &mut self.configuration.declared;
        let own = declared.workloads.iter().find(|w| w.address == *of);
        let own = own.ok_or_else(nobody)?;
        let span = own.origin;
        let mut copy = choose::with(own, variant.runtime, variant.with);
        copy.address = address.clone();
        copy.runtime = Some(At {
            value: variant.runtime,
            span,
        });
        copy.host = Some(At {
            value: on.clone(),
            span,
        });
        copy.suits = Suits::default();
        copy.apart = None;
        copy.spread = None;
        copy.placement_groups.clear();
        copy.company.clear();
        copy.prevent_destroy = false;
        copy.ignore_changes = Ignore::default();
        copy.stops = Stops::Always;
        copy.update = None;
        if let Some(form) = &mut copy.kvm {
            form.uuid = None;
            form.console_log = None;
            form.hardware.vsock_cid = None;
        }
        for interface in &mut copy.interfaces {
            interface.address = None;
            interface.address6 = None;
            interface.mac = None;
        }
        let place = declared.workloads.partition_point(|w| w.address < address);
        declared.workloads.insert(place, copy);
        let (addresses, found) = addresses::allocate(
            &self.configuration.declared,
            &self.loaded.outcome().workloads,
        );
        self.configuration.addresses = addresses;
        self.must(found, crate::cli::ui::Ui::default())?;
        Ok(address)
    }
}
