//! Machines whose guests see NUMA nodes.

use infra_api::IdSet;
use infra_api::target::{Acceleration, GuestCell, Machine};

use super::{Hypervisor, definition, write};
use crate::text::domain_tests::{back, mark, plain, pools, xml};
use crate::text::golden;
use crate::way::{moves_alone, way};

/// A cell on each of two nodes, one of them in huge pages.
pub(crate) fn parted() -> Machine {
    let cell = |vcpus: [u32; 2], mib: u64, node: u32, page_size_bytes| GuestCell {
        vcpus: vcpus.into(),
        memory_bytes: mib << 20,
        nodes: Some(IdSet::from([node])),
        page_size_bytes,
        distances: if node == 0 {
            vec![10, 21]
        } else {
            vec![21, 10]
        },
    };
    Machine {
        acceleration: Acceleration::Kvm,
        vcpus: 4,
        vcpu_pins: (0..4).map(|n| (n, IdSet::from([n + 4]))).collect(),
        memory_bytes: 6 << 30,
        memory_nodes: Some(IdSet::from([0, 2])),
        cells: vec![
            cell([0, 1], 2 << 10, 0, None),
            cell([2, 3], 4 << 10, 2, Some(1 << 30)),
        ],
        ..plain()
    }
}

#[test]
fn cells_come_back() {
    golden("domain-numa.xml", &xml(&parted()));
    assert_eq!(back(&xml(&parted())).machine, definition(parted()));
    let mut shared = parted();
    shared.hardware.shared_memory = true;
    assert!(xml(&shared).contains(r#"memAccess="shared""#));
    assert_eq!(back(&xml(&shared)).machine, definition(shared));
}

/// libvirt wants cells bound as the whole is.
#[test]
fn cells_are_bound_as_the_whole_is() {
    let memory_mode = Some("restrictive".to_owned());
    let machine = Machine {
        memory_mode,
        ..parted()
    };
    assert_eq!(xml(&machine).matches(r#"mode="restrictive""#).count(), 3);
    assert_eq!(back(&xml(&machine)).machine, definition(machine));
}

#[test]
fn cells_that_are_not_the_machine_are_refused() {
    let refused = |change: fn(&mut Machine)| {
        let mut machine = parted();
        change(&mut machine);
        write(&machine, &mark(), &pools(), Hypervisor::Qemu).unwrap_err()
    };
    assert!(refused(|m| m.vcpus = 5).contains("vCPUs 0-3 of a machine with 0-4"));
    assert!(refused(|m| m.cells[1].vcpus = [1, 2, 3].into()).contains("vCPUs"));
    assert!(refused(|m| m.memory_bytes += 1 << 20).contains("in a machine of"));
    assert!(refused(|m| m.page_size_bytes = Some(2 << 20)).contains("pages"));
    let uneven = refused(|m| {
        m.cells[0].memory_bytes += 1;
        m.cells[1].memory_bytes -= 1;
    });
    assert!(uneven.contains("MiB"));
}

/// Of a stranger's: pages that name no node are every node's, those of no size are of the usual one.
#[test]
fn a_strangers_cells() {
    let read = |backing: &str| {
        let xml = format!(
            "<domain type='kvm'><name>n</name><uuid>u</uuid><memory unit='MiB'>6</memory>
             <memoryBacking>{backing}</memoryBacking><vcpu>3</vcpu>
             <numatune><memnode cellid='1' mode='preferred' nodeset='0-1'/></numatune>
             <os><type>hvm</type></os><cpu mode='host-model'><numa>
             <cell id='1' cpus='1-2' memory='4' unit='MiB'/><cell id='0' cpus='0' memory='2048'/>
             </numa></cpu><devices/></domain>"
        );
        back(&xml).machine
    };
    let machine = read(
        "<hugepages><page size='1' unit='G'/><page size='2' unit='M' nodeset='1'/></hugepages>",
    );
    assert_eq!(machine.memory_mode.as_deref(), Some("preferred"));
    assert_eq!(machine.page_size_bytes, None);
    let [first, second] = machine.cells.as_slice() else {
        panic!("{:?}", machine.cells)
    };
    assert_eq!((first.memory_bytes, &first.nodes), (2 << 20, &None));
    assert_eq!(
        (first.page_size_bytes, &first.vcpus),
        (Some(1 << 30), &[0].into())
    );
    assert_eq!(
        (second.memory_bytes, &second.nodes),
        (4 << 20, &Some([0, 1].into()))
    );
    assert_eq!(second.page_size_bytes, Some(2 << 20));
    let usual = read("<hugepages/>").cells;
    assert!(
        usual
            .iter()
            .all(|cell| cell.page_size_bytes == Some(2 << 20))
    );
}

/// The guest's nodes are there from its start; their vCPUs move while it runs.
#[test]
fn cells_change_with_a_start() {
    let changed = |change: fn(&mut Machine)| {
        let mut wanted = parted();
        change(&mut wanted);
        (
            way(&parted(), &wanted).map(|steps| steps.len()),
            moves_alone(&parted(), &wanted),
        )
    };
    assert_eq!(changed(|_| ()), (Some(0), true));
    assert_eq!(
        changed(|m| drop(m.vcpu_pins.insert(0, [9].into()))),
        (Some(1), true)
    );
    let elsewhere = changed(|m| m.cells[0].nodes = Some([1].into()));
    assert_eq!(elsewhere, (None, true));
    assert_eq!(changed(|m| m.cells[0].nodes = None), (None, false));
    assert_eq!(
        changed(|m| m.cells[0].page_size_bytes = Some(2 << 20)),
        (None, false)
    );
    assert_eq!(changed(|m| m.cells.clear()), (None, false));
}
