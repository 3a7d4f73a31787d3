//! `infra fmt`.

use snapbox::str;

use crate::ends;
use crate::support::Folder;

const UGLY: &str = "workload \"web\" {\nhost=host.r1\n  depends_on  =  [ ]\n\n  # why\n}";
const PRETTY: &str =
    "workload \"web\" {\n  host       = host.r1\n  depends_on = []\n\n  # why\n}\n";

fn folder() -> Folder {
    let folder = Folder::new("demo");
    folder.write("main.infra.hcl", UGLY);
    folder.write("good.infra.hcl", PRETTY);
    folder.write("a.auto.vars.hcl", "a=1\n");
    folder.write("m/inner.infra.hcl", UGLY);
    folder.write("other.hcl", UGLY);
    folder.write(".hidden.infra.hcl", UGLY);
    folder
}

#[test]
fn what_is_there_is_formatted_and_named() {
    let folder = folder();
    ends(
        folder.infra(&["fmt", "--check", "--diff"]),
        2,
        str![[r#"
--- a.auto.vars.hcl
+++ a.auto.vars.hcl
@@ -1,1 +1,1 @@
-a=1
+a = 1
--- main.infra.hcl
+++ main.infra.hcl
@@ -2,2 +2,2 @@
-host=host.r1
-  depends_on  =  [ ]
+  host       = host.r1
+  depends_on = []
@@ -6,1 +6,1 @@
-}
\ No newline at end of file
+}

"#]],
        str![],
    );
    assert_eq!(folder.read("main.infra.hcl"), UGLY);
    ends(
        folder.infra(&["fmt"]),
        0,
        str![[r#"
a.auto.vars.hcl
main.infra.hcl

"#]],
        str![],
    );
    assert_eq!(folder.read("main.infra.hcl"), PRETTY);
    assert_eq!(folder.read("a.auto.vars.hcl"), "a = 1\n");
    ends(folder.infra(&["fmt", "--check"]), 0, str![], str![]);
    for other in ["m/inner.infra.hcl", "other.hcl", ".hidden.infra.hcl"] {
        assert_eq!(folder.read(other), UGLY);
    }
    ends(
        folder.infra(&["fmt", "--recursive", ".", "other.hcl"]),
        0,
        str![[r#"
m/inner.infra.hcl
other.hcl

"#]],
        str![],
    );
    assert_eq!(folder.read("m/inner.infra.hcl"), PRETTY);
}

#[test]
fn standard_input() {
    let folder = folder();
    let fmt = |args: &[&str], text: &str| {
        let mut command = folder.command(["fmt", "-"]);
        folder.run(command.args(args), text)
    };
    ends(fmt(&[], UGLY), 0, PRETTY, str![]);
    ends(fmt(&["--check"], UGLY), 2, str![], str![]);
    ends(fmt(&["--check"], PRETTY), 0, str![], str![]);
    ends(
        fmt(&[], "a = = 1\n"),
        1,
        str![],
        str![[r#"
error: Invalid syntax
 --> stdin:1:5
  |
1 | a = = 1
  |     ^ invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit


"#]],
    );
}

#[test]
fn what_does_not_parse_is_left_alone_and_the_rest_is_not() {
    let folder = folder();
    folder.write("bad.infra.hcl", "workload \"x\" {\n  a=1\n");
    ends(
        folder.infra(&["fmt"]),
        1,
        str![[r#"
a.auto.vars.hcl
main.infra.hcl

"#]],
        str![[r#"
error: Unclosed block
 --> bad.infra.hcl:1:14
  |
1 | workload "x" {
  |              ^ this `{` is never closed
2 |   a=1
  |     - its `}` is missing, at the latest after this
hint: close it with `}` on a line of its own


"#]],
    );
    assert_eq!(folder.read("bad.infra.hcl"), "workload \"x\" {\n  a=1\n");
    assert_eq!(folder.read("main.infra.hcl"), PRETTY);
    ends(
        folder.infra(&["fmt", "nowhere.infra.hcl"]),
        1,
        str![],
        str![[r#"
error: reading nowhere.infra.hcl: there is no such file or folder

"#]],
    );
}

/// What people copy from.
#[test]
fn our_own_configurations_are_formatted() {
    let folder = Folder::new("demo");
    let root = env!("CARGO_MANIFEST_DIR");
    let paths = ["examples", "modules", "src/cli/commands/init"].map(|p| format!("{root}/{p}"));
    let mut args = vec!["fmt", "--check", "--diff", "--recursive"];
    args.extend(paths.iter().map(String::as_str));
    ends(folder.infra(&args), 0, str![], str![]);
}
