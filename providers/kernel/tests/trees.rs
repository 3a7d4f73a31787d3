//! Facts of small made-up machines: one trap each, and files that say nonsense.

mod sketch;

use std::collections::BTreeMap;

use infra_api::facts::{CgroupVersion, CpuKind, NodeKind};
use infra_api::{Facts, IdSet};
use infra_kernel::read;

use sketch::{facts, faulty, ids, sketch};

#[test]
fn an_empty_tree_knows_nothing_and_says_so() {
    let (facts, problems) = faulty("");
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "/sys/devices/system/cpu: no online CPU was found here"
    );
    assert_eq!(
        (facts.memory_bytes, facts.cpus.offline, facts.cpus.allowed),
        (None, None, None)
    );
    assert_eq!(facts.runtimes.bare_metal, None);
}

#[test]
fn offline_cpus_leave_gaps_and_have_no_record() {
    let facts = facts(
        "CPU/online 1-2,7\nCPU/present 0-3,7\nCPU/possible 0-15\n\
         CPU/cpu1/topology/thread_siblings_list 0-1\nCPU/cpu1/topology/core_id 0\n\
         CPU/cpu2/topology/thread_siblings_list 2-3\nCPU/cpu2/topology/core_id 0\n\
         CPU/cpu7/topology/thread_siblings_list 7\nCPU/cpu7/topology/core_id 1",
    );
    assert_eq!(facts.cpus.offline, Some(ids("0,3")));
    let cpus: Vec<_> = facts
        .cpus
        .list
        .iter()
        .map(|c| (c.id, c.core, c.siblings.to_string()))
        .collect();
    let expected = [(1, Some(0), "1"), (2, Some(1), "2"), (7, Some(2), "7")];
    assert_eq!(
        cpus,
        expected.map(|(id, core, siblings)| (id, core, siblings.to_owned()))
    );
}

#[test]
fn siblings_with_core_numbers_of_their_own_are_no_threads() {
    let facts = facts(
        "CPU/online 0-1\n\
         CPU/cpu0/topology/thread_siblings 3\nCPU/cpu0/topology/core_id 0\n\
         CPU/cpu1/topology/thread_siblings 3\nCPU/cpu1/topology/core_id 1",
    );
    assert_eq!(facts.cpu(0).unwrap().siblings, ids("0"));
    assert_ne!(facts.cpu(0).unwrap().core, facts.cpu(1).unwrap().core);
}

#[test]
fn packages_are_told_apart_where_their_numbers_do_not() {
    for number in ["-1", "0"] {
        let facts = facts(&format!(
            "CPU/online 0-1\n\
             CPU/cpu0/topology/core_siblings_list 0\nCPU/cpu0/topology/physical_package_id {number}\n\
             CPU/cpu1/topology/core_siblings_list 1\nCPU/cpu1/topology/physical_package_id {number}"
        ));
        let packages: Vec<_> = facts.cpus.list.iter().map(|cpu| cpu.package).collect();
        assert_eq!(packages, [Some(0), Some(1)]);
    }
}

#[test]
fn an_unknown_core_is_null_and_its_thread_alone() {
    let facts = facts("CPU/online 0-1");
    let cpu = facts.cpu(1).unwrap();
    assert_eq!(
        (cpu.core, cpu.package, &cpu.siblings),
        (None, None, &ids("1"))
    );
}

#[test]
fn hybrid_cores() {
    let facts = facts(
        "CPU/online 0-2\nsys/devices/cpu_core/cpus 0-1\nsys/devices/cpu_atom/cpus 2\n\
         CPU/cpu2/cpufreq/cpuinfo_max_freq 3900000",
    );
    let kinds: Vec<_> = facts.cpus.list.iter().map(|cpu| cpu.kind).collect();
    let fast = Some(CpuKind::Performance);
    assert_eq!(kinds, [fast, fast, Some(CpuKind::Efficiency)]);
    assert_eq!(facts.cpu(2).unwrap().max_frequency_khz, Some(3_900_000));
}

#[test]
fn node_ids_have_gaps_and_distances_follow_them() {
    let facts = facts(
        "CPU/online 0-1\nNODE/online 1,33\n\
         NODE/node1/cpulist 0-1\nNODE/node1/distance 10 21\n\
         NODE/node1/meminfo Node 1 MemTotal: 1024 kB\\nNode 1 MemFree: 512 kB\n\
         NODE/node33/cpulist\nNODE/node33/distance 22 10\n\
         NODE/node33/meminfo Node 33 MemTotal: 0 kB",
    );
    let node = facts.node(1).unwrap();
    assert_eq!(node.distances, BTreeMap::from([(1, 10), (33, 21)]));
    assert_eq!(
        (node.memory_bytes, node.free_bytes),
        (Some(1 << 20), Some(1 << 19))
    );
    assert_eq!(facts.node(33).unwrap().distances[&1], 22);
    assert_eq!(facts.node(33).unwrap().kind, NodeKind::Empty);
    assert_eq!(facts.cpu(0).unwrap().node, Some(1));
}

#[test]
fn kinds_of_nodes() {
    let facts = facts(
        "CPU/online 0\nNODE/online 0-2,255\n\
         NODE/node0/cpulist 0\nNODE/node0/meminfo Node 0 MemTotal: 0 kB\n\
         NODE/node1/cpulist 7\nNODE/node1/meminfo Node 1 MemTotal: 4 kB\n\
         NODE/node2/cpulist\nNODE/node2/meminfo Node 2 MemTotal: 4 kB\n\
         NODE/node255/cpulist\nNODE/node255/meminfo Node 255 MemTotal: 4 kB\n\
         proc/driver/nvidia/gpus/0004:05:00.0/numa_status Node:      255\\nStatus:    online",
    );
    let kinds: Vec<_> = facts.nodes.iter().map(|node| node.kind).collect();
    let memory = NodeKind::MemoryOnly;
    assert_eq!(kinds, [NodeKind::CpuOnly, memory, memory, NodeKind::Device]);
}

#[test]
fn no_node_directory_is_one_node() {
    let facts = facts(
        "CPU/online 0-1\nproc/meminfo MemTotal: 2048 kB\\nMemFree: 1024 kB\\nHugepagesize: 2048 kB\n\
         sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 3",
    );
    let [node] = facts.nodes.as_slice() else {
        panic!("{:?}", facts.nodes)
    };
    assert_eq!(
        (node.id, node.kind, &node.cpus),
        (0, NodeKind::Normal, &ids("0-1"))
    );
    assert_eq!(
        (node.memory_bytes, node.hugepages[0].total),
        (Some(2 << 20), Some(3))
    );
    assert_eq!(facts.cpu(1).unwrap().node, Some(0));
}

#[test]
fn the_only_node_has_all_memory() {
    let facts = facts(
        "CPU/online 0\nNODE/possible 0\nproc/meminfo MemTotal: 2048 kB\\nMemFree: 1024 kB\n\
         NODE/node0/cpulist 0\nNODE/node0/meminfo Node 0 MemTotal: 512 kB",
    );
    assert_eq!(facts.nodes[0].memory_bytes, Some(2 << 20));
}

#[test]
fn masks_where_there_are_no_lists() {
    let facts = facts(
        "CPU/cpu0/online 1\nCPU/cpu1/online 0\nCPU/cpu2/crash_notes x\n\
         CPU/cpu0/topology/thread_siblings 00000000,00000001\n\
         CPU/cpu2/topology/thread_siblings 00000000,00000004\n\
         CPU/cpu0/cache/index3/level 3\nCPU/cpu0/cache/index3/shared_cpu_map 5\n\
         CPU/cpu0/cache/index3/size 30720K\nNODE/node0/cpumap 00000000,00000007",
    );
    assert_eq!(
        (&facts.cpus.online, &facts.cpus.offline),
        (&ids("0,2"), &Some(ids("1")))
    );
    assert_eq!(facts.nodes[0].cpus, ids("0,2"));
    assert_eq!(facts.l3[0].cpus, ids("0,2"));
    assert_eq!(facts.l3[0].size_bytes, Some(30 << 20));
}

#[test]
fn huge_pages_of_a_node_and_of_the_host() {
    let facts = facts(
        "CPU/online 0\n\
         NODE/node0/hugepages/hugepages-1048576kB/nr_hugepages 4\n\
         NODE/node0/hugepages/hugepages-1048576kB/free_hugepages 1\n\
         NODE/node0/hugepages/hugepages-2048kB/nr_hugepages 0\n\
         sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages 7\n\
         proc/mounts a /dev/hugepages hugetlbfs rw 0 0\\nb /mnt/1\\040G hugetlbfs rw,pagesize=1024M 0 0\n\
         proc/meminfo Hugepagesize: 2048 kB",
    );
    let pools = &facts.nodes[0].hugepages;
    let sizes: Vec<_> = pools
        .iter()
        .map(|pool| (pool.size_bytes, pool.total, pool.free))
        .collect();
    assert_eq!(
        sizes,
        [(2 << 20, Some(0), None), (1 << 30, Some(4), Some(1))]
    );
    assert_eq!(
        (facts.hugepages[0].reserved, facts.hugepages[0].total),
        (Some(7), None)
    );
    let mounts: Vec<_> = facts
        .hugetlbfs
        .iter()
        .map(|m| (m.path.as_str(), m.size_bytes))
        .collect();
    assert_eq!(
        mounts,
        [
            ("/dev/hugepages", Some(2 << 20)),
            ("/mnt/1 G", Some(1 << 30))
        ]
    );
}

#[test]
fn a_cgroup_narrower_than_the_machine() {
    let v1 = facts(
        "CPU/online 0-3\nNODE/node0/cpulist 0-3\n\
         proc/mounts cg /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
         proc/self/cgroup 4:memory:/other\\n3:cpuset:/job/step\n\
         sys/fs/cgroup/cpuset/cpuset.cpus 0-3\nsys/fs/cgroup/cpuset/job/cpuset.cpus 2-9\n\
         sys/fs/cgroup/cpuset/job/cpuset.mems 0-1",
    );
    assert_eq!(
        (v1.cpus.allowed.as_ref(), v1.usable_cpus()),
        (Some(&ids("2-3")), ids("2-3"))
    );
    assert_eq!(v1.allowed_nodes, Some(ids("0")));
    assert_eq!(v1.cgroup.unwrap().version, CgroupVersion::V1);

    let v2 = facts(
        "CPU/online 0-3\nproc/mounts cg /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n\
         proc/self/cgroup 0::/user.slice/session-2.scope\n\
         sys/fs/cgroup/cgroup.controllers cpuset cpu\n\
         sys/fs/cgroup/user.slice/cpuset.cpus.effective 0,2",
    );
    assert_eq!(v2.cpus.allowed, Some(ids("0,2")));
    let cgroup = v2.cgroup.unwrap();
    assert_eq!(
        (cgroup.version, cgroup.controllers.len()),
        (CgroupVersion::V2, 2)
    );
    assert_eq!(cgroup.path.as_deref(), Some("/user.slice/session-2.scope"));
}

#[test]
fn affinity_is_no_limit() {
    let facts = facts(
        "CPU/online 0-3\nCPU/isolated 2-3\n\
         proc/self/status Name: x\\nCpus_allowed_list:\t0-1\\nMems_allowed_list:\t0",
    );
    assert_eq!(
        (facts.cpus.affinity.as_ref(), facts.usable_cpus()),
        (Some(&ids("0-1")), ids("0-3"))
    );
    assert_eq!(facts.allowed_nodes, Some(ids("0")));
}

#[test]
fn a_physical_function_and_its_virtual_functions() {
    let pf = "sys/bus/pci/devices/0000:3b:00.0";
    let vf = "sys/bus/pci/devices/0000:3b:02.0";
    let facts = facts(&format!(
        "{pf}/vendor 0x8086\n{pf}/device 0x1572\n{pf}/class 0x020000\n{pf}/numa_node 1\n\
         {pf}/driver ->../../../bus/pci/drivers/i40e\n{pf}/iommu_group ->../../kernel/iommu_groups/31\n\
         {pf}/sriov_totalvfs 64\n{pf}/sriov_numvfs 2\n{pf}/local_cpulist 0\n\
         {pf}/virtfn0 ->../0000:3b:02.0\n{pf}/virtfn10 ->../0000:3b:03.2\n{pf}/virtfn2 ->../0000:3b:02.2\n\
         {pf}/net/ens1f0/address 3c:fd:fe:00:00:01\n{pf}/net/ens1f0/speed 10000\n\
         {pf}/net/ens1f0/mtu 1500\n{pf}/net/ens1f0/operstate up\n\
         {vf}/vendor 0x8086\n{vf}/numa_node -1\n{vf}/physfn ->../0000:3b:00.0\n{vf}/sriov_totalvfs 0\n\
         {vf}/virtio0/net/eth0/speed -1\n\
         sys/kernel/iommu_groups/31/devices/0000:3b:00.0 ->../../x\nCPU/online 0",
    ));
    let device = facts.pci("0000:3b:00.0").unwrap();
    let sriov = device.sriov.as_ref().unwrap();
    assert_eq!((sriov.total, sriov.configured), (Some(64), Some(2)));
    assert_eq!(sriov.vfs, ["0000:3b:02.0", "0000:3b:02.2", "0000:3b:03.2"]);
    assert_eq!(
        (device.driver.as_deref(), device.iommu_group),
        (Some("i40e"), Some(31))
    );
    assert_eq!(
        (device.class.as_deref(), device.numa_node),
        (Some("020000"), Some(1))
    );
    assert_eq!(
        (
            device.interfaces[0].name.as_str(),
            device.interfaces[0].speed_mbit
        ),
        ("ens1f0", Some(10_000))
    );
    let function = facts.pci("0000:3b:02.0").unwrap();
    assert_eq!((function.numa_node, &function.sriov), (None, &None));
    assert_eq!(function.physfn.as_deref(), Some("0000:3b:00.0"));
    assert_eq!(
        (
            function.interfaces[0].name.as_str(),
            function.interfaces[0].speed_mbit
        ),
        ("eth0", None)
    );
    assert_eq!(facts.iommu_groups[0].devices, ["0000:3b:00.0"]);
}

#[test]
fn devices_lie_below_their_bridges() {
    let devices = "sys/bus/pci/devices";
    let facts = facts(&format!(
        "CPU/online 0\n\
         {devices}/0000:00:1c.0 ->../../../devices/pci0000:00/0000:00:1c.0\n\
         {devices}/0000:02:00.0 ->../../../devices/pci0000:00/0000:00:1c.0/0000:02:00.0/"
    ));
    let parents: Vec<_> = facts
        .pci
        .iter()
        .map(|device| device.parent.as_deref())
        .collect();
    assert_eq!(parents, [None, Some("0000:00:1c.0")]);
}

#[test]
fn what_the_kernel_was_left_with() {
    let facts = facts(
        "CPU/online 0\nCPU/nohz_full (null)\nproc/cmdline quiet isolcpus=2-3\nproc/version Linux version 6.1.0-13-amd64 (x)\n\
         sys/kernel/mm/transparent_hugepage/enabled always [madvise] never\n\
         sys/kernel/mm/ksm/run 0\nproc/sys/kernel/numa_balancing 1\netc/tuned/active_profile virtual-host\n\
         run/systemd/system/x y",
    );
    assert_eq!(facts.cpus.nohz_full, Some(IdSet::new()));
    assert_eq!(facts.kernel.release.as_deref(), Some("6.1.0-13-amd64"));
    assert_eq!(facts.kernel.parameters[0].value.as_deref(), Some("2-3"));
    assert_eq!(facts.thp.unwrap().enabled.as_deref(), Some("madvise"));
    assert_eq!(
        (facts.ksm.unwrap().run, facts.numa_balancing),
        (Some(0), Some(1))
    );
    assert_eq!(facts.tuned_profile.as_deref(), Some("virtual-host"));
    assert!(facts.runtimes.bare_metal.unwrap().offered);
}

#[test]
fn bare_metal_needs_systemd() {
    let offer = facts("CPU/online 0\nproc/1/comm runit")
        .runtimes
        .bare_metal
        .unwrap();
    assert_eq!(
        (offer.offered, offer.why_not.as_deref()),
        (false, Some("process 1 is `runit`, not systemd"))
    );
}

#[test]
fn nonsense_is_named_and_costs_only_its_own_fact() {
    let pci = "sys/bus/pci/devices/0000:00:01.0";
    let (facts, problems) = faulty(&format!(
        "CPU/online 0-1\nCPU/possible many\nCPU/cpu0/topology/core_id zero\n\
         CPU/cpu0/topology/thread_siblings_list 0-\nCPU/cpu0/cache/index3/level 3\n\
         CPU/cpu0/cache/index3/shared_cpu_list 0\nCPU/cpu0/cache/index3/size big\n\
         NODE/node0/cpulist 0\nNODE/node0/meminfo Node 0 MemTotal: lots\nNODE/node0/distance 10 20 30\n\
         NODE/node1/cpulist 1\nNODE/node1/distance near far\n\
         NODE/node1/hugepages/hugepages-2048kB/nr_hugepages -4\n\
         sys/kernel/mm/transparent_hugepage/enabled sometimes\n\
         {pci}/vendor Intel\n{pci}/numa_node 99999999999\n{pci}/iommu_group ->../x/none\n\
         {pci}/sriov_totalvfs some"
    ));
    let files: Vec<&str> = problems
        .iter()
        .map(|p| p.path.rsplit('/').next().unwrap())
        .collect();
    for file in [
        "possible",
        "thread_siblings_list",
        "size",
        "meminfo",
        "distance",
        "nr_hugepages",
        "enabled",
        "vendor",
        "numa_node",
        "iommu_group",
        "sriov_totalvfs",
    ] {
        assert!(files.contains(&file), "{file} is not among {files:?}");
    }
    let named = problems
        .iter()
        .find(|p| p.path.ends_with("possible"))
        .unwrap();
    assert!(named.what.contains("`many`"));
    assert_eq!((facts.cpus.online, facts.cpus.possible), (ids("0-1"), None));
    assert_eq!(
        (facts.l3[0].size_bytes, facts.nodes[0].memory_bytes),
        (None, None)
    );
    assert!(facts.nodes.iter().all(|node| node.distances.is_empty()));
    assert_eq!(facts.nodes[1].hugepages[0].total, None);
    assert_eq!(
        (
            facts.pci[0].numa_node,
            facts.pci[0].sriov.as_ref().unwrap().total
        ),
        (None, None)
    );
}

#[test]
fn a_bad_list_of_online_cpus_falls_back_to_the_directories() {
    let (facts, problems) =
        faulty("CPU/online 0-\nCPU/cpu0/x y\nCPU/cpu4/online 1\nCPU/cpu5/online 0");
    assert_eq!((facts.cpus.online, problems.len()), (ids("0,4"), 1));
}

/// One file after the other replaced by garbage, in a tree that has one of each.
#[test]
fn no_file_can_stop_the_reader() {
    let whole = "CPU/online 0\nCPU/present 0\nCPU/isolated 0\nCPU/nohz_full 0\nCPU/cpu0/cpu_capacity 1024\n\
         CPU/cpu0/topology/core_cpus 1\nCPU/cpu0/topology/core_id 0\nCPU/cpu0/topology/die_cpus_list 0\n\
         CPU/cpu0/topology/package_cpus_list 0\nCPU/cpu0/topology/physical_package_id 0\n\
         CPU/cpu0/cache/index3/level 3\nCPU/cpu0/cache/index3/id 0\nCPU/cpu0/cache/index3/shared_cpu_map 1\n\
         CPU/cpu0/cache/index3/size 1K\nNODE/online 0\nNODE/possible 0\nNODE/node0/cpulist 0\n\
         NODE/node0/meminfo Node 0 MemTotal: 1 kB\nNODE/node0/distance 10\n\
         NODE/node0/hugepages/hugepages-2048kB/free_hugepages 0\nproc/meminfo MemTotal: 1 kB\n\
         proc/mounts a /sys/fs/cgroup cgroup2 rw 0 0\nproc/self/cgroup 0::/\nproc/self/status Cpus_allowed_list: 0\n\
         sys/fs/cgroup/cpuset.cpus.effective 0\nproc/cmdline quiet\nproc/version Linux version 6\n\
         sys/kernel/mm/ksm/run 0\nsys/kernel/mm/transparent_hugepage/enabled [never]\n\
         sys/bus/pci/devices/0000:00:01.0/class 0x020000\nsys/bus/pci/devices/0000:00:01.0/local_cpus 1\n\
         sys/bus/pci/devices/0000:00:01.0/sriov_totalvfs 1\nsys/bus/pci/devices/0000:00:01.0/net/e/speed 1\n\
         proc/driver/nvidia/gpus/0/numa_status Node: 0\n\
         CPU/smt/active 0\nCPU/cpu0/topology/cluster_cpus 1\nCPU/cpu0/topology/book_siblings 1\nCPU/cpu0/topology/drawer_id 1\n\
         NODE/node0/access0/initiators/node0 x\nNODE/node0/access0/initiators/read_bandwidth 1\n\
         sys/bus/dax/drivers/kmem/dax0.0 x\nsys/bus/dax/devices/dax0.0 ->../hmem.0/dax0.0\n\
         sys/bus/dax/devices/dax0.0/target_node 0\nsys/devices/virtual/memory_tiering/memory_tier4/nodelist 0\n\
         sys/devices/cpu_core/cpus 0\nsys/bus/pci/devices/0000:00:02.0 ->../pci0000:00/0000:00:01.0/0000:00:02.0";
    let files: Vec<String> = sketch(whole).0.into_keys().collect();
    let garbage = [
        "",
        "\0",
        "-1",
        "18446744073709551616",
        "99999999",
        "0-99999999",
        "é[",
        "]x[",
        "a:b:c\nd",
        ": kB",
        "\\04",
    ];
    for file in &files {
        for text in garbage {
            let mut tree = sketch(whole);
            tree.0.insert(file.clone(), text.to_owned());
            let (facts, _) = read(&tree);
            facts.contradictions();
            let json = serde_json::to_string(&facts).unwrap();
            assert_eq!(
                Facts::from_json(&json).unwrap(),
                facts,
                "{file} with {text:?}"
            );
        }
    }
}

#[test]
fn network_devices_are_known_by_their_kind() {
    let found = facts(
        "CPU/online 0-1
         sys/class/net/br0/type 1
         sys/class/net/br0/bridge/bridge_id 8000.0
         sys/class/net/eno1/type 1
         sys/class/net/eno1/device/sriov_numvfs 4
         sys/class/net/lo/type 772
         sys/class/net/bonding_masters bond0",
    );
    let links = found.links.unwrap();
    let told: Vec<_> = links
        .iter()
        .map(|link| (link.name.as_str(), link.bridge, link.vfs))
        .collect();
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(
        told,
        [
            ("br0", yes, Some(0)),
            ("eno1", no, Some(4)),
            ("lo", no, Some(0))
        ]
    );
    // A tree that does not tell of them has none that are known, which is another thing than none.
    assert_eq!(facts("CPU/online 0-1").links, None);
}
