//! What is measured, and how it is told.

use infra_place::Effort;

use crate::fill::arrivals::{Sort, all, plain, sequence};
use crate::fill::{Case, Reached, until_end, until_refused};

/// Sequences of each fleet.
const SEEDS: u64 = 3;

/// A fleet: its name, and how many of which kinds of machines.
type Fleet = (&'static str, &'static [(usize, usize)]);

const FLEETS: [Fleet; 2] = [
    ("12 hosts of one kind", &[(0, 12)]),
    (
        "21 hosts of seven kinds",
        &[(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3)],
    ),
];

/// What comes.
type Mix = (&'static str, fn() -> Vec<Sort>);

const MIXES: [Mix; 2] = [("plain", plain), ("all", all)];

/// How a table ends.
type Until = (&'static str, u64, fn(&Case) -> Result<Vec<Reached>, String>);

/// Who refuses often must not try so hard each time.
const LESS: Effort = Effort {
    steps: 2_000,
    moves: true,
};

const ENDS: [Until; 4] = [
    ("none goes, until one is refused", 0, refused),
    ("40 of 100 go, until one is refused", 40, refused),
    ("none goes, until ten are refused", 0, |case| {
        until_end(case, 10, LESS)
    }),
    ("none goes, a twentieth too many come", 0, |case| {
        until_end(&case.beyond(20), usize::MAX, LESS)
    }),
];

fn refused(case: &Case) -> Result<Vec<Reached>, String> {
    until_refused(case, Effort::default())
}

/// The tables whose titles have all of these words.
pub(crate) fn print(words: &[&str]) -> Result<(), String> {
    for (fleet, kinds) in FLEETS {
        for (mix, sorts) in MIXES {
            for (until, going, run) in ENDS {
                let title = format!("{fleet}, {mix} workloads, {until}");
                if words.iter().all(|word| title.contains(word)) {
                    told(&title, &each(kinds, sorts, going, run)?);
                }
            }
        }
    }
    Ok(())
}

/// By seed, then by order.
fn each(
    kinds: &[(usize, usize)],
    sorts: fn() -> Vec<Sort>,
    going: u64,
    run: fn(&Case) -> Result<Vec<Reached>, String>,
) -> Result<Vec<Vec<Reached>>, String> {
    let runs = (1..=SEEDS).map(|seed| {
        let count = 50 * kinds.iter().map(|(_, count)| count).sum::<usize>();
        run(&Case::new(
            kinds,
            sorts(),
            sequence(&sorts(), count, going, seed),
        ))
    });
    runs.collect()
}

fn told(title: &str, runs: &[Vec<Reached>]) {
    let of_bound = |run: &[Reached], row: usize| {
        let Some(bound) = run.last() else { return 0.0 };
        match bound.load > 0.0 {
            true => run[row].load / bound.load,
            false => run[row].arrived as f64 / bound.arrived.max(1) as f64,
        }
    };
    println!("\n{title}; means of {} sequences", runs.len());
    println!(
        "| order | arrivals | of the bound | least | CPUs | with shared | memory | VFs | refused | not asked | spread | moves |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for row in 0..runs[0].len() {
        let mean = |of: fn(&Reached) -> f64| {
            runs.iter().map(|run| of(&run[row])).sum::<f64>() / runs.len() as f64
        };
        let shares: Vec<f64> = runs.iter().map(|run| of_bound(run, row)).collect();
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let part = shares.iter().sum::<f64>() / runs.len() as f64;
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        // Who is not asked for everything is compared with nobody.
        let asked = runs.iter().all(|run| run[row].not_asked == 0);
        let of_bound = |share: f64| {
            if asked {
                percent(share)
            } else {
                "–".to_owned()
            }
        };
        let cells = [
            format!("{:.1}", mean(|r| r.arrived as f64)),
            of_bound(part),
            of_bound(least),
            percent(mean(|r| r.cpus)),
            percent(mean(|r| r.load)),
            percent(mean(|r| r.memory)),
            percent(mean(|r| r.vfs)),
            format!("{:.1}", mean(|r| r.refused as f64)),
            format!("{:.1}", mean(|r| r.not_asked as f64)),
            format!("{:.1}", mean(|r| r.spread as f64)),
            format!("{:.1}", mean(|r| r.moves as f64)),
        ];
        println!("| {} | {} |", runs[0][row].order, cells.join(" | "));
    }
}
