//! What was measured of a host as a table of suitability has it: how many times as bad as a plain process.

use infra_api::{Need, Runtime, Settings, Variant};
use infra_suitability::{Figure as Entry, Kind, Table, Unit};

use crate::cli::probe::Figure;
use crate::cli::show::measured::{HostDocument, Probed, shown};

/// Which figures a need goes by: of several the worst.
///
/// None for the network: a round trip within a host has no wire, and the table's are shares of one that has.
const NEEDS: [(Need, &[Figure]); 3] = [
    (Need::Cpu, &[Figure::Cpu]),
    (Need::Memory, &[Figure::MemoryLatency]),
    (
        Need::DiskLatency,
        &[Figure::DiskWriteLatency, Figure::DiskReadLatency],
    ),
];

/// Figures of one's own, and what is not among them.
pub(super) struct OwnTable {
    pub(super) figures: Vec<Entry>,
    pub(super) left_out: Vec<String>,
}

/// What a document gives to a table.
pub(super) fn own(document: &HostDocument, table: &Table) -> OwnTable {
    let mut own = OwnTable {
        figures: Vec::new(),
        left_out: vec![
            "network_latency: what a host can measure within itself has no wire, and is no share of a round trip that has"
                .to_owned(),
        ],
    };
    for (need, figures) in NEEDS {
        for (runtime, with) in keys(document, table, need) {
            let Some(probed) = plainest(document, table, need, (runtime, with)) else {
                continue;
            };
            match entry(document, probed, need, figures, with) {
                Some(entry) => own.figures.push(entry),
                None => {
                    let why = "it was not measured, or not against the same disk";
                    own.left_out
                        .push(format!("{need} of {}: {why}", probed.variant));
                }
            }
        }
    }
    if document.emulated
        && document
            .variants
            .iter()
            .any(|p| p.variant.runtime == Runtime::Kvm)
    {
        let why = "KVM: its machines were run in software here, which says nothing of KVM";
        own.left_out.push(why.to_owned());
    }
    own
}

/// The settings that count for a need, of those that a variant has.
fn counts(table: &Table, need: Need, variant: Variant) -> Settings {
    let of_figures = table.figures.iter();
    let of_figures = of_figures.filter(|f| (f.need, f.runtime) == (need, variant.runtime));
    let of_figures = of_figures.flat_map(|f| f.with.iter());
    let wanted = table.settings.iter();
    let wanted =
        wanted.filter(|w| w.needs.contains(&need) && w.runtimes.contains(&variant.runtime));
    let known: Settings = of_figures.chain(wanted.map(|w| w.setting)).collect();
    known.iter().filter(|s| variant.with.has(*s)).collect()
}

/// As the table keeps figures apart.
fn keys(document: &HostDocument, table: &Table, need: Need) -> Vec<(Runtime, Settings)> {
    let real = |probed: &&Probed| !(document.emulated && probed.variant.runtime == Runtime::Kvm);
    let variants = document.variants.iter().filter(real).map(|p| p.variant);
    let mut keys: Vec<(Runtime, Settings)> = variants
        .map(|v| (v.runtime, counts(table, need, v)))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Of several that are one to the table the one with the least beside.
fn plainest<'a>(
    document: &'a HostDocument,
    table: &Table,
    need: Need,
    key: (Runtime, Settings),
) -> Option<&'a Probed> {
    let same = |p: &&Probed| (p.variant.runtime, counts(table, need, p.variant)) == key;
    document
        .variants
        .iter()
        .filter(same)
        .min_by_key(|p| (p.variant.with.len(), p.variant))
}

fn entry(
    document: &HostDocument,
    probed: &Probed,
    need: Need,
    figures: &[Figure],
    with: Settings,
) -> Option<Entry> {
    let base = document.base(probed.variant)?;
    let mut worst: Option<(f64, String)> = None;
    for figure in figures {
        let (own, plain) = (probed.series(*figure)?, base.series(*figure)?);
        let apart = !own.summary.meets(&plain.summary);
        let ratio = if apart {
            own.ratio?.max(1.0)
        } else {
            own.ratio.map(|_| 1.0)?
        };
        let mut why = format!(
            "{} {} {}",
            figure.words(),
            shown(own.summary.median),
            figure.unit()
        );
        if probed.variant.runtime == Runtime::BareMetal {
            why.push_str(", a plain process");
        } else {
            let median = shown(plain.summary.median);
            why.push_str(&format!(" against {median} of a plain process"));
            why.push_str(if apart { "" } else { ", not told apart" });
        }
        if worst.as_ref().is_none_or(|(most, _)| ratio > *most) {
            worst = Some((ratio, why));
        }
    }
    let (ratio, why) = worst?;
    let (name, class) = (&document.host.name, &document.host.class);
    Some(Entry {
        need,
        runtime: probed.variant.runtime,
        with,
        value: (ratio * 1000.0).round() / 1000.0,
        unit: Unit::Ratio,
        kind: Kind::Measured,
        source: String::new(),
        date: document.measured.chars().take("2026-11-30".len()).collect(),
        why: format!("{why}; `infra measure host` on {name} ({class})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::show::measured::tests::{document, variant};

    fn value(own: &OwnTable, need: Need, variant: Variant) -> Option<f64> {
        let found = own.figures.iter();
        let mut found =
            found.filter(|f| (f.need, f.runtime, f.with) == (need, variant.runtime, variant.with));
        let value = found.next().map(|figure| figure.value);
        assert!(found.next().is_none(), "there is one of each");
        value
    }

    #[test]
    fn figures_are_shares_of_a_plain_process() {
        let own = own(&document(false), &Table::built_in());
        let kvm = variant(Runtime::Kvm, &[]);
        assert_eq!(
            value(&own, Need::Cpu, variant(Runtime::BareMetal, &[])),
            Some(1.0)
        );
        assert_eq!(value(&own, Need::Cpu, kvm), Some(1.25));
        assert_eq!(value(&own, Need::Memory, kvm), Some(2.0));
        // Writing is worse than reading.
        assert_eq!(value(&own, Need::DiskLatency, kvm), Some(3.0));
        // As the table keeps them apart: a volume is nothing to a processor.
        let volume = variant(Runtime::Container, &[infra_api::Setting::Volume]);
        assert_eq!(value(&own, Need::Cpu, volume), None);
        assert_eq!(
            value(&own, Need::Cpu, variant(Runtime::Container, &[])),
            Some(1.0)
        );
        assert_eq!(value(&own, Need::DiskLatency, volume), Some(1.0));
        assert!(own.figures.iter().all(|f| f.need != Need::NetworkLatency));
        let laid = Table::built_in().overlaid(infra_suitability::Overlay {
            figures: own.figures,
            ..infra_suitability::Overlay::default()
        });
        assert_eq!(laid.flaws(), Vec::<String>::new());
        let (_, figure) = laid
            .figure(Need::Memory, Runtime::Kvm, Settings::NONE)
            .unwrap();
        assert_eq!((figure.value, figure.date.as_str()), (2.0, "2026-11-30"));
        assert_eq!(
            figure.why,
            "memory latency 200.0 ns against 100.0 of a plain process; `infra measure host` on r1 (x: CPUs 2)"
        );
    }

    #[test]
    fn what_is_emulated_says_nothing_of_kvm() {
        let own = own(&document(true), &Table::built_in());
        assert!(own.figures.iter().all(|f| f.runtime != Runtime::Kvm));
        assert!(own.left_out.iter().any(|why| why.starts_with("KVM: ")));
    }

    #[test]
    fn what_is_not_known_or_on_another_disk_is_left_out() {
        let mut document = document(false);
        for probed in &mut document.variants {
            if let Some(Some(series)) = probed.figures.get_mut(&Figure::DiskReadLatency) {
                series.ratio = None;
            }
            probed.figures.insert(Figure::MemoryLatency, None);
        }
        let own = own(&document, &Table::built_in());
        let needs: Vec<Need> = own.figures.iter().map(|f| f.need).collect();
        assert!(needs.iter().all(|need| *need == Need::Cpu), "{needs:?}");
        assert!(
            own.left_out
                .iter()
                .any(|why| why.starts_with("memory of KVM: ")),
            "{:?}",
            own.left_out
        );
    }
}
