//! stdout is the result, stderr the talk; neither has colours where nobody sees them, and a reader may go.

use std::io::Read;
use std::process::Stdio;

use crate::WEB;
use crate::support::Folder;

fn many() -> (Folder, String) {
    let folder = Folder::of(
        "host \"r1\" {}\nworkload \"web\" {\n  count = 200\n  container { image = \"registry.example/web:1\" }\n}\n",
    );
    let facts = folder.path().join("hosts").to_str().unwrap().to_owned();
    (folder, facts)
}

#[test]
fn a_reader_who_goes_is_no_error() {
    let (folder, facts) = many();
    for format in [&[][..], &["--json"]] {
        let mut command = folder.command(["plan", "--facts", &facts]);
        command.args(format).stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = [0];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{format:?}");
    }
    let whole = folder.infra(&["plan", "--json", "--facts", &facts]).stdout;
    assert!(
        whole.len() > 1 << 17,
        "more than a pipe holds: {}",
        whole.len()
    );
}

#[test]
fn colours_only_where_they_are_seen() {
    let (folder, facts) = many();
    let broken = Folder::of("nothing {}\n");
    let run = |folder: &Folder, args: &[&str], env: &[(&str, &str)]| {
        let mut command = folder.command(args.iter().copied());
        command.envs(env.iter().copied());
        let ran = folder.run(&mut command, "");
        (ran.stdout + &ran.stderr).contains('\u{1b}')
    };
    let forced = ("CLICOLOR_FORCE", "1");
    let plan = ["plan", "--facts", &facts];
    for (folder, args) in [(&folder, &plan[..]), (&broken, &["validate"])] {
        assert!(
            run(folder, args, &[forced]),
            "{args:?}: there are colours at all"
        );
        assert!(!run(folder, args, &[]), "{args:?}: a pipe has none");
        assert!(
            !run(folder, args, &[forced, ("NO_COLOR", "1")]),
            "{args:?}: NO_COLOR"
        );
        let plain = [&["--no-color"], args].concat();
        assert!(!run(folder, &plain, &[forced]), "{args:?}: --no-color");
    }
}

#[test]
fn json_is_one_document_and_alone() {
    let folder = Folder::of(WEB).with_key();
    let facts = folder.path().join("hosts");
    let ran = folder.infra(&["plan", "--json", "--facts", facts.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["format_version"], "1.3");
    assert_eq!(ran.stderr, "");
}
