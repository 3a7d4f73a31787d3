//! Looking into a configuration: validate, console, graph, explain.

use snapbox::str;

use crate::support::{Folder, Ran};
use crate::{WEB, ends};

fn console(folder: &Folder, args: &[&str], lines: &str) -> Ran {
    let args = ["console"].iter().chain(args).copied();
    folder.run(&mut folder.command(args), lines)
}

#[test]
fn validate() {
    ends(
        Folder::of(WEB).infra(&["validate"]),
        0,
        str![[r#"
The configuration is valid: 3 declared.

"#]],
        str![],
    );
    ends(
        Folder::of(WEB).infra(&["validate", "--json"]),
        0,
        str![[r#"
{
  "diagnostics": [],
  "format_version": "1.0",
  "valid": true
}

"#]],
        str![],
    );
}

#[test]
fn validate_tells_programs_what_is_wrong_and_where() {
    let folder = Folder::of("workload \"web\" {\n  contaner {}\n}\n");
    ends(
        folder.infra(&["validate", "--json"]),
        1,
        str![[r#"
{
  "diagnostics": [
    {
      "column": 3,
      "end_column": 11,
      "end_line": 2,
      "file": "main.infra.hcl",
      "hints": [
        "did you mean `container`?"
      ],
      "label": "`workload` has no block `contaner`",
      "line": 2,
      "notes": [],
      "severity": "error",
      "snippet": "  contaner {}",
      "summary": "Unknown block"
    }
  ],
  "format_version": "1.0",
  "valid": false
}

"#]],
        str![],
    );
}

#[test]
fn values_of_variables_come_in_their_order() {
    let folder = Folder::of("variable \"x\" { type = number }\noutput \"x\" { value = var.x }\n");
    folder.write("x.vars.hcl", "x = 2\n");
    let file = folder.path().join("x.vars.hcl");
    let file = file.to_str().unwrap();
    let last = |args: &[&str]| console(&folder, args, "var.x\n").stdout;
    assert_eq!(last(&["--var", "x=1"]), "1\n");
    assert_eq!(last(&["--var", "x=1", "--var-file", file]), "2\n");
    assert_eq!(last(&["--var-file", file, "--var=x=1"]), "1\n");
}

#[test]
fn the_console_evaluates_an_expression_a_line() {
    let lines = "1 + 1\n\nworkload.web.name\nvar.password\n[for n in range(3) : n * n]\nworkload.web.address\n";
    ends(
        console(&Folder::of(WEB), &[], lines),
        0,
        str![[r#"
2
"demo.web"
(sensitive value)
[
  0,
  1,
  4,
]
"10.9.0.2"

"#]],
        str![],
    );
    ends(
        console(&Folder::of(WEB), &["--json"], lines),
        0,
        str![[r#"
{"sensitive":false,"type":"number","unknown":false,"value":2}
{"sensitive":false,"type":"string","unknown":false,"value":"demo.web"}
{"sensitive":true,"type":"string","unknown":false,"value":null}
{"sensitive":false,"type":"tuple([number, number, number])","unknown":false,"value":[0,1,4]}
{"sensitive":false,"type":"string","unknown":false,"value":"10.9.0.2"}

"#]],
        str![],
    );
}

#[test]
fn the_console_goes_on_after_an_error_and_remembers_it() {
    let lines = "nothing.here\n2\n1 +\n";
    ends(
        console(&Folder::of(WEB), &[], lines),
        1,
        str![[r#"
2

"#]],
        str![[r#"
error: Unknown name
 --> console:1:1
  |
1 | nothing.here
  | ^^^^^^^^^^^^ there is no `nothing` here

error: Invalid syntax
 --> console:1:4
  |
1 | 1 +
  |    ^ a value is missing here
hint: write the expression to its end on one line, or in ( … )


"#]],
    );
    ends(
        console(&Folder::of(WEB), &["--json"], lines),
        1,
        str![[r#"
{"diagnostics":[{"column":1,"end_column":13,"end_line":1,"file":"console","hints":[],"label":"there is no `nothing` here","line":1,"notes":[],"severity":"error","snippet":"nothing.here","summary":"Unknown name"}],"error":"error: Unknown name\n --> console:1:1\n  |\n1 | nothing.here\n  | ^^^^^^^^^^^^ there is no `nothing` here\n\n"}
{"sensitive":false,"type":"number","unknown":false,"value":2}
{"diagnostics":[{"column":4,"end_column":4,"end_line":1,"file":"console","hints":["write the expression to its end on one line, or in ( … )"],"label":"a value is missing here","line":1,"notes":[],"severity":"error","snippet":"1 +","summary":"Invalid syntax"}],"error":"error: Invalid syntax\n --> console:1:4\n  |\n1 | 1 +\n  |    ^ a value is missing here\nhint: write the expression to its end on one line, or in ( … )\n\n"}

"#]],
        str![],
    );
}

#[test]
fn the_graph_is_dot() {
    let folder = Folder::of(WEB).with_key();
    let ran = folder.infra(&["graph"]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""));
    check_dot(&ran.stdout);
    assert!(ran.stdout.contains("workload.web") && ran.stdout.contains("network.lan"));
    folder.write("it.plan", infra_plan::write(&folder.plan().unwrap()));
    let plan = folder.path().join("it.plan");
    let steps = folder.infra(&["graph", "--plan", plan.to_str().unwrap()]);
    assert_eq!((steps.exit, &*steps.stderr), (0, ""));
    check_dot(&steps.stdout);
    assert!(
        steps.stdout.contains("r1/docker/container/demo.web"),
        "{}",
        steps.stdout
    );
}

/// Roughly: quotes and braces are closed, and every edge leads between nodes.
fn check_dot(text: &str) {
    assert!(text.starts_with("digraph "), "{text}");
    assert!(text.trim_end().ends_with('}'), "{text}");
    let quotes = text.matches('"').count() - 2 * text.matches("\\\"").count() / 2;
    assert!(quotes.is_multiple_of(2), "{text}");
    let (open, close) = (text.matches('{').count(), text.matches('}').count());
    assert_eq!(open, close, "{text}");
    let nodes: Vec<&str> = text
        .lines()
        .filter(|l| l.trim().starts_with('"') && !l.contains("->"))
        .map(node)
        .collect();
    let edges: Vec<&str> = text.lines().filter(|l| l.contains("->")).collect();
    assert!(!nodes.is_empty() && !edges.is_empty(), "{text}");
    for edge in edges {
        let edge = node(edge);
        let (from, to) = edge.split_once(" -> ").unwrap();
        assert!(
            nodes.contains(&from) && nodes.contains(&to),
            "{edge} in {text}"
        );
    }
}

/// A line without its attributes.
fn node(line: &str) -> &str {
    let line = line.split(" [").next().unwrap_or_default();
    line.trim().trim_end_matches(';')
}

#[test]
fn explain() {
    let folder = Folder::of(WEB).with_key();
    let facts = folder.path().join("hosts");
    let explain = |address| folder.infra(&["explain", address, "--facts", facts.to_str().unwrap()]);
    ends(
        explain("workload.web"),
        0,
        str![[r#"
web runs as a container on r1

  CPUs 1-3,5-7 shared · lan 10.9.0.2

Candidates, the preferred first
  container on r1   chosen
  KVM on r1         ruled out by gate `form`: it is not given as one: it has no
                    `kvm` block
  bare metal on r1  ruled out by gate `form`: it is not given as one: it has no
                    `bare_metal` block

r1 keeps CPUs 0,4 for itself (default)

"#]],
        str![],
    );
    ends(
        explain("workload.wbe"),
        1,
        str![],
        str![[r#"
error: explaining `workload.wbe`: no workload is declared there

hint: declared: workload.web

"#]],
    );
}
