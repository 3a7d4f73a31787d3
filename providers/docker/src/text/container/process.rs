//! [`Process`], [`Log`], [`Restart`], [`HealthCheck`] ⇄ JSON.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, RestartPolicy,
    RestartPolicyNameEnum,
};
use infra_api::target::{HealthCheck, Log, Probe, Process, Restart};
use serde::Deserialize;

use super::{Refused, Set, some, some_map, sorted};

/// Of its configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    tty: bool,
    open_stdin: bool,
    pub(crate) stop_signal: Option<String>,
    stop_timeout: Option<u32>,
}

/// Of its host's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct FoundHost {
    group_add: Option<Vec<String>>,
    init: Option<bool>,
    pub(crate) log_config: Option<LogConfig>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LogConfig {
    #[serde(rename = "Type")]
    pub(crate) driver: String,
    pub(crate) config: Option<BTreeMap<String, String>>,
}

pub(crate) fn encode(wanted: &Process, create: &mut ContainerCreateBody, host: &mut HostConfig) {
    let Process {
        groups,
        init,
        tty,
        stdin,
        stop_signal,
        stop_timeout_s,
    } = wanted;
    host.group_add = some(groups.clone());
    host.init = *init;
    create.tty = tty.then_some(true);
    create.open_stdin = stdin.then_some(true);
    create.stop_signal = stop_signal.clone();
    create.stop_timeout = stop_timeout_s.map(i64::from);
}

/// What it may have from its image or from the engine's own settings.
pub(crate) fn set(process: &Process, log: Option<&Log>) -> Vec<String> {
    let mut set = super::named("process", &[("stop_signal", process.stop_signal.is_some())]);
    if let Some(log) = log {
        set.push("log".to_owned());
        set.extend(log.options.keys().map(|name| format!("log.{name}")));
    }
    set
}

pub(crate) fn decode(found: &Found, host: &FoundHost, set: &Set<'_>) -> Process {
    let signal = found.stop_signal.clone();
    Process {
        groups: sorted(host.group_add.iter().flatten().cloned()),
        init: host.init,
        tty: found.tty,
        stdin: found.open_stdin,
        stop_signal: signal.filter(|_| set.contains("process.stop_signal")),
        stop_timeout_s: found.stop_timeout,
    }
}

pub(crate) fn log(wanted: &Log) -> HostConfigLogConfig {
    let Log { driver, options } = wanted;
    HostConfigLogConfig {
        typ: Some(driver.clone()),
        config: some_map(options),
    }
}

/// The engine mixes options of its own configuration in.
pub(crate) fn decode_log(host: &FoundHost, set: &Set<'_>) -> Option<Log> {
    let found = host.log_config.as_ref().filter(|_| set.contains("log"))?;
    let all = found.config.iter().flatten();
    let any = set.contains("log.*");
    let own = all.filter(|(name, _)| any || set.contains(format!("log.{name}").as_str()));
    Some(Log {
        driver: found.driver.clone(),
        options: own.map(|(name, v)| (name.clone(), v.clone())).collect(),
    })
}

pub(crate) fn restart(wanted: Option<&Restart>) -> Result<RestartPolicy, Refused> {
    let Some(Restart {
        policy,
        max_retries,
    }) = wanted
    else {
        return Ok(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        });
    };
    let name = match (policy.as_str(), max_retries) {
        ("always", None) => RestartPolicyNameEnum::ALWAYS,
        ("unless-stopped", None) => RestartPolicyNameEnum::UNLESS_STOPPED,
        ("on-failure", None | Some(1..)) => RestartPolicyNameEnum::ON_FAILURE,
        ("on-failure", Some(0)) => return Err("`restart.max_retries` is 0: leave it out".into()),
        ("always" | "unless-stopped", Some(_)) => {
            return Err("`restart.max_retries` goes with `on-failure` only".into());
        }
        _ => {
            return Err(format!(
                "`restart.policy` is `{policy}`, not `always`, `on-failure` or `unless-stopped`"
            ));
        }
    };
    Ok(RestartPolicy {
        name: Some(name),
        maximum_retry_count: max_retries.map(i64::from),
    })
}

pub(crate) fn health(check: &HealthCheck) -> HealthConfig {
    let HealthCheck {
        probe,
        interval_ns,
        timeout_ns,
        start_period_ns,
        start_interval_ns,
        retries,
    } = check;
    let span = |ns: Option<u64>| ns.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    HealthConfig {
        test: Some(test(probe)),
        interval: span(*interval_ns),
        timeout: span(*timeout_ns),
        start_period: span(*start_period_ns),
        start_interval: span(*start_interval_ns),
        retries: retries.map(i64::from),
    }
}

fn test(probe: &Probe) -> Vec<String> {
    let form = |form: &str| std::iter::once(form.to_owned());
    match probe {
        Probe::Command(words) => form("CMD").chain(words.iter().cloned()).collect(),
        Probe::Shell(line) => form("CMD-SHELL").chain([line.clone()]).collect(),
        Probe::None => form("NONE").collect(),
    }
}

/// Another form is not ours and is shown as it is.
pub(crate) fn probe(test: &[String]) -> Probe {
    match test {
        [form] if form == "NONE" => Probe::None,
        [form, line] if form == "CMD-SHELL" => Probe::Shell(line.clone()),
        [form, words @ ..] if form == "CMD" => Probe::Command(words.to_vec()),
        other => Probe::Command(other.to_vec()),
    }
}
