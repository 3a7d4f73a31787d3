//! `restart = "never"`: when a workload that runs may be stopped for a change.

use infra_api::Window;
use infra_lang::{Block, Text};

use crate::declared::read::Reader;

pub(super) static WINDOW: Text = Text {
    name: "a time of the week in UTC",
    example: "Sun 02:00-04:00",
    check: |text| text.parse::<Window>().map(drop).map_err(|e| e.to_string()),
};

/// When it may be stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stops {
    #[default]
    Always,
    Never,
    Within(String),
}

impl Stops {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        let word = reader.string(block, "restart");
        let window = reader.string(block, "restart_window");
        match (word.as_ref().map(|w| w.value.as_str()), window) {
            (Some("window"), Some(window)) => Self::Within(window.value),
            (Some("window"), None) => {
                let span = word.map_or(block.span, |w| w.span);
                reader.error(
                    "Window missing",
                    span,
                    "no time is written in which it may be restarted",
                    "add restart_window = \"Sun 02:00-04:00\"",
                );
                Self::Never
            }
            (word, Some(window)) => {
                let text = format!("`restart` is \"{}\" here", word.unwrap_or("auto"));
                let hint = "write restart = \"window\", or leave it out";
                reader.error("Window without a use", window.span, text, hint);
                Self::Always
            }
            (Some("never"), None) => Self::Never,
            (_, None) => Self::Always,
        }
    }
}
