//! How far a measurement is, and how long it will take.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ui::Ui;

/// Of what was so far: what a start and a run take.
#[derive(Default)]
struct Mean {
    count: u64,
    all: Duration,
}

impl Mean {
    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.all += took;
    }

    fn of(&self, left: u64) -> Duration {
        let count = u32::try_from(self.count.max(1)).unwrap_or(u32::MAX);
        (self.all / count) * u32::try_from(left).unwrap_or(u32::MAX)
    }
}

/// A live line where somebody sits there, else a line for each turn.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Left.
    starts: u64,
    runs: u64,
    warmup: u64,
    start: Mean,
    run: Mean,
    done: u64,
    ui: Ui,
}

impl Progress {
    pub(super) fn new((starts, runs): (u64, u64), warmup: u32, ui: Ui) -> Self {
        let style =
            ProgressStyle::with_template("{spinner} {bar:20} {pos} of {len} runs {wide_msg}");
        let bar = ui.is_interactive().then(|| {
            let bar = ProgressBar::new(runs);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self {
            bar,
            starts,
            runs,
            warmup: u64::from(warmup) * starts,
            start: Mean::default(),
            run: Mean::default(),
            done: 0,
            ui,
        }
    }

    pub(super) fn turn(&mut self, round: u32, rounds: u32, variant: &str) {
        let left = self.left();
        let text = format!("round {round} of {rounds}, {variant}{left}");
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => self.ui.say(&format!("{text}\n")),
        }
    }

    /// `, about 2 min left`; nothing before anything is known.
    fn left(&self) -> String {
        if self.run.count == 0 {
            return String::new();
        }
        let left = self.start.of(self.starts) + self.run.of(self.runs + self.warmup);
        match left.as_secs() {
            seconds @ 0..=89 => format!(", about {seconds} s left"),
            seconds => format!(", about {} min left", (seconds + 30) / 60),
        }
    }

    pub(super) fn started(&mut self, took: Duration) {
        self.start.add(took);
        self.starts = self.starts.saturating_sub(1);
    }

    pub(super) fn ran(&mut self, took: Duration, counts: bool) {
        self.run.add(took);
        if counts {
            self.runs = self.runs.saturating_sub(1);
            self.done += 1;
        } else {
            self.warmup = self.warmup.saturating_sub(1);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    pub(super) fn failed(&self, variant: &str, why: &str) {
        let text = format!("{variant} is left out: {why}");
        match &self.bar {
            Some(bar) => bar.println(&text),
            None => self.ui.say(&format!("{text}\n")),
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
