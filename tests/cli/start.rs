//! Finding one's way: help, version, completions, a first configuration.

use snapbox::str;

use crate::ends;
use crate::support::Folder;

const COMMANDS: [&str; 15] = [
    "init",
    "validate",
    "facts",
    "plan",
    "apply",
    "destroy",
    "diff",
    "show",
    "state",
    "output",
    "graph",
    "explain",
    "console",
    "version",
    "completions",
];

#[test]
fn help_names_every_command() {
    let folder = Folder::new("demo");
    ends(
        folder.infra(&["--help"]),
        0,
        str![[r#"
Declare workloads; infra chooses bare metal, a container or a virtual machine for each, finds the
exact place, shows the plan and its reasons, and applies it

Usage: infra [OPTIONS] <COMMAND>

Commands:
  init         Start a configuration: a commented folder
  validate     Check a configuration without contacting anything
  fmt          Bring files to their canonical form
  facts        Print one host as it is found, as JSON
  plan         Show what would change and why; changes nothing
  apply        Do what a plan says
  destroy      Remove everything of the configuration
  import       Take over what somebody else has made; changes only the state
  diff         Show what the world has become since the last apply
  verify       Read back from the kernel that CPUs, memory, pages and devices are as planned
  show         Show the state, or a plan file
  state        Look at the state, or rebuild it from the hosts
  output       Print outputs
  graph        Print what depends on what, as DOT
  explain      Tell why a workload runs as what it does and where
  capacity     Tell how many more fit, and what is left that nobody can use
  measure      Run a workload's own benchmark against what it could run as, and write down what
               comes of it
  suitability  Print the figures by which runtimes are chosen, with their sources
  classes      Print the classes of workloads and what they need
  console      Evaluate expressions
  version      Print the version
  completions  Print a completion script

Options:
  -C, --chdir <DIR>   Folder of the configuration: as if started there, so other paths are relative
                      to it [default: .]
      --state <PATH>  State file, with its companions beside it [default: .infra/state.json in the
                      configuration's folder]
      --no-color      No colours (NO_COLOR does the same)
  -h, --help          Print help
  -V, --version       Print version

"#]],
        str![],
    );
}

#[test]
fn every_command_has_help_of_its_own() {
    let folder = Folder::new("demo");
    for command in COMMANDS {
        let ran = folder.infra(&[command, "--help"]);
        assert_eq!((ran.exit, &*ran.stderr), (0, ""), "{command}");
        assert!(
            ran.stdout.contains(&format!("Usage: infra {command}")),
            "{command}: {}",
            ran.stdout
        );
    }
    let every = folder.infra(&["--help"]).stdout;
    let listed = every.lines().filter(|l| {
        let word = l.split_whitespace().next().unwrap_or_default();
        l.starts_with("  ") && COMMANDS.contains(&word)
    });
    assert_eq!(listed.count(), COMMANDS.len());
}

#[test]
fn help_of_plan() {
    ends(
        Folder::new("demo").infra(&["plan", "--help"]),
        0,
        str![[r#"
Show what would change and why; changes nothing

Usage: infra plan [OPTIONS]

Options:
  -C, --chdir <DIR>                 Folder of the configuration: as if started there, so other paths
                                    are relative to it [default: .]
      --var <NAME=VALUE>            Value of a variable; may be given many times
      --state <PATH>                State file, with its companions beside it [default:
                                    .infra/state.json in the configuration's folder]
      --var-file <FILE>             File of values (`*.vars.hcl`); may be given many times
      --facts <DIR>                 Plan from recorded facts (`DIR/HOST.json`) and contact nothing
      --no-color                    No colours (NO_COLOR does the same)
      --replace <ADDRESS>           Make what is declared at this address anew; may be given many
                                    times
      --rechoose <ADDRESS>          Choose anew what this workload runs as, by what suits best now;
                                    without it what runs stays as it is; may be given many times
      --rebalance                   Move workloads to better places: what they need nearer, fewer
                                    hosts in use; without it what runs stays
      --max-moves <N>               Move at most so many
      --target <ADDRESS>            Plan only this and what it needs: an address, a glob, or a host
                                    with all on it; may be given many times
      --exclude <ADDRESS>           Leave this out and what needs it, as it is; may be given many
                                    times
      --allow-unreachable           Leave what is on hosts that cannot be reached as it is, and go
                                    on with the rest; without it they are an error
      --out <FILE>                  Write the plan to a file that `apply` takes
      --generate-config-out <FILE>  Write declarations of what `import` blocks name and nothing
                                    declares to a new file, then plan with it
      --detailed-exitcode           Exit with 2 where there are changes, with 3 where there is
                                    nothing but drift
      --destroy                     Plan the removal of everything
      --refresh-only                Plan to change nothing but the state: it is brought to what the
                                    world is
      --concise                     Only what changes, a line each
      --json                        The plan as one JSON document
  -h, --help                        Print help

"#]],
        str![],
    );
}

#[test]
fn version() {
    let folder = Folder::new("demo");
    ends(
        folder.infra(&["--version"]),
        0,
        str![[r#"
infra 0.1.0

"#]],
        str![],
    );
    ends(
        folder.infra(&["version"]),
        0,
        str![[r#"
infra 0.1.0
formats: facts 1.4, plan 1.2, state 1.1, events 1.0, evidence 1.0

"#]],
        str![],
    );
    ends(
        folder.infra(&["version", "--json"]),
        0,
        str![[r#"
{
  "formats": {
    "events": "1.0",
    "evidence": "1.0",
    "facts": "1.4",
    "plan": "1.2",
    "state": "1.1"
  },
  "version": "0.1.0"
}

"#]],
        str![],
    );
}

#[test]
fn an_unknown_command_is_no_command() {
    let folder = Folder::new("demo");
    ends(
        folder.infra(&["plant"]),
        1,
        str![],
        str![[r#"
error: unrecognized subcommand 'plant'

  tip: a similar subcommand exists: 'plan'

Usage: infra [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    ends(
        folder.infra(&["plan", "--jsn"]),
        1,
        str![],
        str![[r#"
error: unexpected argument '--jsn' found

  tip: a similar argument exists: '--json'

Usage: infra plan --json

For more information, try '--help'.

"#]],
    );
}

#[test]
fn without_a_command_all_are_named() {
    let ran = Folder::new("demo").infra(&[]);
    assert_eq!((ran.exit, &*ran.stdout), (1, ""));
    for command in COMMANDS {
        assert!(ran.stderr.contains(command), "{command}: {}", ran.stderr);
    }
}

#[test]
fn completions_of_every_shell_know_every_command() {
    let folder = Folder::new("demo");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.infra(&["completions", shell]);
        assert_eq!((ran.exit, &*ran.stderr), (0, ""), "{shell}");
        for command in COMMANDS {
            assert!(ran.stdout.contains(command), "{shell}: {command}");
        }
    }
    ends(
        folder.infra(&["completions", "tcsh"]),
        1,
        str![],
        str![[r#"
error: invalid value 'tcsh' for '<SHELL>'
  [possible values: bash, elvish, fish, powershell, zsh]

  tip: a similar value exists: 'zsh'

For more information, try '--help'.

"#]],
    );
}

#[test]
fn the_starter_is_valid_and_plans() {
    let folder = Folder::new("demo");
    ends(
        folder.infra(&["init"]),
        0,
        str![],
        str![[r#"
made [FOLDER]/main.infra.hcl
made [FOLDER]/.gitignore

Read main.infra.hcl, then run `infra validate` and `infra plan` there.

"#]],
    );
    ends(
        folder.infra(&["validate"]),
        0,
        str![[r#"
The configuration is valid: 3 declared.

"#]],
        str![],
    );
    assert_eq!(folder.read(".gitignore"), ".infra/\n*.plan\n");
    let small = std::fs::read(crate::support::hosts().join("small.json")).unwrap();
    folder.write("hosts/local.json", small);
    let facts = folder.path().join("hosts");
    let ran = folder.infra(&["plan", "--facts", facts.to_str().unwrap()]);
    assert_eq!((ran.exit, &*ran.stderr), (0, ""), "{ran:?}");
    assert!(
        !folder.exists(".infra"),
        "a plan without secrets writes nothing"
    );
}

#[test]
fn init_overwrites_nothing() {
    let folder = Folder::new("demo");
    folder.write("mine.infra.hcl", "# mine\n");
    ends(
        folder.infra(&["init"]),
        1,
        str![],
        str![[r#"
error: starting a configuration in [FOLDER]: it holds `mine.infra.hcl` already

hint: name another folder: `infra init DIR`

"#]],
    );
    folder.write("below/.gitignore", "mine\n");
    ends(
        folder.infra(&["init", "below"]),
        0,
        str![],
        str![[r#"
made [FOLDER]/below/main.infra.hcl
kept [FOLDER]/below/.gitignore

Read main.infra.hcl, then run `infra validate` and `infra plan` there.

"#]],
    );
    assert_eq!(folder.read("below/.gitignore"), "mine\n");
}

#[test]
fn a_folder_without_a_configuration() {
    let folder = Folder::new("demo");
    for command in [
        "validate", "plan", "apply", "destroy", "diff", "show", "output", "graph",
    ] {
        let ran = folder.infra(&[command]);
        assert_eq!((ran.exit, &*ran.stdout), (1, ""), "{command}");
        assert!(
            ran.stderr.contains("`*.infra.hcl`"),
            "{command}: {}",
            ran.stderr
        );
    }
    ends(
        folder.infra(&["plan"]),
        1,
        str![],
        str![[r#"
error: reading the configuration: this folder holds no `*.infra.hcl`

hint: go to the configuration's folder, name it with `-C DIR`, or start one with `infra init`

"#]],
    );
    ends(
        folder.infra(&["plan", "-C", "nowhere"]),
        1,
        str![],
        str![[r#"
error: reading the folder nowhere: there is no such file or folder

"#]],
    );
    assert!(
        !folder.exists(".infra"),
        "nothing is made in a folder of somebody else's"
    );
}

/// It brings some sixty libraries with it, and who has no machines need not have it.
#[test]
#[cfg(target_os = "linux")]
fn libvirt_is_looked_for_when_it_is_needed() {
    let folder = Folder::new("demo");
    let mut command = folder.command(["--version"]);
    let ran = folder.run(command.env("LD_TRACE_LOADED_OBJECTS", "1"), "");
    assert!(ran.stdout.contains("libc.so"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("libvirt"), "{}", ran.stdout);
}
