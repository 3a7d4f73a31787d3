//! Configurations to plan: the same workloads, arranged in different ways.

use std::fmt::Write;

/// How workloads stand to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A block each, and none speaks of another.
    Flat,
    /// Each depends on another, ten on one.
    Tree,
    /// Each depends on the one before it.
    Chain,
    /// Each reads the name of the one before it.
    References,
    /// One block with `for_each`.
    Each,
    /// A block each, all on one network.
    Network,
    /// Virtual machines with a disk, on one network.
    Machines,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Tree => "tree",
            Self::Chain => "chain",
            Self::References => "references",
            Self::Each => "for_each",
            Self::Network => "network",
            Self::Machines => "machines",
        }
    }

    /// The configuration of so many.
    pub(crate) fn text(self, count: usize) -> String {
        let mut text = "infra { project = \"demo\" }\nhost \"r1\" {}\n".to_owned();
        if matches!(self, Self::Network | Self::Machines) {
            text += "network \"lan\" { subnet = \"10.0.0.0/16\" }\n";
        }
        match self {
            Self::Each => each(&mut text, count),
            Self::Machines => (0..count).for_each(|n| machine(&mut text, n)),
            _ => (0..count).for_each(|n| self.container(&mut text, n)),
        }
        text
    }

    fn container(self, text: &mut String, n: usize) {
        let before = n.wrapping_sub(1);
        let line = match self {
            Self::Tree if n > 0 => format!("depends_on = [workload.w{}]", before / 10),
            Self::Chain if n > 0 => format!("depends_on = [workload.w{before}]"),
            Self::Network => "interface \"lan\" { network = network.lan }".to_owned(),
            _ => String::new(),
        };
        let value = match self {
            Self::References if n > 0 => format!("workload.w{before}.name"),
            _ => format!("\"{n}\""),
        };
        workload(text, &format!("w{n}"), &line, &value);
    }
}

const IMAGE: &str =
    "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn workload(text: &mut String, name: &str, line: &str, value: &str) {
    write!(
        text,
        "workload \"{name}\" {{
  {line}
  memory {{ size = \"64MiB\" }}
  container {{
    image   = \"{IMAGE}\"
    command = [\"--port\", \"80\"]
    env     = {{ A = {value}, B = \"two words\" }}
    labels  = {{ team = \"web\" }}
  }}
}}
"
    )
    .expect("a text takes all");
}

fn each(text: &mut String, count: usize) {
    text.push_str("locals {\n  keys = {\n");
    for n in 0..count {
        writeln!(text, "    w{n} = {n}").expect("a text takes all");
    }
    text.push_str("  }\n}\n");
    workload(text, "w", "for_each = local.keys", "tostring(each.value)");
}

fn machine(text: &mut String, n: usize) {
    write!(
        text,
        "workload \"w{n}\" {{
  cpus {{ count = 2 }}
  memory {{ size = \"64MiB\" }}
  interface \"lan\" {{ network = network.lan }}
  disk \"data\" {{ size = \"4GiB\" }}
  kvm {{
    image     = image.guest
    root_size = \"8GiB\"
    user_data = \"#cloud-config\\npackages: [nginx]\\n\"
  }}
}}
"
    )
    .expect("a text takes all");
    if n == 0 {
        text.push_str("image \"guest\" { disk = \"guest.raw\" }\n");
    }
}

/// The same for Terraform's core alone: its built-in resource, which needs no provider.
pub(crate) fn terraform(shape: Shape, count: usize) -> Option<String> {
    let mut text = String::new();
    let body = |text: &mut String, name: &str, line: &str, value: &str| {
        write!(
            text,
            "resource \"terraform_data\" \"{name}\" {{
  {line}
  input = {{ image = \"{IMAGE}\", command = [\"--port\", \"80\"], a = {value}, b = \"two words\", team = \"web\" }}
}}
"
        )
        .expect("a text takes all");
    };
    match shape {
        Shape::Each => {
            let keys = (0..count).map(|n| format!("    w{n} = {n}\n"));
            text = format!(
                "locals {{\n  keys = {{\n{}  }}\n}}\n",
                keys.collect::<String>()
            );
            body(
                &mut text,
                "w",
                "for_each = local.keys",
                "tostring(each.value)",
            );
        }
        Shape::Flat | Shape::Tree | Shape::Chain | Shape::References => {
            for n in 0..count {
                let before = n.wrapping_sub(1);
                let after = |n: usize| format!("depends_on = [terraform_data.w{n}]");
                let (line, value) = match shape {
                    Shape::Tree if n > 0 => (after(before / 10), format!("\"{n}\"")),
                    Shape::Chain if n > 0 => (after(before), format!("\"{n}\"")),
                    Shape::References if n > 0 => {
                        (String::new(), format!("terraform_data.w{before}.id"))
                    }
                    _ => (String::new(), format!("\"{n}\"")),
                };
                body(&mut text, &format!("w{n}"), &line, &value);
            }
        }
        Shape::Network | Shape::Machines => return None,
    }
    Some(text)
}
