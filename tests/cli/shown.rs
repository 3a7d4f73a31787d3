//! What was applied: show, output, state list and show.

use snapbox::str;

use crate::support::Folder;
use crate::{WEB, applied, ends};

#[test]
fn nothing_was_ever_applied() {
    let folder = Folder::of(WEB);
    ends(
        folder.infra(&["show"]),
        0,
        str![],
        str![[r#"
Nothing was ever applied here.

"#]],
    );
    ends(folder.infra(&["output"]), 0, str![], str![]);
    ends(
        folder.infra(&["output", "--json"]),
        0,
        str![[r#"
{}

"#]],
        str![],
    );
    ends(
        folder.infra(&["output", "address"]),
        1,
        str![],
        str![[r#"
error: printing output `address`: the state has none of this name

hint: outputs are there after `infra apply`

"#]],
    );
    ends(folder.infra(&["state", "list"]), 0, str![], str![]);
    ends(
        folder.infra(&["state", "show", "workload.web"]),
        1,
        str![],
        str![[r#"
error: showing `workload.web`: the state knows nothing of it

hint: `infra state list` shows what it knows

"#]],
    );
}

#[test]
fn show_the_state() {
    ends(
        applied().infra(&["show"]),
        0,
        str![[r#"
project demo · serial 1

workload.web  container on r1  CPU 1-3,5-7
  lan 10.9.0.2

r1/docker/container/demo.web  (workload.web)
r1/docker/image/registry.example/web:1  (workload.web)
r1/docker/network/demo.lan  (network.lan)

address = "10.9.0.2"

all = {"addresses":{"lan":"10.9.0.2"}}

password = (sensitive)

port = 80

"#]],
        str![],
    );
    let json = applied().infra(&["show", "--json"]);
    let state: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.exit, &state["serial"]), (0, &serde_json::json!(1)));
    assert!(!json.stdout.contains("hunter2"));
}

#[test]
fn outputs() {
    let folder = applied();
    ends(
        folder.infra(&["output"]),
        0,
        str![[r#"
address = "10.9.0.2"
all = {
  "addresses" = {
    "lan" = "10.9.0.2"
  }
}
password = (sensitive value)
port = 80

"#]],
        str![],
    );
    ends(
        folder.infra(&["output", "--json"]),
        0,
        str![[r#"
{
  "address": {
    "sensitive": false,
    "value": "10.9.0.2"
  },
  "all": {
    "sensitive": false,
    "value": {
      "addresses": {
        "lan": "10.9.0.2"
      }
    }
  },
  "password": {
    "sensitive": true,
    "value": null
  },
  "port": {
    "sensitive": false,
    "value": 80
  }
}

"#]],
        str![],
    );
}

#[test]
fn one_output() {
    let folder = applied();
    ends(
        folder.infra(&["output", "address"]),
        0,
        str![[r#"
"10.9.0.2"

"#]],
        str![],
    );
    ends(
        folder.infra(&["output", "address", "--json"]),
        0,
        str![[r#"
"10.9.0.2"

"#]],
        str![],
    );
    assert_eq!(
        folder.infra(&["output", "address", "--raw"]).stdout,
        "10.9.0.2"
    );
    assert_eq!(folder.infra(&["output", "port", "--raw"]).stdout, "80");
    ends(
        folder.infra(&["output", "all", "--raw"]),
        1,
        str![],
        str![[r#"
error: printing output `all` raw: it is no string, number or bool

hint: use `--json`

"#]],
    );
    ends(
        folder.infra(&["output", "adress"]),
        1,
        str![],
        str![[r#"
error: printing output `adress`: the state has none of this name

hint: it has: address, all, password, port

"#]],
    );
    ends(
        folder.infra(&["output", "password"]),
        1,
        str![],
        str![[r#"
error: printing output `password`: it is sensitive, and its value is kept nowhere

hint: give `nonsensitive(…)` of what it is made from to `infra console`

"#]],
    );
    ends(
        folder.infra(&["output", "--raw"]),
        1,
        str![],
        str![[r#"
error: the following required arguments were not provided:
  <NAME>

Usage: infra output --raw <NAME>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn state_list() {
    let folder = applied();
    ends(
        folder.infra(&["state", "list"]),
        0,
        str![[r#"
workload.web	r1/docker/container/demo.web
workload.web	r1/docker/image/registry.example/web:1
network.lan	r1/docker/network/demo.lan

"#]],
        str![],
    );
    let by_object = folder.infra(&["state", "show", "r1/docker/network/demo.lan"]);
    assert_eq!(by_object.exit, 0, "{by_object:?}");
    ends(
        folder.infra(&["state", "show", "workload.nothing"]),
        1,
        str![],
        str![[r#"
error: showing `workload.nothing`: the state knows nothing of it

hint: `infra state list` shows what it knows

"#]],
    );
}

#[test]
fn state_show() {
    let folder = applied();
    ends(
        folder.infra(&["state", "show", "workload.web"]),
        0,
        str![[r#"
{
  "placement": {
    "addresses": {
      "lan": "10.9.0.2"
    },
    "cells": [
      {
        "cpus": "1-3,5-7",
        "memory_bytes": 0,
        "node": null,
        "page_size_bytes": null,
        "vcpus": [
          {
            "cpu": null,
            "id": 0
          }
        ]
      }
    ],
    "host": "r1",
    "policy": "shared",
    "runtime": "container",
    "tiers": []
  },
  "resources": {
    "r1/docker/container/demo.web": {
      "address": "workload.web",
      "after": [
        "r1/docker/image/registry.example/web:1",
        "r1/docker/network/demo.lan"
      ],
      "body": {
        "cpus": "1-3,5-7",
        "env": {
          "PASSWORD": {
            "$secret": "hmac-sha256:2abb3c4624d17376760ecb8c6d709c2ca0652a49b18e501fbc2895a7daf6a391"
          }
        },
        "hostname": "web",
        "image": "registry.example/web:1",
        "limits": {},
        "name": "demo.web",
        "networks": {
          "demo.lan": {
            "address": "10.9.0.2"
          }
        },
        "security": {
          "drop": [
            "MKNOD",
            "NET_RAW"
          ],
          "no_new_privileges": true
        },
        "state": "running"
      }
    },
    "r1/docker/image/registry.example/web:1": {
      "address": "workload.web",
      "body": {
        "reference": "registry.example/web:1"
      }
    }
  }
}

"#]],
        str![],
    );
}

#[test]
fn the_state_may_lie_elsewhere() {
    let folder = applied();
    let from = folder.path().join(".infra/state.json");
    let to = folder.path().join("elsewhere.json");
    std::fs::rename(from, &to).unwrap();
    let ran = folder.infra(&["--state", to.to_str().unwrap(), "output", "address"]);
    assert_eq!((ran.exit, &*ran.stdout), (0, "\"10.9.0.2\"\n"));
}
