//! What is too much: files too large, expressions too deep or too long, a disk that is full.

use std::path::Path;

use snapbox::str;

use crate::ends;
use crate::engine::Engine;
use crate::support::{Folder, Ran};

fn validate(main: impl AsRef<[u8]>) -> Ran {
    let folder = Folder::new("demo");
    folder.write("main.infra.hcl", main);
    folder.infra(&["validate"])
}

/// `value` in so many brackets.
fn nested(levels: usize) -> String {
    // The block's own braces are one.
    let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
    format!("locals {{\n  x = {open}{close}\n}}\n")
}

#[test]
fn as_deep_as_may_be_and_deeper() {
    let valid = "The configuration is valid: 0 declared.\n";
    ends(validate(nested(64)), 0, valid, str![]);
    let refused = validate(nested(65));
    assert_eq!(refused.exit, 1);
    assert!(
        refused.stderr.contains("main.infra.hcl:2:70"),
        "{}",
        refused.stderr
    );
    snapbox::assert_data_eq!(
        refused.stderr,
        str![[r#"
error: Nested too deep
 --> main.infra.hcl:2:70
  |
2 |   x = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
  |                                                                      ^ this is inside 64 others already
hint: give a part of it a name with `locals`, or make it a module


"#]]
    );
}

/// Each of these takes a reader that follows it blindly to the end of its stack.
#[test]
fn what_would_exhaust_the_stack() {
    let many = 400_000;
    let depths = [
        format!("locals {{ x = {} }}", "[".repeat(many)),
        format!("locals {{ x = {}1 }}", "(".repeat(many)),
        format!("locals {{ x = {}", "{ a = ".repeat(many)),
        format!("locals {{ x = \"{}", "${\"".repeat(many)),
        "a {\n".repeat(many),
        format!(
            "locals {{\n x = <<E\n{}\nE\n}}",
            "%{ if true }".repeat(many)
        ),
    ];
    for text in depths {
        let ran = validate(&text);
        let start = &text[..text.len().min(40)];
        assert_eq!(ran.exit, 1, "{start}: {ran:?}");
        assert!(ran.stderr.contains("Nested too deep"), "{start}");
    }
    let chains = [
        format!("locals {{ x = {}true }}", "!".repeat(many)),
        format!("locals {{ x = {}1 }}", "-".repeat(many)),
        format!("locals {{ x = 1{} }}", " + 1".repeat(many)),
        format!("locals {{ x = {}1 }}", "true ? 1 : ".repeat(many)),
    ];
    for text in chains {
        let ran = validate(&text);
        let start = &text[..text.len().min(40)];
        assert_eq!(ran.exit, 1, "{start}: {ran:?}");
        assert!(ran.stderr.contains("Expression too long"), "{start}");
    }
}

#[test]
fn the_longest_expressions_and_chains_of_steps_are_read() {
    let sum = format!("locals {{\n  x = 1{}\n}}\n", " + 1".repeat(120));
    let steps = format!(
        "locals {{\n  x = local.y{}\n  y = []\n}}\n",
        "[0]".repeat(100)
    );
    let list = format!("locals {{\n  x = [{}]\n}}\n", "-1, ".repeat(100_000));
    for text in [sum, list] {
        assert_eq!(validate(text).exit, 0);
    }
    let ran = validate(steps);
    assert!(ran.stderr.contains("local.y"), "{ran:?}");
}

#[test]
fn a_file_of_more_than_eight_mebibytes() {
    let text = "#".repeat(8 << 20);
    ends(
        validate(&text),
        0,
        "The configuration is valid: 0 declared.\n",
        str![],
    );
    let ran = validate(text + "#");
    assert_eq!(ran.exit, 1);
    let said = "error: File too large\n --> main.infra.hcl:1:1\n";
    assert!(ran.stderr.starts_with(said), "{}", &ran.stderr[..200]);
    let limit = "it has 8388609 bytes, and a file has at most 8388608 (8 MiB)";
    assert!(ran.stderr.contains(limit));
}

#[test]
fn thousands_of_mistakes_are_told_in_part_and_soon() {
    let ran = validate("a { x = ' }\n".repeat(100_000));
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.stderr.matches("error: ").count(), 50);
}

#[test]
fn a_zero_byte_is_no_text() {
    let ran = validate("locals {\n  x = \"a\0b\"\n}\n");
    assert_eq!(ran.exit, 1, "{ran:?}");
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: Cannot read file
 |
 = note: `main.infra.hcl:2:9`: here is a zero byte: it is no text
hint: take it out


"#]]
    );
}

#[test]
fn a_file_without_end_is_not_read_to_it() {
    let ran = validate("locals { x = file(\"/dev/zero\") }\noutput \"x\" { value = local.x }\n");
    assert_eq!(ran.exit, 1, "{ran:?}");
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: Invalid argument
 --> main.infra.hcl:1:19
  |
1 | locals { x = file("/dev/zero") }
  |                   ^^^^^^^^^^^ file: it has more than 64 MiB


"#]]
    );
}

const ONE: &str = r#"
workload "web" {
  container { image = "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
}
"#;

/// With files of at most so many blocks of 512 bytes, as on a disk that is full then.
fn on_a_full_disk(folder: &Folder, engine: &Engine, blocks: u32, args: &[&str]) -> Ran {
    let infra = folder.command(args.iter().copied());
    let mut shell = std::process::Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.arg("-c").arg(script).arg(infra.get_program());
    shell.args(infra.get_args()).env_clear();
    shell.env("HOME", folder.path());
    shell.env("INFRA_DOCKER_ENDPOINT", &engine.endpoint);
    folder.run(&mut shell, "")
}

#[test]
fn a_full_disk_stops_an_apply_before_its_first_step() {
    let folder = Folder::of(ONE);
    let engine = Engine::start(&folder);
    for blocks in [0, 1] {
        let ran = on_a_full_disk(&folder, &engine, blocks, &["apply", "--auto-approve"]);
        assert_eq!(ran.exit, 1, "{blocks}: {ran:?}");
        let said = "writing [FOLDER]/.infra/";
        assert!(ran.stderr.contains(said), "{blocks}: {}", ran.stderr);
        assert!(ran.stderr.contains("File too large"), "{}", ran.stderr);
        // And nothing stands in the way of the next one.
        assert_eq!(folder.infra(&["show"]).exit, 0);
    }
    assert_eq!(engine.told(), [""; 0]);
}

#[test]
fn a_full_disk_leaves_the_plan_that_was_there() {
    let folder = Folder::of(ONE);
    let engine = Engine::start(&folder);
    let path = folder.path().join("it.plan");
    folder.write("it.plan", "the old one");
    let ran = on_a_full_disk(
        &folder,
        &engine,
        1,
        &["plan", "--out", path.to_str().unwrap()],
    );
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.stderr.contains("writing the plan to [FOLDER]/it.plan"));
    assert_eq!(folder.read("it.plan"), "the old one");
    assert!(!Path::new(&path.with_added_extension("part")).exists());
}
