//! An apply as it runs, for a person: on a terminal a live line for each running step, plain lines otherwise; and for
//! programs. Printing never fails: a broken pipe is the reader's wish.

mod told;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use infra_apply::{Event, Sink};
use infra_plan::Plan;

use told::Told;

/// How often a live line turns.
const TICK: Duration = Duration::from_millis(100);
/// Without a live line, how often a step says how far it is.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Shows an apply's events.
pub struct Progress {
    screen: Mutex<Screen>,
}

impl Progress {
    /// `live`: on a terminal that can be drawn on.
    #[must_use]
    pub fn new(plan: &Plan, live: bool) -> Self {
        let bars = MultiProgress::new();
        // Without a terminal indicatif draws nothing at all, not even whole lines.
        if live && !bars.is_hidden() {
            Self::on(plan, Paper::Live(Live::new(bars)))
        } else {
            Self::to(plan, Box::new(anstream::stderr()))
        }
    }

    /// Plain lines to a writer.
    #[must_use]
    pub fn to(plan: &Plan, out: Box<dyn Write + Send>) -> Self {
        let said = BTreeMap::new();
        Self::on(plan, Paper::Plain(Plain { out, said }))
    }

    fn on(plan: &Plan, paper: Paper) -> Self {
        let screen = Screen {
            told: Told::new(plan),
            began: Instant::now(),
            paper,
        };
        Self {
            screen: Mutex::new(screen),
        }
    }
}

impl Sink for Progress {
    fn event(&self, event: &Event) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.event(event);
    }
}

struct Screen {
    told: Told,
    began: Instant,
    paper: Paper,
}

/// What is drawn on.
enum Paper {
    Live(Live),
    Plain(Plain),
}

impl Screen {
    fn event(&mut self, event: &Event) {
        let lines = self.told.lines(event, self.began.elapsed());
        let told = &self.told;
        match &mut self.paper {
            Paper::Live(live) => live.event(told, event, &lines),
            Paper::Plain(plain) => plain.event(told, event, &lines),
        }
    }
}

struct Plain {
    out: Box<dyn Write + Send>,
    /// When each step said last how far it is, and what.
    said: BTreeMap<u32, (Instant, String)>,
}

impl Plain {
    fn event(&mut self, told: &Told, event: &Event, lines: &[String]) {
        match event {
            Event::Started { step, .. } => self.line(&format!("{} …", told.doing(*step))),
            Event::Progress { step, text } | Event::Waiting { step, text } => {
                let line = told.meanwhile(*step, text);
                if self.is_news(*step, &line) {
                    self.line(&line);
                }
            }
            _ => lines.iter().for_each(|line| self.line(line)),
        }
    }

    /// A step that says much is heard now and then, and never twice the same.
    fn is_news(&mut self, step: u32, line: &str) -> bool {
        let now = Instant::now();
        let last = self.said.get(&step);
        let news = last.is_none_or(|(at, said)| said != line && now - *at >= SAY_AGAIN);
        if news {
            self.said.insert(step, (now, line.to_owned()));
        }
        news
    }

    fn line(&mut self, line: &str) {
        let _broken_pipe = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

struct Live {
    all: MultiProgress,
    running: BTreeMap<u32, ProgressBar>,
    style: ProgressStyle,
    colour: bool,
}

impl Live {
    fn new(all: MultiProgress) -> Self {
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}");
        Self {
            all,
            running: BTreeMap::new(),
            style: style.unwrap_or_else(|_| ProgressStyle::default_spinner()),
            colour: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        }
    }

    fn event(&mut self, told: &Told, event: &Event, lines: &[String]) {
        match event {
            Event::Started { step, .. } => self.start(*step, told.doing(*step)),
            Event::Progress { step, text } | Event::Waiting { step, text } => {
                if let Some(bar) = self.running.get(step) {
                    bar.set_message(told::one_line(text));
                }
            }
            Event::Done { step, .. } | Event::Failed { step, .. } => {
                if let Some(bar) = self.running.remove(step) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            _ => {}
        }
        if let Event::Finished { .. } = event {
            self.end(lines);
        } else {
            lines.iter().for_each(|line| self.line(line));
        }
    }

    /// Nothing is drawn any more: the cursor is left on a line of its own, which indicatif would not do.
    fn end(&mut self, lines: &[String]) {
        self.running.clear();
        let _broken_pipe = self.all.clear();
        let text = lines.join("\n") + "\n";
        let _broken_pipe = anstream::stderr().write_all(text.as_bytes());
    }

    fn start(&mut self, step: u32, doing: String) {
        let bar = ProgressBar::new_spinner().with_style(self.style.clone());
        let bar = self.all.add(bar).with_prefix(doing);
        bar.enable_steady_tick(TICK);
        self.running.insert(step, bar);
    }

    /// Above the live lines, to stay.
    fn line(&self, line: &str) {
        let plain = anstream::adapter::strip_str(line);
        let _broken_pipe = if self.colour {
            self.all.println(line)
        } else {
            self.all.println(plain.to_string())
        };
    }
}

/// Each event as one JSON line on stdout.
#[derive(Default)]
pub struct JsonLines;

impl JsonLines {
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Sink for JsonLines {
    fn event(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_string(event) else {
            return;
        };
        line.push('\n');
        let mut out = io::stdout().lock();
        let _broken_pipe = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}
