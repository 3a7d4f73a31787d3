//! Generated documents are what the program's tables say now. `INFRA_BLESS=1` writes them.

use std::path::PathBuf;

fn kept(path: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("INFRA_BLESS").is_some() {
        std::fs::write(&path, wanted).expect("the document can be written");
        return;
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{} is not what the tables say: run `INFRA_BLESS=1 cargo test --test docs` and look at the difference",
        path.display()
    );
}

#[test]
fn the_reference_of_blocks_is_true() {
    kept("docs/blocks.md", &infra::reference::blocks());
}

#[test]
fn the_reference_of_functions_is_true() {
    kept("docs/functions.md", &infra::reference::functions());
}

#[test]
fn the_reference_of_changes_is_true() {
    kept(
        "docs/changes.md",
        &infra::reference::changes(&infra_docker::Docker),
    );
}

#[test]
fn the_page_of_knobs_is_true() {
    kept("docs/knobs.md", &infra::reference::knobs());
}

#[test]
fn the_page_of_verification_is_true() {
    kept("docs/verification.md", &infra::reference::verification());
}

#[test]
fn the_table_of_suitability_is_true() {
    let table = infra_suitability::Table::built_in();
    kept(
        "docs/suitability.md",
        &infra::reference::suitability(&table),
    );
}

/// As the Compose Specification lists them.
const COMPOSE: &str = "
    annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count
    cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy
    develop device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file environment expose extends
    external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging
    mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks oom_kill_disable
    oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider pull_policy
    pull_refresh_after read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period
    stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir";

#[test]
fn every_key_of_compose_is_here_or_left_out_for_a_reason() {
    use infra::reference::{Answer, SERVICE};
    let known: Vec<&str> = COMPOSE.split_whitespace().collect();
    let answered: Vec<&str> = SERVICE.iter().map(|(key, _, _)| *key).collect();
    assert_eq!(answered, known);
    for (key, answer, note) in SERVICE {
        match answer {
            Answer::Here(path) => assert!(infra::reference::is_known(path), "{key}: {path}"),
            Answer::Left => assert!(!note.is_empty(), "{key}"),
        }
    }
    assert!(!infra::reference::is_known("workload.container.nothing"));
    kept("docs/compose.md", &infra::reference::compose());
}

#[test]
fn the_schemas_are_those_of_the_types() {
    for (name, schema) in infra::schemas::all() {
        kept(
            &format!("schemas/{name}.schema.json"),
            &format!("{schema:#}\n"),
        );
    }
}

#[test]
fn no_schema_is_left_over() {
    let known: Vec<String> = infra::schemas::all()
        .iter()
        .map(|(name, _)| format!("{name}.schema.json"))
        .collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for entry in std::fs::read_dir(folder).expect("there is a folder of schemas") {
        let name = entry
            .expect("it can be read")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            known.contains(&name),
            "schemas/{name} is no schema of any type: remove it"
        );
    }
}

#[test]
fn the_order_of_criteria_is_true() {
    let text = include_str!("../docs/placement.md");
    let (_, table) = text.split_once("\n| tier | counts |\n").expect("a table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let names = rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    let tiers = infra::placing::TIERS.map(|(name, _)| name);
    assert_eq!(names, tiers);
}
