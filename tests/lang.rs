//! The language, case by case: every folder of `tests/lang` is a configuration with what it comes to.
//!
//! - `*.infra.hcl`, `*.auto.vars.hcl` and folders of modules: the configuration.
//! - `given`: what a person gave beside it, a line each: `--var x=1`, `--var-file f`, `INFRA_VAR_x=1`,
//!   `validate`, `graph` (which declaration speaks of which), `allocate` (every workload gets an address), `console EXPRESSION`.
//! - `expected`: the evaluation. `diagnostics.txt`: what is said about it, as a person reads it.
//! - `terraform.json`: the outputs that Terraform 1.11.4 printed for the same files (renamed to `.tf`) with
//!   the same values given; ours must be equal.
//!
//! `INFRA_BLESS=1` rewrites `expected` and `diagnostics.txt`.

use infra_diag::{Sources, Style, render};
use infra_expr::{Type, Value, json, show};
use infra_lang::{
    About, Address, Argument, Attribute, Block, BlockKind, Computed, Evaluation, Files,
    GivenValues, Ignore, Instance, Memory, Meta, Mode, Nested, Origin, Program, Schema, Shape,
    Text,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

static SIZE: Text = Text {
    name: "a size",
    example: "8GiB",
    check: size,
};
static SUBNET: Text = Text {
    name: "a subnet",
    example: "10.0.0.0/24",
    check: subnet,
};

fn size(text: &str) -> Result<(), String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("it does not start with a number".to_owned());
    }
    match &text[digits.len()..] {
        "KiB" | "MiB" | "GiB" => Ok(()),
        "" => Err("it has no unit".to_owned()),
        unit => Err(format!("`{unit}` is no unit of size")),
    }
}

fn subnet(text: &str) -> Result<(), String> {
    text.contains('/')
        .then_some(())
        .ok_or_else(|| "it has no prefix length".to_owned())
}

fn bridge(project: &str, address: &Address) -> Value {
    Value::string(format!("{project}-{}", address.name))
}

fn uuid(project: &str, address: &Address) -> Value {
    Value::string(format!("uuid({project}, {address})"))
}

static HOST: BlockKind = BlockKind {
    name: "host",
    label: Some("name"),
    doc: "A machine.",
    attributes: &[
        Attribute::new("address", Shape::String, "How it is reached.").default("\"local\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static NETWORK: BlockKind = BlockKind {
    name: "network",
    label: Some("name"),
    doc: "A network.",
    attributes: &[
        Attribute::new("subnet", Shape::Text(&SUBNET), "Its addresses.").required(),
        Attribute::new("dhcp", Shape::Bool, "Whether it gives them out.").default("false"),
        Attribute::new("dns", Shape::List(&Shape::String), "Its name servers."),
    ],
    blocks: &[],
    computed: &[Computed {
        name: "bridge",
        ty: || Type::String,
        origin: Origin::Derived(bridge),
        doc: "Its bridge.",
    }],
    meta: Meta::ALL,
};

static CPUS: BlockKind = BlockKind {
    name: "cpus",
    label: None,
    doc: "Its processors.",
    attributes: &[
        Attribute::new("count", Shape::Whole { min: 1, max: 1024 }, "How many.").default("1"),
        Attribute::new("policy", Shape::OneOf(&["shared", "dedicated"]), "Whose.")
            .default("\"shared\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static MEMORY: BlockKind = BlockKind {
    name: "memory",
    label: None,
    doc: "Its memory.",
    attributes: &[
        Attribute::new("size", Shape::Text(&SIZE), "How much.").required(),
        Attribute::new("page_size", Shape::Text(&SIZE), "In pages of."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static QUEUE: BlockKind = BlockKind {
    name: "queue",
    label: None,
    doc: "A queue.",
    attributes: &[Attribute::new("depth", Shape::Number, "Its depth.").required()],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static INTERFACE: BlockKind = BlockKind {
    name: "interface",
    label: Some("name"),
    doc: "A network interface.",
    attributes: &[
        Attribute::new("network", Shape::Ref(&["network"]), "What it is on.").required(),
        Attribute::new("address", Shape::String, "Its address."),
    ],
    blocks: &[Nested::many(&QUEUE)],
    computed: &[],
    meta: Meta::NONE,
};

static WORKLOAD: BlockKind = BlockKind {
    name: "workload",
    label: Some("name"),
    doc: "Something that runs.",
    attributes: &[
        Attribute::new(
            "runtime",
            Shape::OneOf(&["auto", "container", "kvm"]),
            "As what.",
        )
        .default("\"auto\""),
        Attribute::new("host", Shape::Ref(&["host"]), "Where."),
        Attribute::new(
            "near",
            Shape::List(&Shape::Ref(&["workload", "network"])),
            "Near what.",
        ),
        Attribute::new("command", Shape::List(&Shape::String), "What to run."),
        Attribute::new("env", Shape::Map(&Shape::String), "Its environment."),
        Attribute::new("password", Shape::String, "A secret.").sensitive(),
        Attribute::new("limits", Shape::Map(&Shape::Text(&SIZE)), "Limits."),
        Attribute::new("any", Shape::Any, "Whatever."),
    ],
    blocks: &[
        Nested::one(&CPUS),
        Nested::one(&MEMORY).required(),
        Nested::many(&INTERFACE),
    ],
    computed: &[
        Computed {
            name: "uuid",
            ty: || Type::String,
            origin: Origin::Derived(uuid),
            doc: "Its id.",
        },
        Computed {
            name: "address",
            ty: || Type::String,
            origin: Origin::Allocated,
            doc: "Its address.",
        },
    ],
    meta: Meta::ALL,
};

const SCHEMA: Schema = Schema {
    kinds: &[HOST, NETWORK, WORKLOAD],
};

#[test]
fn every_case_comes_to_what_is_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lang");
    let mut cases: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn run(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let case = Case::read(folder);
    let result = case.evaluate(name);
    let mut wrong = Vec::new();
    for (file, got) in [("expected", result.shown), ("diagnostics.txt", result.said)] {
        wrong.extend(compare(&folder.join(file), &got));
    }
    if let Ok(terraform) = fs::read_to_string(folder.join("terraform.json")) {
        wrong.extend(differs_from_terraform(&terraform, &result.outputs));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("== {name}\n{}", wrong.join("\n"))),
    }
}

fn compare(file: &Path, got: &str) -> Option<String> {
    if std::env::var_os("INFRA_BLESS").is_some() {
        let changed = match got {
            "" => fs::remove_file(file).or(Ok(())),
            got => fs::write(file, got),
        };
        changed.expect("the case's folder can be written");
    }
    let wanted = fs::read_to_string(file).unwrap_or_default();
    (wanted != got).then(|| format!("{}\n--- wanted\n{wanted}--- got\n{got}---", file.display()))
}

fn differs_from_terraform(terraform: &str, ours: &BTreeMap<String, Value>) -> Vec<String> {
    let theirs: BTreeMap<String, serde_json::Value> = serde_json::from_str(terraform).unwrap();
    let mut wrong = Vec::new();
    for (name, output) in &theirs {
        let ours = ours.get(name).and_then(|value| json::encode(value).ok());
        if ours.as_ref() != Some(&output["value"]) {
            wrong.push(format!(
                "output {name}: Terraform has {}, we {ours:?}",
                output["value"]
            ));
        }
    }
    if ours.len() != theirs.len() {
        wrong.push("not the same outputs as Terraform's".to_owned());
    }
    wrong
}

struct Case {
    files: Memory,
    given: GivenValues,
    mode: Mode,
    allocate: bool,
    graph: bool,
    console: Vec<String>,
}

struct CaseResult {
    shown: String,
    said: String,
    outputs: BTreeMap<String, Value>,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let mut files = Memory::default();
        collect(folder, "", &mut files);
        let given = fs::read_to_string(folder.join("given")).unwrap_or_default();
        let (given_values, mode) = (GivenValues::default(), Mode::Plan);
        let mut case = Self {
            files,
            given: given_values,
            mode,
            allocate: false,
            graph: false,
            console: Vec::new(),
        };
        given.lines().for_each(|line| case.line(line));
        case
    }

    fn line(&mut self, line: &str) {
        let arguments = &mut self.given.arguments;
        match line.split_once(' ') {
            _ if line == "validate" => self.mode = Mode::Validate,
            _ if line == "allocate" => self.allocate = true,
            _ if line == "graph" => self.graph = true,
            Some(("--var", text)) => arguments.push(Argument::Var(text.to_owned())),
            Some(("--var-file", path)) => arguments.push(Argument::File(path.to_owned())),
            Some(("console", text)) => self.console.push(text.to_owned()),
            _ => {
                let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
                self.given
                    .environment
                    .push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn evaluate(&self, name: &str) -> CaseResult {
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let mut sources = Sources::new();
        let about = About {
            folder_name: name.to_owned(),
            version: "0.1.0".to_owned(),
        };
        let program = Program::load(&files, SCHEMA, &about, &mut sources);
        let inputs = program.inputs(&self.given, self.mode, &mut sources);
        let (mut evaluation, mut evaluator) = program.clone().evaluate(&inputs);
        if self.allocate {
            let allocated = addresses(&evaluation);
            (evaluation, evaluator) = evaluator.resolve(evaluation, allocated);
        }
        let mut said = render(&evaluation.diagnostics, &sources, Style::Plain);
        let mut shown = match evaluation.diagnostics.has_errors() {
            true => String::new(),
            false => shown(&evaluation, &sources),
        };
        if self.graph {
            for (from, to) in program.graph() {
                let to: Vec<_> = to.into_iter().collect();
                writeln!(shown, "graph {from} -> {}", to.join(" ")).unwrap();
            }
        }
        for text in &self.console {
            match evaluator.console(text, &mut sources) {
                Ok(value) => writeln!(shown, "> {text}\n{}", show::show(&value)).unwrap(),
                Err(errors) => write!(
                    said,
                    "> {text}\n{}",
                    render(&errors, &sources, Style::Plain)
                )
                .unwrap(),
            }
        }
        let outputs = evaluation
            .outputs
            .iter()
            .map(|(name, o)| (name.to_string(), o.value.clone()));
        CaseResult {
            shown,
            said,
            outputs: outputs.collect(),
        }
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Memory) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        match entry.path().is_dir() {
            true => collect(&entry.path(), &format!("{path}/"), files),
            false => drop(files.0.insert(path, fs::read(entry.path()).unwrap())),
        }
    }
}

fn addresses(evaluation: &Evaluation) -> infra_lang::Allocated {
    let workloads = evaluation
        .instances
        .iter()
        .filter(|instance| instance.kind == "workload");
    let one = |(n, instance): (usize, &Instance)| {
        let address = Value::string(format!("10.0.0.{}", n + 2));
        (
            instance.address.clone(),
            BTreeMap::from([("address".to_owned(), address)]),
        )
    };
    workloads.enumerate().map(one).collect()
}

fn shown(evaluation: &Evaluation, sources: &Sources) -> String {
    let mut out = format!("project {}\n", evaluation.project);
    for instance in &evaluation.instances {
        let (line, column) = sources.line_column(instance.origin);
        let file = sources.name(instance.origin.source);
        writeln!(out, "\n{} at {file}:{line}:{column}", instance.address).unwrap();
        show_block(&instance.block, 1, &mut out);
        for to in &instance.depends_on {
            writeln!(out, "  depends on {to}").unwrap();
        }
        for to in &instance.references {
            writeln!(out, "  reads {to}").unwrap();
        }
        show_lifecycle(instance, &mut out);
    }
    let modules = evaluation.modules.iter();
    for module in modules.filter(|module| !module.path.is_root()) {
        write!(out, "\n{} from {}\n", module.path, module.folder).unwrap();
    }
    for import in &evaluation.imports {
        write!(out, "\nimport {} = {:?}\n", import.to, import.id).unwrap();
    }
    for (name, output) in &evaluation.outputs {
        let value = match output.sensitive {
            true => show::SENSITIVE.to_owned(),
            false => show::show(&output.value),
        };
        write!(out, "\noutput {name} = {value}\n").unwrap();
    }
    out
}

fn show_lifecycle(instance: &Instance, out: &mut String) {
    if instance.lifecycle.prevent_destroy {
        out.push_str("  is not to be destroyed\n");
    }
    match &instance.lifecycle.ignore_changes {
        Ignore::All => out.push_str("  ignores all changes\n"),
        Ignore::These(paths) => {
            paths
                .iter()
                .for_each(|path| writeln!(out, "  ignores changes of {path}").unwrap());
        }
    }
}

fn show_block(block: &Block, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (name, attribute) in block.attributes.iter() {
        let value = show::show(&attribute.value).replace('\n', &format!("\n{indent}"));
        writeln!(out, "{indent}{name} = {value}").unwrap();
    }
    for inner in &block.blocks {
        let label = inner
            .label
            .as_ref()
            .map(|label| format!(" \"{}\"", label.value));
        writeln!(
            out,
            "{indent}{}{} {{",
            inner.kind,
            label.unwrap_or_default()
        )
        .unwrap();
        show_block(inner, depth + 1, out);
        writeln!(out, "{indent}}}").unwrap();
    }
}

/// Evaluates a configuration that is one text.
fn evaluated(text: &str) -> Evaluation {
    let files: Arc<dyn Files> = Arc::new(Memory(BTreeMap::from([(
        "main.infra.hcl".to_owned(),
        text.as_bytes().to_vec(),
    )])));
    let about = About {
        folder_name: "x".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let mut sources = Sources::new();
    let program = Program::load(&files, SCHEMA, &about, &mut sources);
    let inputs = program.inputs(&GivenValues::default(), Mode::Plan, &mut sources);
    let (evaluation, _) = program.evaluate(&inputs);
    let said = render(&evaluation.diagnostics, &sources, Style::Plain);
    assert_eq!(said.get(..said.len().min(2000)), Some(""));
    evaluation
}

#[test]
fn long_chains_are_followed() {
    let mut text = String::from("locals {\n");
    (0..10_000).for_each(|n| writeln!(text, "  l{n} = local.l{} + 1", n + 1).unwrap());
    text.push_str("  l10000 = 0\n}\noutput \"end\" {\n  value = local.l0\n}\n");
    for n in 0..5_000 {
        let next = if n == 4_999 {
            "\"end\"".to_owned()
        } else {
            format!("workload.w{}.env[\"A\"]", n + 1)
        };
        write!(text, "workload \"w{n}\" {{\n  env = {{ A = {next} }}\n  memory {{\n    size = \"1GiB\"\n  }}\n}}\n").unwrap();
    }
    // The last is worked out first, and each needs the one before it.
    text.push_str("workload \"chain\" {\n  count = 5000\n  env = { A = count.index == 4999 ? \"end\" : workload.chain[count.index + 1].env[\"A\"] }\n  memory {\n    size = \"1GiB\"\n  }\n}\n");
    let evaluation = evaluated(&text);
    assert_eq!(evaluation.outputs["end"].value, Value::number(10_000i64));
    assert_eq!(evaluation.instances.len(), 10_000);
    for instance in &evaluation.instances {
        assert_eq!(
            instance.block.get("env").and_then(|env| env.value.get("A")),
            Some(Value::string("end"))
        );
    }
}

#[test]
fn many_instances_take_no_longer_than_many_blocks() {
    let body = "  env = { A = local.a, I = \"${%}\" }\n  cpus {\n    count = 2\n  }\n  memory {\n    size = \"1GiB\"\n  }\n  interface \"eth0\" {\n    network = network.lan\n  }\n}\n";
    let rest = "network \"lan\" {\n  subnet = \"10.0.0.0/8\"\n}\nlocals {\n  a = 1\n  keys = toset(flatten([for i in range(100) : [for j in range(100) : tostring(i * 100 + j)]]))\n}\n";
    let time = |text: String| {
        let start = std::time::Instant::now();
        assert_eq!(evaluated(&text).instances.len(), 10_001);
        start.elapsed()
    };
    let blocks: String = (0..10_000)
        .map(|n| {
            format!(
                "workload \"w{n}\" {{\n{}",
                body.replace('%', &n.to_string())
            )
        })
        .collect();
    let blocks = time(format!("{blocks}{rest}"));
    let each = time(format!(
        "workload \"w\" {{\n  for_each = local.keys\n{}{rest}",
        body.replace('%', "each.key")
    ));
    println!("10,000 blocks {blocks:?}, 10,000 instances {each:?}");
    assert!(
        each < blocks * 3,
        "10,000 blocks {blocks:?}, 10,000 instances {each:?}"
    );
}
