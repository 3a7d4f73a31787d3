//! Facts of odd machines: what real ones were seen to have, and what none should.

mod sketch;

use infra_api::Facts;
use infra_api::facts::{Cpu, CpuKind, MemoryKind, Node, NodeKind};

use sketch::{facts, faulty, ids, sketch};

fn cpus<T>(facts: &Facts, of: impl Fn(&Cpu) -> T) -> Vec<T> {
    facts.cpus.list.iter().map(of).collect()
}

fn untrue(text: &str) -> Vec<String> {
    let (facts, _) = faulty(text);
    facts
        .contradictions()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn ids_have_gaps_everywhere() {
    let facts = facts(
        "CPU/online 3,1000-1001\nCPU/present 3,7,1000-1001\nNODE/online 1,3\nNODE/possible 0-63\n\
         CPU/cpu3/topology/thread_siblings_list 3\nCPU/cpu3/topology/core_id 70000\n\
         CPU/cpu3/topology/package_cpus_list 3\nCPU/cpu3/topology/physical_package_id 65536\n\
         CPU/cpu1000/topology/thread_siblings_list 1000-1001\nCPU/cpu1000/topology/core_id 9\n\
         CPU/cpu1000/topology/package_cpus_list 1000-1001\nCPU/cpu1000/topology/physical_package_id 7\n\
         CPU/cpu1001/topology/thread_siblings_list 1000-1001\nCPU/cpu1001/topology/core_id 9\n\
         CPU/cpu1001/topology/package_cpus_list 1000-1001\nCPU/cpu1001/topology/physical_package_id 7\n\
         CPU/cpu1000/cache/index9/level 3\nCPU/cpu1000/cache/index9/shared_cpu_list 1000-1001\nCPU/cpu1000/cache/index9/id 60000\n\
         CPU/cpu1001/cache/index9/level 3\nCPU/cpu1001/cache/index9/shared_cpu_list 1000-1001\nCPU/cpu1001/cache/index9/id 60000\n\
         NODE/node1/cpulist 3,7\nNODE/node1/distance 10 32\n\
         NODE/node3/cpulist 1000-1001\nNODE/node3/distance 32 10",
    );
    let told = cpus(&facts, |c| (c.id, c.core, c.package, c.l3, c.node));
    let far = (Some(9), Some(7), Some(60_000), Some(3));
    assert_eq!(
        told,
        [
            (3, Some(70_000), Some(65_536), None, Some(1)),
            (1000, far.0, far.1, far.2, far.3),
            (1001, far.0, far.1, far.2, far.3)
        ]
    );
    assert_eq!(
        (facts.cpus.offline.as_ref(), &facts.nodes[0].cpus),
        (Some(&ids("7")), &ids("3"))
    );
    assert_eq!(facts.nodes[1].distances[&1], 32);
    assert_eq!(facts.contradictions(), []);
}

#[test]
fn no_topology_at_all() {
    let facts = facts("CPU/online 0-3\nCPU/cpu0/online 1\nproc/meminfo MemTotal: 4 kB");
    assert!(
        cpus(&facts, |c| (c.core, c.l3, c.cluster, c.die))
            .iter()
            .all(|known| *known == (None, None, None, None))
    );
    assert_eq!(
        (facts.l3.len(), facts.nodes.len(), &facts.nodes[0].cpus),
        (0, 1, &ids("0-3"))
    );
    assert_eq!(
        (facts.cpus.smt_active, &facts.cpus.smt_control),
        (None, &None)
    );
    assert_eq!(facts.contradictions(), []);
}

#[test]
fn books_and_drawers() {
    let cpu = |id: u32, package: &str, book: &str, drawer: &str, numbers: [u32; 3]| {
        let [package_id, book_id, drawer_id] = numbers;
        format!(
            "CPU/cpu{id}/topology/thread_siblings_list {id}\nCPU/cpu{id}/topology/core_id {id}\n\
             CPU/cpu{id}/topology/core_siblings_list {package}\nCPU/cpu{id}/topology/physical_package_id {package_id}\n\
             CPU/cpu{id}/topology/book_siblings_list {book}\nCPU/cpu{id}/topology/book_id {book_id}\n\
             CPU/cpu{id}/topology/drawer_siblings {drawer}\nCPU/cpu{id}/topology/drawer_id {drawer_id}\n"
        )
    };
    let facts = facts(&format!(
        "CPU/online 0-3\n{}{}{}{}",
        cpu(0, "0", "0-1", "f", [1, 1, 1]),
        cpu(1, "1", "0-1", "f", [2, 1, 1]),
        cpu(2, "2-3", "2-3", "f", [1, 2, 1]),
        cpu(3, "2-3", "2-3", "f", [1, 2, 1]),
    ));
    let told = cpus(&facts, |c| (c.package, c.book, c.drawer));
    let of = |package, book| (Some(package), Some(book), Some(1));
    assert_eq!(told, [of(0, 1), of(1, 1), of(2, 2), of(2, 2)]);
}

#[test]
fn clusters_are_told_where_they_are_more_than_a_core() {
    let cpu = |id: u32, core: &str, cluster: &str, number: i32| {
        format!(
            "CPU/cpu{id}/topology/core_cpus_list {core}\nCPU/cpu{id}/topology/core_id {id}\n\
             CPU/cpu{id}/topology/cluster_cpus_list {cluster}\nCPU/cpu{id}/topology/cluster_id {number}\n"
        )
    };
    let facts = facts(&format!(
        "CPU/online 0-3\n{}{}{}{}",
        cpu(0, "0", "0", 138),
        cpu(1, "1", "1", 139),
        cpu(2, "2", "2-3", 654),
        cpu(3, "3", "2-3", 654),
    ));
    assert_eq!(
        cpus(&facts, |c| c.cluster),
        [None, None, Some(654), Some(654)]
    );
}

#[test]
fn kinds_by_capacity() {
    let of = |capacities: [u32; 4]| {
        let lines = capacities.iter().enumerate();
        let lines = lines.map(|(id, capacity)| format!("\nCPU/cpu{id}/cpu_capacity {capacity}"));
        cpus(
            &facts(&format!("CPU/online 0-3{}", lines.collect::<String>())),
            |c| c.kind,
        )
    };
    let (fast, slow) = (Some(CpuKind::Performance), Some(CpuKind::Efficiency));
    assert_eq!(of([718, 731, 997, 1024]), [slow, slow, fast, fast]);
    assert_eq!(of([160, 620, 620, 1024]), [slow, fast, fast, fast]);
    assert_eq!(of([1024; 4]), [None; 4]);
    assert_eq!(of([900, 1024, 1024, 1024]), [None; 4]);
}

#[test]
fn masks_of_a_thousand_cpus() {
    let words = |at: usize, word: &str| {
        let words = (0..32)
            .rev()
            .map(|i| if i == at { word } else { "00000000" });
        words.collect::<Vec<_>>().join(",")
    };
    let facts = facts(&format!(
        "CPU/online 0,1023\nNODE/node0/cpumap {}\nNODE/node1/cpumap {}\n\
         CPU/cpu1023/topology/thread_siblings {}\nCPU/cpu1023/topology/core_id 1",
        words(0, "00000001"),
        words(31, "80000000"),
        words(31, "80000000"),
    ));
    assert_eq!(
        (&facts.nodes[0].cpus, &facts.nodes[1].cpus),
        (&ids("0"), &ids("1023"))
    );
    assert_eq!(facts.cpu(1023).unwrap().core, Some(1));
}

#[test]
fn lists_that_name_a_cpu_twice() {
    let facts = facts("CPU/online 0-3,2-5,5\nNODE/node0/cpulist 0-5,1");
    assert_eq!(
        (&facts.cpus.online, &facts.nodes[0].cpus),
        (&ids("0-5"), &ids("0-5"))
    );
}

#[test]
fn threads_that_are_switched_off() {
    let facts = facts("CPU/online 0\nCPU/smt/control forceoff\nCPU/smt/active 0");
    assert_eq!(
        (facts.cpus.smt_control.as_deref(), facts.cpus.smt_active),
        (Some("forceoff"), Some(false))
    );
}

/// Two nodes with CPUs, and one more of each kind of memory.
const TIERS: &str = "CPU/online 0-1\nNODE/online 0-5\n\
    NODE/node0/cpulist 0\nNODE/node0/access1/initiators/read_bandwidth 1000\nNODE/node0/access1/initiators/read_latency 90\n\
    NODE/node0/access1/initiators/node0 ->../../node0\n\
    NODE/node1/cpulist 1\nNODE/node1/access0/initiators/read_bandwidth 0\nNODE/node1/access0/initiators/node1 ->../../node1\n\
    NODE/node2/cpulist\nNODE/node2/access0/initiators/node5 ->../../node5\nNODE/node2/access0/initiators/read_bandwidth 9\n\
    NODE/node2/access1/initiators/node0 ->../../node0\nNODE/node2/access1/initiators/read_bandwidth 4000\n\
    NODE/node3/cpulist\nNODE/node4/cpulist\nNODE/node5/cpulist\n\
    sys/bus/dax/drivers/kmem/dax0.0 ->x\nsys/bus/dax/drivers/kmem/bind\n\
    sys/bus/dax/devices/dax0.0 ->../../../devices/platform/hmem.0/dax0.0\nsys/bus/dax/devices/dax0.0/target_node 2\n\
    sys/bus/dax/drivers/kmem/dax1.0 ->x\n\
    sys/bus/dax/devices/dax1.0 ->../../../devices/LNXSYSTM:00/ACPI0012:00/ndbus0/region5/dax1.1/dax1.0\nsys/bus/dax/devices/dax1.0/target_node 3\n\
    sys/bus/dax/drivers/kmem/dax2.0 ->x\n\
    sys/bus/dax/devices/dax2.0 ->../../../devices/platform/ACPI0017:00/root0/decoder0.0/region0/dax_region0/dax2.0\nsys/bus/dax/devices/dax2.0/target_node 4\n\
    sys/devices/virtual/memory_tiering/memory_tier4/nodelist 0-1\n\
    sys/devices/virtual/memory_tiering/memory_tier22/nodelist 2-5";

#[test]
fn kinds_of_memory() {
    let facts = facts(TIERS);
    let told: Vec<_> = facts
        .nodes
        .iter()
        .map(|node| (node.memory_kind, node.memory_tier))
        .collect();
    assert_eq!(
        told,
        [
            (Some(MemoryKind::Dram), Some(4)),
            (Some(MemoryKind::Dram), Some(4)),
            (Some(MemoryKind::Hbm), Some(22)),
            (Some(MemoryKind::Persistent), Some(22)),
            (Some(MemoryKind::Cxl), Some(22)),
            (Some(MemoryKind::OtherTier), Some(22)),
        ]
    );
    let named: Vec<u32> = facts
        .nodes
        .iter()
        .filter(|node| node.only_when_named())
        .map(|node| node.id)
        .collect();
    assert_eq!(named, [2, 3, 4, 5]);
    let access: Vec<_> = facts.nodes[..3].iter().map(access).collect();
    assert_eq!(
        access,
        [
            (Some(ids("0")), Some(1000), Some(90)),
            (Some(ids("1")), None, None),
            (Some(ids("0")), Some(4000), None),
        ]
    );
}

fn access(node: &Node) -> (Option<infra_api::IdSet>, Option<u64>, Option<u64>) {
    (
        node.initiators.clone(),
        node.read_bandwidth_mb_s,
        node.read_latency_ns,
    )
}

/// What is only set apart, and no faster as far as is known, is not guessed to be anything.
#[test]
fn memory_set_apart_is_no_more_than_that() {
    let facts = facts(&TIERS.replace("read_bandwidth 4000", "read_bandwidth 2000"));
    assert_eq!(facts.nodes[2].memory_kind, Some(MemoryKind::SpecialPurpose));
}

/// A node without CPUs may be ordinary memory whose CPUs are off.
#[test]
fn memory_of_the_main_tier_is_for_everybody() {
    let facts = facts(
        "CPU/online 0\nNODE/online 0-1\nNODE/node0/cpulist 0\nNODE/node1/cpulist\n\
         sys/devices/virtual/memory_tiering/memory_tier4/nodelist 0-1",
    );
    let node = &facts.nodes[1];
    assert_eq!(
        (node.kind, node.memory_kind, node.only_when_named()),
        (NodeKind::MemoryOnly, None, false)
    );
}

#[test]
fn memory_that_could_be_had() {
    let facts = facts(
        "CPU/online 0\nNODE/node0/cpulist 0\n\
         NODE/node0/meminfo Node 0 MemTotal: 8192 kB\\nNode 0 MemFree: 1024 kB\\nNode 0 Active(file): 512 kB\\n\
         Node 0 Inactive(file): 256 kB\\nNode 0 KReclaimable: 128 kB\\nNode 0 SReclaimable: 64 kB\n\
         NODE/node0/hugepages/hugepages-2048kB/nr_hugepages 3\n\
         NODE/node1/cpulist\nNODE/node1/meminfo Node 1 MemFree: 1 kB\n\
         NODE/node1/hugepages/hugepages-2048kB/free_hugepages 3",
    );
    let [first, second] = facts.nodes.as_slice() else {
        panic!()
    };
    assert_eq!(first.reclaimable_bytes, Some(896 << 10));
    assert_eq!(
        (first.available_bytes(), first.ordinary_bytes()),
        (Some(1920 << 10), Some(2048 << 10))
    );
    assert_eq!(
        (second.available_bytes(), second.ordinary_bytes()),
        (None, None)
    );
    assert_eq!(first.pool(2 << 20).and_then(|pool| pool.total), Some(3));
}

#[test]
fn switches_and_what_hangs_on_them() {
    let path = "->../../../devices/pci0000:3a/0000:3a:00.0";
    let facts = facts(&format!(
        "CPU/online 0-1\nNODE/node0/cpulist 0\nNODE/node1/cpulist 1\n\
         PCI/0000:3a:00.0 {path}\nPCI/0000:3b:00.0 {path}/0000:3b:00.0\n\
         PCI/0000:3c:01.0 {path}/0000:3b:00.0/0000:3c:01.0\nPCI/0000:3c:02.0 {path}/0000:3b:00.0/0000:3c:02.0\n\
         PCI/0000:3d:00.0 {path}/0000:3b:00.0/0000:3c:01.0/0000:3d:00.0\n\
         PCI/0000:3e:00.0 {path}/0000:3b:00.0/0000:3c:02.0/0000:3e:00.0\n\
         PCI/0000:3e:10.1 {path}/0000:3b:00.0/0000:3c:02.0/0000:3e:10.1\n\
         PCI/0000:3e:10.1/physfn ->../0000:3e:00.0\nPCI/0000:3e:00.0/numa_node 1\nPCI/0000:3e:10.1/numa_node -1\n\
         PCI/0000:3a:00.0/numa_node 0\nPCI/0000:00:05.0 ->../../../devices/pci0000:00/0000:00:05.0\n\
         PCI/0000:00:05.0/local_cpulist 1\nPCI/0000:00:05.0/numa_node 9\nPCI/0000:00:06.0/local_cpulist 0-1\n\
         PCI/10000:e1:00.0 ->../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0"
    ));
    let above = ["0000:3a:00.0", "0000:3b:00.0", "0000:3c:01.0"];
    assert_eq!(facts.bridges("0000:3d:00.0"), above);
    assert_eq!(facts.switches("0000:3d:00.0"), ["0000:3b:00.0"]);
    assert_eq!(
        facts.switches("0000:3d:00.0"),
        facts.switches("0000:3e:10.1")
    );
    assert_eq!(
        (
            facts.bridges("0000:3a:00.0").len(),
            facts.switches("0000:3b:00.0").len()
        ),
        (0, 0)
    );
    let device = |address: &str| facts.pci(address).unwrap();
    let root = |address: &str| device(address).host_bridge.as_deref();
    assert_eq!(
        (root("0000:3d:00.0"), root("10000:e1:00.0")),
        (Some("pci0000:3a"), Some("pci10000:e0"))
    );
    assert_eq!(root("0000:00:06.0"), None);
    let near = |address: &str| facts.near(device(address));
    // Of the function it belongs to; of the root port; of its CPUs; and of nobody.
    assert_eq!(
        (near("0000:3e:10.1"), near("0000:3d:00.0")),
        (Some(1), Some(0))
    );
    assert_eq!(
        (near("0000:00:05.0"), near("0000:00:06.0")),
        (Some(1), None)
    );
}

#[test]
fn what_is_handed_on_together() {
    let facts = facts(
        "CPU/online 0\nPCI/0000:01:00.0/iommu_group ->../../kernel/iommu_groups/7\n\
         PCI/0000:01:00.1/iommu_group ->../../kernel/iommu_groups/7\nPCI/0000:02:00.0/class 0x030000\n\
         sys/kernel/iommu_groups/7/devices/0000:01:00.0 ->x\nsys/kernel/iommu_groups/7/devices/0000:01:00.1 ->x",
    );
    let with = |address: &str| facts.handed_on_with(facts.pci(address).unwrap());
    assert_eq!(with("0000:01:00.1"), ["0000:01:00.0", "0000:01:00.1"]);
    assert_eq!(with("0000:02:00.0"), ["0000:02:00.0"]);
    assert_eq!(facts.contradictions(), []);
}

#[test]
fn a_cpu_in_two_nodes_is_told() {
    let told = untrue("CPU/online 0-3\nNODE/node0/cpulist 0-2\nNODE/node4/cpulist 2-3");
    assert_eq!(
        told,
        ["CPU 2 is in two nodes: node 0 has 0-2, node 4 has 2-3 \
          (/sys/devices/system/node/node0/cpulist, /sys/devices/system/node/node4/cpulist)"]
    );
}

#[test]
fn a_cpu_in_two_cores_is_told() {
    let told = untrue(
        "CPU/online 0-2\nCPU/cpu0/topology/core_cpus_list 0-1\nCPU/cpu1/topology/core_cpus_list 1-2\n\
         CPU/cpu2/topology/core_cpus_list 2",
    );
    assert_eq!(
        told,
        [
            "CPU 1 is in two cores: its own threads are 1-2, those of CPU 0 are 0-1 \
             (/sys/devices/system/cpu/cpu0/topology/core_cpus_list, /sys/devices/system/cpu/cpu1/topology/core_cpus_list)",
            "CPU 2 is in two cores: its own threads are 2, those of CPU 1 are 1-2 \
             (/sys/devices/system/cpu/cpu1/topology/core_cpus_list, /sys/devices/system/cpu/cpu2/topology/core_cpus_list)",
        ]
    );
}

#[test]
fn a_node_with_a_cpu_that_is_not_there_is_told() {
    let told = untrue("CPU/online 0-1\nCPU/present 0-2\nNODE/node0/cpulist 0-2,9");
    assert_eq!(
        told,
        ["node 0 has CPU 9, which is not online: online are 0-1 \
          (/sys/devices/system/node/node0/cpulist, /sys/devices/system/cpu/online)"]
    );
}

/// What only costs a fact is said by the reader, and the others stand.
#[test]
fn caches_and_packages_that_overlap_are_told() {
    let (facts, problems) = faulty(
        "CPU/online 0-2\nCPU/cpu0/topology/package_cpus_list 0-1\nCPU/cpu1/topology/package_cpus_list 0-2\n\
         CPU/cpu2/topology/package_cpus_list 2\nCPU/cpu0/cache/index3/level 3\nCPU/cpu0/cache/index3/shared_cpu_list 0-1\n\
         CPU/cpu1/cache/index3/level 3\nCPU/cpu1/cache/index3/shared_cpu_map 2",
    );
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "/sys/devices/system/cpu/cpu1/cache/index3: it is shared by CPU 1, and another CPU says by 0-1",
            "/sys/devices/system/cpu/cpu1/topology/package_cpus_list: it is shared by CPU 0-2, and another CPU says by 0-1",
        ]
    );
    assert_eq!(cpus(&facts, |c| c.package), [Some(0), Some(0), Some(1)]);
    assert_eq!(facts.contradictions(), []);
}

#[test]
fn distances_of_another_size_are_no_distances() {
    for row in ["10 20 30", "10", "10 x", "-10 20", "10 9"] {
        let (facts, problems) = faulty(&format!(
            "CPU/online 0-1\nNODE/online 0-1\nNODE/node0/cpulist 0\nNODE/node1/cpulist 1\n\
             NODE/node0/distance {row}\nNODE/node1/distance 20 10"
        ));
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert_eq!(problem.path, "sys/devices/system/node/node0/distance");
        assert!(facts.nodes[0].distances.is_empty() && facts.nodes[1].distances[&0] == 20);
        assert_eq!(facts.contradictions(), []);
    }
}

#[test]
fn a_cache_nobody_shares_is_of_its_core() {
    let of = |cpu: u32| {
        format!(
            "\nCPU/cpu{cpu}/topology/thread_siblings 3\nCPU/cpu{cpu}/cache/index3/level 3\n\
             CPU/cpu{cpu}/cache/index3/shared_cpu_map 00000000"
        )
    };
    let facts = facts(&format!("CPU/online 0-1{}{}", of(0), of(1)));
    assert_eq!((facts.l3.len(), &facts.l3[0].cpus), (1, &ids("0-1")));
}

#[test]
fn distances_the_firmware_does_not_know() {
    let facts = facts("CPU/online 0\nNODE/node0/cpulist 0\nNODE/node0/distance 0");
    assert!(facts.nodes[0].distances.is_empty());
}

#[test]
fn a_machine_as_large_as_linux_goes() {
    let nodes = (0..64).map(|n| format!("NODE/node{n}/cpulist {}-{}\n", n * 128, n * 128 + 127));
    let (facts, problems) = sketch_of(&format!("CPU/online 0-8191\n{}", nodes.collect::<String>()));
    assert!(problems.is_empty());
    assert_eq!(
        (facts.cpus.list.len(), facts.cpu(8191).unwrap().node),
        (8192, Some(63))
    );
}

fn sketch_of(text: &str) -> (Facts, Vec<infra_kernel::Problem>) {
    infra_kernel::read(&sketch(text))
}
