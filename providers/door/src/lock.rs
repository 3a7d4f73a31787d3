//! A host's lock: of several of us who would change it, one does at a time. The kernel's lock on a file there decides,
//! and is free again when its holder is gone, however it went; what is written in the file tells who that is, or was last.

use std::process::Stdio;
use std::time::Duration;

use infra_api::{Failure, Remedy};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin};

use crate::{Door, Order, PATIENCE};

/// For everybody to take, on every Linux with systemd, and gone with a start of the host.
pub const FILE: &str = "/run/lock/infra";

/// The folder that a step locks, as one of several, while it is at work: it may go on where whoever began it is gone. Everybody
/// can lock a folder that he may read, whoever has made it.
pub(crate) const STEPS: &str = "/run/lock/infra.steps";

/// Who held it a moment ago may not have let go yet.
const LEAST: Duration = Duration::from_secs(5);

/// A step of somebody who is gone ends by itself, and mostly soon.
const LEAST_FOR_STEPS: Duration = Duration::from_secs(120);

/// Opened for reading it can be locked as well, and only that everybody may: in a folder of everybody's a kernel may refuse
/// even root to open another's file where it would be made if it were not there (`fs.protected_regular`).
const SCRIPT: &str = r#"
file=$1 left=$3 steps=$1.steps
[ -e "$file" ] || (umask 0; : >> "$file") 2> /dev/null || true
exec 9< "$file"
while :; do
  flock -n 9 && break || [ $? = 1 ] || exit 3
  [ "$left" -gt 0 ] || { printf 'busy %s\n' "$(head -n 1 "$file")"; exit; }
  left=$((left - 1)); sleep 1
done
before=$(head -n 1 "$file")
mkdir -m 755 "$steps" 2> /dev/null || true
exec 8< "$steps"
[ "$left" -ge "$4" ] || left=$4
until flock -n 8; do
  [ "$left" -gt 0 ] || { printf 'steps %s\n' "$before"; exit; }
  left=$((left - 1)); sleep 1
done
exec 8<&-
write() { printf '%s\n' "$1" | dd of="$file" conv=nocreat 2> /dev/null || true; }
write "$2"
printf 'held %s\n' "$before"
cat > /dev/null
write "$2, over"
"#;

/// How the line ends of who is not at work any more.
const OVER: &str = ", over";

/// Held until dropped.
pub struct HostLock {
    process: Child,
    /// While it is open.
    _listens: ChildStdin,
    before: String,
}

impl HostLock {
    /// What was written there before: who had it, and whether it is over; empty where nobody had since the host was started.
    /// Who looks at the host and finds the same when he locks it knows that nobody was at work in between.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Whether it was had by `who` before.
    #[must_use]
    pub fn was_of(&self, who: &str) -> bool {
        self.before.strip_suffix(OVER).unwrap_or(&self.before) == who
    }

    /// Whether it was lost: the connection is gone, say.
    pub fn is_lost(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }
}

impl Door {
    /// Locks this host, as `who`: a line by which others know who is at work.
    ///
    /// # Errors
    /// When somebody else has it for longer than `wait`, which may be tried again, or it cannot be had at all.
    pub async fn lock(&self, who: &str, wait: Duration) -> Result<HostLock, Failure> {
        self.lock_file(FILE, who, wait.max(LEAST), LEAST_FOR_STEPS)
            .await
    }

    async fn lock_file(
        &self,
        file: &str,
        who: &str,
        wait: Duration,
        for_steps: Duration,
    ) -> Result<HostLock, Failure> {
        let doing = || format!("locking host `{}`", self.host);
        let cannot = |why: String| Failure::new(Remedy::Operator, doing(), why);
        let seconds = wait.as_secs().to_string();
        let steps = for_steps.as_secs().to_string();
        let words = ["sh", "-c", SCRIPT, "infra", file, who, &seconds, &steps];
        let mut process = self
            .command(Order::new("", &words))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| cannot(format!("`sh` does not run: {error}")))?;
        let (Some(stdin), Some(stdout), Some(mut stderr)) = (
            process.stdin.take(),
            process.stdout.take(),
            process.stderr.take(),
        ) else {
            return Err(cannot("there is no pipe to it".to_owned()));
        };
        let mut line = String::new();
        let mut lines = BufReader::new(stdout);
        let limit = wait + for_steps + PATIENCE;
        let told = tokio::time::timeout(limit, lines.read_line(&mut line)).await;
        told.map_err(|_| cannot("its shell does not answer".to_owned()))?
            .map_err(|error| cannot(error.to_string()))?;
        let line = line.trim_end();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("held", before) => Ok(HostLock {
                process,
                _listens: stdin,
                before: before.to_owned(),
            }),
            (what @ ("busy" | "steps"), who) => {
                let who = who.strip_suffix(OVER).unwrap_or(who);
                let who = if who.is_empty() { "somebody" } else { who };
                let (why, held) = match what {
                    "busy" => (format!("{who} is at work there"), file.to_owned()),
                    _ => (
                        format!("a step that {who} has begun is still at work there"),
                        format!("{file}.steps"),
                    ),
                };
                Err(Failure::new(Remedy::Retry, doing(), why).hint(format!(
                    "`--lock-timeout 10m` waits; it is over when that process is: `lslocks -o PID,COMMAND,PATH` on the host shows by what {held} is held"
                )))
            }
            _ => {
                let mut said = String::new();
                let _what_there_is = stderr.read_to_string(&mut said).await;
                let why = match said.trim() {
                    "" => format!("{file} cannot be locked there"),
                    said => said.lines().last().unwrap_or_default().to_owned(),
                };
                let hint = "is `flock` there (package util-linux), and the folder `/run/lock`?";
                Err(Failure::new(Remedy::Operator, doing(), why).hint(hint))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use infra_api::HostName;

    use super::*;
    use crate::Way;

    /// `file` in a folder of the test's own.
    fn trying<T>(test: impl AsyncFnOnce(Door, String) -> T) -> T {
        let folder = std::env::temp_dir().join(format!("infra-lock-{}-{}", std::process::id(), {
            use std::sync::atomic::{AtomicU32, Ordering};
            static NEXT: AtomicU32 = AtomicU32::new(0);
            NEXT.fetch_add(1, Ordering::Relaxed)
        }));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("lock").to_string_lossy().into_owned();
        let door = Door::new(HostName::new("r1"), Way::Here, false);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let done = runtime.block_on(test(door, file));
        std::fs::remove_dir_all(folder).unwrap();
        done
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn one_at_a_time_has_it_and_is_named() {
        trying(async |door, file| {
            let mut ann = door
                .lock_file(&file, "ann@desk", NOW, NOW)
                .await
                .ok()
                .unwrap();
            assert!(!ann.is_lost());
            assert_eq!(ann.before(), "");
            let refused = door
                .lock_file(&file, "bob@desk", NOW, NOW)
                .await
                .err()
                .unwrap();
            assert_eq!(refused.cause, "ann@desk is at work there");
            drop(ann);
            let bob = door.lock_file(&file, "bob@desk", Duration::from_secs(20), NOW);
            let bob = bob.await.ok().unwrap();
            assert_eq!(bob.before(), "ann@desk, over");
            assert!(bob.was_of("ann@desk") && !bob.was_of("bob@desk"));
        });
    }

    #[test]
    fn who_is_killed_holds_nothing() {
        trying(async |door, file| {
            let mut ann = door
                .lock_file(&file, "ann@desk", NOW, NOW)
                .await
                .ok()
                .unwrap();
            ann.process.kill().await.unwrap();
            assert!(ann.is_lost());
            drop(ann);
            let bob = door.lock_file(&file, "bob@desk", Duration::from_secs(20), NOW);
            assert!(bob.await.ok().unwrap().was_of("ann@desk"));
        });
    }

    /// What somebody has begun there goes on without him, and nobody else changes the host meanwhile.
    #[test]
    fn a_step_that_outlives_who_began_it_is_waited_for() {
        trying(async |door, file| {
            drop(
                door.lock_file(&file, "ann@desk", NOW, NOW)
                    .await
                    .ok()
                    .unwrap(),
            );
            assert_eq!(STEPS, format!("{FILE}.steps"), "where the script looks");
            let steps = format!("{file}.steps");
            let words = ["sh", "-c", "echo; exec cat"];
            let begun = door.command(Order::new("", &words).as_change());
            let words: Vec<_> = [begun.as_std().get_program()]
                .into_iter()
                .chain(begun.as_std().get_args())
                .map(|word| match word == STEPS {
                    true => std::ffi::OsStr::new(&steps),
                    false => word,
                })
                .collect();
            let mut step = std::process::Command::new(words[0]);
            step.args(&words[1..]);
            let mut step = step
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = [0];
            std::io::Read::read_exact(step.stdout.as_mut().unwrap(), &mut line).unwrap();
            let waits = async |wait| door.lock_file(&file, "bob@desk", wait, NOW).await;
            let refused = loop {
                // (she may not have let go yet)
                let cause = waits(NOW).await.err().unwrap().cause;
                if cause != "ann@desk is at work there" {
                    break cause;
                }
            };
            assert_eq!(
                refused,
                "a step that ann@desk has begun is still at work there"
            );
            let ends = async { drop(step.stdin.take()) };
            let (had, ()) = tokio::join!(waits(Duration::from_secs(20)), ends);
            assert_eq!(had.ok().unwrap().before(), "ann@desk, over");
            step.wait().unwrap();
        });
    }

    #[test]
    fn where_it_cannot_be_had_it_is_told_why() {
        trying(async |door, file| {
            let file = format!("{file}/nowhere");
            let refused = door
                .lock_file(&file, "ann@desk", NOW, NOW)
                .await
                .err()
                .unwrap();
            assert!(refused.cause.contains("nowhere"), "{}", refused.cause);
        });
    }
}
