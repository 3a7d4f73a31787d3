//! Kinds of settings: how each is looked at, made, kept over a start of the host and put back, one a file. Their scripts are a
//! shell's that has `knob`, the setting's file, `record`, its record's, and the function [`said`].

mod functions;
mod mask;
mod order;
mod plain;
mod pool;
mod sysctl;
mod tuned;
mod unit_cpus;

use infra_api::target::KernelSetting;

/// One of them.
pub(super) struct Kind {
    /// Whether a file is of this kind.
    is: fn(&str) -> bool,
    /// A pattern of `case` for such files, and what prints what one of them (`$1`) says; it has the variables `word` and
    /// `words`, and knows which value is wanted (`$2`), if any is. Nothing, where that is its text.
    said: Option<(&'static str, &'static str)>,
    /// Where its records are, and how their names end.
    records: (&'static str, &'static str),
    /// What the `*` of that folder is for a file.
    star: fn(&str) -> &str,
    /// Whether several projects may set it, all to the same.
    pub(super) shared: bool,
    /// What of a record makes it so at each start of the host.
    pub(super) rule: fn(&KernelSetting) -> String,
    /// Ends the script where the host cannot have it, before anything is written down.
    pub(super) must: &'static str,
    /// Makes the file say `value`.
    pub(super) set: fn(&KernelSetting) -> String,
    /// Makes it say what was `found`.
    pub(super) put_back: fn(&str) -> String,
    /// What is done once its record is gone.
    pub(super) after: &'static str,
}

const KINDS: [&Kind; 7] = [
    &mask::KIND,
    &sysctl::KIND,
    &pool::KIND,
    &functions::KIND,
    &unit_cpus::KIND,
    &order::KIND,
    &tuned::KIND,
];

/// That of a file.
pub(super) fn of(file: &str) -> &'static Kind {
    let own = KINDS.iter().find(|kind| (kind.is)(file));
    own.copied().unwrap_or(&plain::KIND)
}

/// Every place where records are, and how their names end there.
pub(super) fn places() -> Vec<(&'static str, &'static str)> {
    let all = KINDS.iter().chain([&&plain::KIND]);
    let mut places: Vec<_> = all.map(|kind| kind.records).collect();
    places.sort_unstable();
    places.dedup();
    places
}

impl Kind {
    /// The folder of a file's record, and how its name ends.
    pub(super) fn place(&self, file: &str) -> (String, &'static str) {
        let (folder, end) = self.records;
        (folder.replace('*', (self.star)(file)), end)
    }
}

/// A function `said` of a shell: it prints what a file says, as [`KernelSetting::said`] has it, and takes none of its words for
/// names of files. Behind the file it may be told which value is wanted.
pub(crate) fn said() -> String {
    let arms = KINDS.iter().filter_map(|kind| kind.said);
    let arms = arms.map(|(pattern, script)| format!("{pattern})\n{script}return ;;\n"));
    let arms: String = arms.collect();
    format!(
        "said() {{\n\
         set -- \"$1\" \"${{2:-}}\"\n\
         case $1 in\n\
         {arms}esac\n\
         set -f\n\
         words=\n\
         for word in $(cat \"$1\"); do\n\
         case $word in '['*']') word=${{word#?}}; echo \"${{word%?}}\"; return ;; esac\n\
         words=\"$words $word\"\n\
         done\n\
         echo \"${{words# }}\"\n\
         }}\n"
    )
}
