//! A host of made-up figures, and what is said of it.

use infra_api::Settings;

use super::*;

pub(in crate::cli) fn variant(runtime: Runtime, with: &[Setting]) -> Variant {
    Variant {
        runtime,
        with: with.iter().copied().collect::<Settings>(),
    }
}

/// Cpu, memory latency, writing, reading; on a disk.
fn found(values: [f64; 4], device: &str) -> (Option<Placement>, Vec<Found>) {
    let figures = [
        Figure::Cpu,
        Figure::MemoryLatency,
        Figure::DiskWriteLatency,
        Figure::DiskReadLatency,
    ];
    let runs = [0.999, 1.0, 1.001].map(|by| Found {
        figures: figures
            .into_iter()
            .zip(values.map(|v| Some(v * by)))
            .collect(),
        unknown: BTreeMap::from([(Figure::RemoteMemoryLatency, "one node".to_owned())]),
        device: Some(device.to_owned()),
    });
    (None, runs.to_vec())
}

pub(in crate::cli) fn document(emulated: bool) -> HostDocument {
    let mut document = HostDocument {
        format_version: FORMAT_VERSION.to_owned(),
        measured: "2026-11-30T08:00:00Z".to_owned(),
        infra: "0.1.0".to_owned(),
        host: MeasuredHost {
            name: "r1".to_owned(),
            class: "x: CPUs 2".to_owned(),
            versions: BTreeMap::new(),
        },
        buffer_bytes: 64 << 20,
        rounds: 3,
        emulated,
        variants: Vec::new(),
        failed: vec![Failed {
            variant: variant(Runtime::Kvm, &[Setting::HugePages]),
            why: "there are none".to_owned(),
        }],
    };
    let all = BTreeMap::from([
        (
            variant(Runtime::BareMetal, &[]),
            found([1000.0, 100.0, 50.0, 50.0], "8:1"),
        ),
        (
            variant(Runtime::Container, &[Setting::Volume]),
            found([1000.0, 100.0, 50.0, 50.0], "8:1"),
        ),
        (
            variant(Runtime::Kvm, &[]),
            found([800.0, 200.0, 150.0, 25.0], "254:0"),
        ),
    ]);
    document.fill(all, Some("8:1".to_owned()), Some("8:1".to_owned()));
    document
}

#[test]
fn figures_stand_beside_those_of_a_plain_process() {
    let page = page(&document(true));
    let lines: Vec<&str> = page.lines().collect();
    let block = lines
        .iter()
        .position(|line| line.starts_with("disk latency, writing"))
        .unwrap();
    assert_eq!(
        lines[block..block + 4],
        [
            "disk latency, writing, us: less is better",
            "  plain process              50.00  49.95 to 50.05",
            "  container with volumes     50.00  49.95 to 50.05        ×1.00, not told apart",
            "  KVM                        150.0  149.8 to 150.1        ×3.00 worse",
        ]
    );
    assert!(
        page.contains("  KVM                        25.00  24.98 to 25.02        ×0.50, better\n"),
        "{page}"
    );
    assert!(
        page.contains("not known: memory latency, remote: one node\n"),
        "{page}"
    );
    assert!(
        page.contains("not measured: KVM with huge pages: there are none\n"),
        "{page}"
    );
    assert!(page.ends_with("says nothing of KVM.\n"), "{page}");
}

#[test]
fn another_disk_is_not_compared() {
    let mut document = document(false);
    document.variants.clear();
    let all = BTreeMap::from([
        (variant(Runtime::BareMetal, &[]), found([1.0; 4], "8:1")),
        (variant(Runtime::Container, &[]), found([2.0; 4], "8:2")),
        (variant(Runtime::Kvm, &[]), found([2.0; 4], "254:0")),
    ]);
    document.fill(all, Some("8:1".to_owned()), None);
    let ratio = |n: usize, figure| document.variants[n].series(figure).unwrap().ratio;
    assert_eq!(ratio(1, Figure::Cpu), Some(0.5));
    assert_eq!(ratio(1, Figure::DiskWriteLatency), None);
    assert_eq!(ratio(2, Figure::DiskReadLatency), None);
    assert_eq!(document.variants[2].same_disk, None);
    assert!(page(&document).contains("another disk\n"));
}

#[test]
fn who_has_cpus_of_his_own_is_compared_with_who_has() {
    let mut document = document(false);
    document.variants.clear();
    let all = BTreeMap::from([
        (variant(Runtime::BareMetal, &[]), found([1.0; 4], "8:1")),
        (
            variant(Runtime::BareMetal, &[Setting::Pinned]),
            found([4.0; 4], "8:1"),
        ),
        (
            variant(Runtime::Container, &[Setting::Pinned]),
            found([2.0; 4], "8:1"),
        ),
    ]);
    document.fill(all, None, None);
    let ratio = document.variants[2].series(Figure::Cpu).unwrap().ratio;
    assert_eq!(ratio, Some(2.0));
    assert_eq!(document.variants[2].figures[&Figure::Loopback], None);
}
