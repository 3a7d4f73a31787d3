//! The table, the published matrix, and laws.

use infra_api::{Level, Need, Needs, Runtime, Setting, Settings, Variant};
use proptest::prelude::*;

use super::*;

/// The tiers of the published matrix, as settings.
const TIERS: [(&str, Runtime, &[Setting]); 7] = [
    ("B0", Runtime::BareMetal, &[]),
    ("B1", Runtime::BareMetal, &[Setting::Pinned]),
    ("C0", Runtime::Container, &[]),
    (
        "C1",
        Runtime::Container,
        &[Setting::Pinned, Setting::Volume, Setting::HostNetwork],
    ),
    ("K0", Runtime::Kvm, &[]),
    (
        "K1",
        Runtime::Kvm,
        &[
            Setting::Pinned,
            Setting::HugePages,
            Setting::Function,
            Setting::WholeDisk,
        ],
    ),
    (
        "K1m",
        Runtime::Kvm,
        &[
            Setting::Pinned,
            Setting::HugePages,
            Setting::Function,
            Setting::Teaming,
            Setting::Iothread,
        ],
    ),
];

fn tier(name: &str) -> Variant {
    let (_, runtime, with) = TIERS.iter().find(|(n, ..)| *n == name).unwrap();
    Variant {
        runtime: *runtime,
        with: with.iter().copied().collect(),
    }
}

/// `H H L …` in the order of the needs.
fn needs(letters: &str) -> Needs {
    let level = |letter| match letter {
        "H" => Level::High,
        "M" => Level::Medium,
        "L" => Level::Low,
        _ => Level::None,
    };
    Need::ALL
        .into_iter()
        .zip(letters.split(' ').map(level))
        .collect()
}

/// The published matrix (its model's own letters, which for the VNF are others than its document prints): letters, then the scores of B1, C0, C1, K0, K1 and K1m; none where it is excluded.
const MATRIX: [(&str, &str, [Option<&str>; 6], &str); 13] = [
    (
        "build farm",
        "H H L H L H L N H N",
        [
            Some("0.86"),
            Some("0.98"),
            Some("0.57"),
            Some("2.34"),
            Some("1.69"),
            Some("1.84"),
        ],
        "container",
    ),
    (
        "memcached",
        "M M L L H H N N L N",
        [
            Some("0.15"),
            Some("3.21"),
            Some("0.14"),
            Some("3.61"),
            Some("0.60"),
            Some("0.84"),
        ],
        "container",
    ),
    (
        "stock trading",
        "H H L L H H L N N N",
        [
            Some("0.14"),
            Some("2.55"),
            Some("0.15"),
            Some("2.90"),
            Some("0.38"),
            Some("0.56"),
        ],
        "bare_metal",
    ),
    (
        "gluster",
        "L L H H H H N N L N",
        [
            Some("0.11"),
            Some("2.62"),
            Some("0.10"),
            Some("4.59"),
            Some("0.72"),
            Some("1.96"),
        ],
        "bare_metal",
    ),
    (
        "animation",
        "H M M H M H L L H N",
        [
            Some("1.02"),
            Some("1.76"),
            Some("0.71"),
            Some("3.21"),
            Some("1.83"),
            Some("2.18"),
        ],
        "container",
    ),
    (
        "Java",
        "H H L L M M M M M N",
        [
            Some("2.00"),
            Some("2.75"),
            Some("1.54"),
            Some("2.60"),
            Some("2.03"),
            Some("1.55"),
        ],
        "container",
    ),
    (
        "IMAP",
        "L M H M L M M M L N",
        [
            Some("2.06"),
            Some("2.27"),
            Some("1.63"),
            Some("3.55"),
            Some("1.91"),
            Some("2.52"),
        ],
        "container",
    ),
    (
        "batch",
        "H M L M L L L N H N",
        [
            Some("1.32"),
            Some("1.34"),
            Some("0.87"),
            Some("3.23"),
            Some("2.49"),
            Some("2.68"),
        ],
        "container",
    ),
    (
        "VNF",
        "H M N N H H M L M H",
        [None, None, None, Some("2.55"), Some("1.13"), Some("1.03")],
        "kvm",
    ),
    (
        "CNF",
        "H M N N H H L N H N",
        [
            Some("1.00"),
            Some("2.93"),
            Some("0.68"),
            Some("3.80"),
            Some("1.91"),
            Some("1.94"),
        ],
        "container",
    ),
    (
        "OpenOnload",
        "H H L L H H L N N N",
        [
            Some("0.14"),
            Some("2.55"),
            Some("0.15"),
            Some("2.90"),
            Some("0.38"),
            Some("0.56"),
        ],
        "bare_metal",
    ),
    (
        "Windows",
        "M M M M L M H H L H",
        [None, None, None, Some("1.64"), None, Some("1.39")],
        "kvm",
    ),
    (
        "untrusted",
        "M M L L L M H L H N",
        [None, None, None, Some("2.99"), Some("2.59"), Some("2.59")],
        "kvm",
    ),
];

#[test]
fn the_table_has_no_flaw_and_a_figure_for_every_need() {
    let table = Table::built_in();
    assert_eq!(table.flaws(), Vec::<String>::new());
    for (need, runtime) in Need::ALL
        .into_iter()
        .flat_map(|need| Runtime::ALL.map(|runtime| (need, runtime)))
    {
        assert!(
            table.figure(need, runtime, Settings::NONE).is_some(),
            "{need} {runtime}"
        );
    }
    for class in &table.classes {
        assert!(!class.needs.is_none(), "{}", class.name);
    }
}

#[test]
fn scores_and_choices_are_those_of_the_published_matrix() {
    let table = Table::built_in();
    for (workload, letters, scores, chosen) in MATRIX {
        let needs = needs(letters);
        let mut open = Vec::new();
        for (name, expected) in ["B1", "C0", "C1", "K0", "K1", "K1m"]
            .into_iter()
            .zip(scores)
        {
            let variant = tier(name);
            let out = excluded(&table, &needs, false, variant);
            assert_eq!(
                out.is_none(),
                expected.is_some(),
                "{workload} {name}: {out:?}"
            );
            let Some(expected) = expected else { continue };
            let mean = score(&table, &needs, variant, None).mean().to_string();
            assert_eq!(mean, expected, "{workload} {name}");
            open.push((variant, None));
        }
        let best = rank(&table, &needs, &open);
        let runtime = best.best().unwrap().score.variant.runtime;
        assert_eq!(runtime.word(), chosen, "{workload}");
    }
}

#[test]
fn the_classes_are_those_letters() {
    let table = Table::built_in();
    for (name, letters) in [
        ("build-farm", MATRIX[0].1),
        ("memcached", MATRIX[1].1),
        ("stock-trading", MATRIX[2].1),
        ("gluster", MATRIX[3].1),
        ("render-farm", MATRIX[4].1),
    ] {
        assert_eq!(table.class(name).unwrap().needs, needs(letters), "{name}");
    }
}

#[test]
fn an_overlay_replaces_what_has_its_key() {
    let over = r#"{"tie": 0, "classes": [{"name": "batch", "doc": "ours", "said_by": "us", "needs": {"cpu": "low"}}]}"#;
    let table = Table::built_in().overlaid(serde_json::from_str(over).unwrap());
    assert_eq!(
        table.class("batch").unwrap().needs.get(Need::Cpu),
        Level::Low
    );
    assert_eq!(table.classes.len(), Table::built_in().classes.len());
    // No tie any more: the lowest sum wins.
    let variants = [(tier("B1"), None), (tier("C1"), None)];
    let best = rank(&table, &needs(MATRIX[3].1), &variants);
    assert_eq!(
        best.best().unwrap().score.variant.runtime,
        Runtime::Container
    );
}

#[test]
fn flaws_are_told_all_at_once() {
    let over = r#"{"tie": -1, "weights": {"low": 5}, "figures": [
        {"need": "cpu", "runtime": "kvm", "with": [], "value": 0.5, "unit": "ratio", "kind": "measured", "source": "", "date": "", "why": ""},
        {"need": "cpu", "runtime": "container", "with": [], "value": 1.5, "unit": "ratio", "kind": "published", "source": "nobody", "date": "", "why": ""}]}"#;
    let table = Table::built_in().overlaid(serde_json::from_str(over).unwrap());
    assert_eq!(
        table.flaws(),
        [
            "`medium` weighs less than the level below it",
            "`tie` is -1: 0 to 1000",
            "the figure of `container` for `cpu` is from `nobody`, which no source is",
            "the figure of `kvm` for `cpu` is 0.5: 1 or more",
        ]
    );
}

fn any_needs() -> impl Strategy<Value = Needs> {
    let level = prop::sample::select(Level::ALL.to_vec());
    prop::collection::vec(level, Need::ALL.len())
        .prop_map(|levels| Need::ALL.into_iter().zip(levels).collect())
}

fn any_variants() -> impl Strategy<Value = Vec<(Variant, Option<Evidence>)>> {
    let settings = prop::sample::subsequence(Setting::ALL.to_vec(), 0..=4);
    let variant =
        (prop::sample::select(Runtime::ALL.to_vec()), settings).prop_map(|(runtime, with)| {
            Variant {
                runtime,
                with: with.into_iter().collect(),
            }
        });
    prop::collection::btree_set(variant, 1..8)
        .prop_map(|all| all.into_iter().map(|variant| (variant, None)).collect())
}

/// The one chosen of those that are left.
fn chosen(needs: &Needs, variants: &[(Variant, Option<Evidence>)]) -> Option<Variant> {
    let ranking = rank_open(&Table::built_in(), needs, false, variants);
    ranking.best().map(|best| best.score.variant)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    /// More weight on a need never makes the runtime lose that is strictly best in it.
    #[test]
    fn more_of_a_need_never_hurts_who_is_best_in_it(needs in any_needs(), variants in any_variants(), at in 0..10_usize) {
        let table = Table::built_in();
        let need = Need::ALL[at];
        let Some(winner) = chosen(&needs, &variants) else { return Ok(()) };
        let of = |v: Variant| table.figure(need, v.runtime, v.with).map_or(Micro(0), |(_, f)| f.penalty());
        let strictly = variants.iter().all(|(v, _)| *v == winner || of(*v) > of(winner));
        prop_assume!(strictly && needs.get(need) < Level::High);
        let more = needs.with(need, Level::ALL[needs.get(need) as usize + 1]);
        // Where it cannot do that at all nobody else can: nothing is left to lose to.
        let Some(then) = chosen(&more, &variants) else { return Ok(()) };
        prop_assert_eq!(then, winner, "{} {:?} {:?}", need, needs, variants);
    }

    /// The order in which variants stand is of no account.
    #[test]
    fn order_is_irrelevant(needs in any_needs(), variants in any_variants()) {
        let mut other = variants.clone();
        other.reverse();
        let table = Table::built_in();
        prop_assert_eq!(rank(&table, &needs, &variants), rank(&table, &needs, &other));
    }

    /// What one change of a need is said to turn, it turns; what is nearer does not.
    #[test]
    fn every_turn_turns(needs in any_needs(), variants in any_variants()) {
        let table = Table::built_in();
        let now = chosen(&needs, &variants);
        for turn in turns(&table, &needs, false, &variants) {
            let then = chosen(&needs.with(turn.need, turn.level), &variants);
            prop_assert_eq!(then.map(|v| v.runtime), Some(turn.runtime));
            prop_assert_ne!(then.map(|v| v.runtime), now.map(|v| v.runtime));
        }
    }

    /// Evidence that one is much faster than all others puts it first among those that are as good in all else.
    #[test]
    fn evidence_outranks_the_table(needs in any_needs(), variants in any_variants()) {
        let table = Table::built_in();
        let fast = |v: Variant| Some(Evidence { penalty: Micro(if v == variants[0].0 { 0 } else { 10_000_000 }) });
        let variants: Vec<_> = variants.iter().map(|(v, _)| (*v, fast(*v))).collect();
        for (variant, evidence) in &variants {
            let score = score(&table, &needs, *variant, *evidence);
            for figured in score.figured.iter().filter(|f| f.need.is_of_speed()) {
                prop_assert_eq!(figured.penalty, evidence.unwrap().penalty);
            }
        }
    }
}

#[test]
fn an_interval_is_as_sure_as_it_says() {
    let of = |n: u32| Summary::of(&(1..=n).map(f64::from).collect::<Vec<_>>()).unwrap();
    // From tables of the binomial distribution.
    let five = of(5);
    assert_eq!((five.median, five.low, five.high), (3.0, 1.0, 5.0));
    assert!((five.confidence - 0.9375).abs() < 1e-9);
    let ten = of(10);
    assert_eq!((ten.median, ten.low, ten.high), (5.5, 2.0, 9.0));
    assert!((ten.confidence - 0.978_515_625).abs() < 1e-9);
    assert!(Summary::of(&[]).is_none());
}

fn evidence(better: Better, samples: &[(Variant, [f64; 3])]) -> EvidenceFile {
    let placement = infra_api::Placement {
        runtime: Runtime::Container,
        with: Settings::NONE,
        needs: Needs::default(),
        host: infra_api::HostName::new("r1"),
        policy: infra_api::CpuPolicy::Shared,
        cells: Vec::new(),
        helpers: std::collections::BTreeMap::new(),
        devices: Vec::new(),
        addresses: std::collections::BTreeMap::new(),
        tiers: Vec::new(),
    };
    let measured = |(variant, samples): &(Variant, [f64; 3])| Measured {
        variant: *variant,
        placement: placement.clone(),
        samples: samples.to_vec(),
        summary: Summary::of(samples).unwrap(),
        ratio: 1.0,
        as_good_as_best: false,
    };
    let mut file = EvidenceFile {
        format_version: EVIDENCE_VERSION.to_owned(),
        workload: "workload.w".to_owned(),
        measured: String::new(),
        infra: String::new(),
        host: MeasuredHost {
            name: "r1".to_owned(),
            class: "a class".to_owned(),
            versions: std::collections::BTreeMap::new(),
        },
        benchmark: Benchmark {
            command: vec!["bench".to_owned()],
            metric: String::new(),
            unit: None,
            better,
            warmup: 1,
            rounds: 3,
        },
        variants: samples.iter().map(measured).collect(),
        failed: Vec::new(),
    };
    file.compare();
    file
}

#[test]
fn what_was_measured_counts_before_the_table() {
    let table = Table::built_in();
    let needs = needs(MATRIX[0].1);
    let (container, kvm) = (tier("C1"), tier("K0"));
    // A machine twice as fast: it wins though no figure would have it so.
    let fast = evidence(
        Better::Higher,
        &[
            (container, [99.0, 100.0, 101.0]),
            (kvm, [198.0, 200.0, 202.0]),
        ],
    );
    assert_eq!(fast.variants[0].ratio, 2.0);
    assert!(fast.variants[1].as_good_as_best && !fast.variants[0].as_good_as_best);
    let own = |file: &EvidenceFile| {
        let says = file.says(&table, &needs);
        let with = |v: Variant| (v, says.iter().find(|(own, _)| *own == v).map(|(_, e)| *e));
        rank(&table, &needs, &[with(container), with(kvm)])
    };
    assert_eq!(own(&fast).best().unwrap().score.variant, kvm);
    // Less is better: the other way round.
    let slow = evidence(
        Better::Lower,
        &[
            (container, [99.0, 100.0, 101.0]),
            (kvm, [198.0, 200.0, 202.0]),
        ],
    );
    assert_eq!(own(&slow).best().unwrap().score.variant, container);
    // Intervals that meet show nothing: both are as good as the best one of them is by the table.
    let even = evidence(
        Better::Lower,
        &[
            (container, [90.0, 100.0, 110.0]),
            (kvm, [89.0, 99.0, 112.0]),
        ],
    );
    let says = even.says(&table, &needs);
    assert_eq!(says[0].1, says[1].1);
    assert!(even.flaw().is_none());
    let json = serde_json::to_string(&even).unwrap();
    assert_eq!(serde_json::from_str::<EvidenceFile>(&json).unwrap(), even);
}
