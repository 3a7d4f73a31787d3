//! A workload once more beside itself, for as long as it is measured: what is made of it is the copy's alone, stands in
//! the state under the copy's address, and goes with the next plan at the latest.

use std::sync::Arc;

use infra_api::{Address, HostName, Variant};
use infra_diag::Span;
use infra_lang::Ignore;

use super::Session;
use crate::addresses;
use crate::choose;
use crate::cli::ui::Stop;
use crate::declared::{At, Stops, Suits, Workload};

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

/// A workload as if it had been declared as one variant, on one host.
fn as_variant(own: &Workload, variant: Variant, on: &HostName, span: Span) -> Workload {
    let mut made = choose::with(own, variant.runtime, variant.with);
    made.runtime = Some(At {
        value: variant.runtime,
        span,
    });
    made.host = Some(At {
        value: on.clone(),
        span,
    });
    made.suits = Suits::default();
    made
}

impl Session {
    /// Declares a workload itself as one variant, and returns its address.
    ///
    /// # Errors
    /// When there is no such workload.
    pub fn declare_as(
        &mut self,
        of: &Address,
        variant: Variant,
        on: &HostName,
    ) -> Result<Address, Stop> {
        let workloads = &mut self.configuration.declared.workloads;
        let own = workloads.iter_mut().find(|w| w.address == *of);
        let own = own.ok_or_else(|| {
            Stop::error(format!("measuring `{of}`"), "no workload is declared there")
        })?;
        *own = as_variant(own, variant, on, own.origin);
        Ok(of.clone())
    }

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
        let mut copy = as_variant(own, variant, on, span);
        copy.address = address.clone();
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
