//! The scripts are run here, on files of a folder: what was found is never lost, and no start of the host gets a value that
//! the kernel did not take.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use infra_api::{Address, Project};

use super::super::record::Record;
use super::*;

struct Host {
    folder: tempfile::TempDir,
    knob: PathBuf,
    mark: Mark,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let knob = folder.path().join("knob");
        fs::write(&knob, "always [madvise] never\n").unwrap();
        let mark = Mark {
            project: Project::new("lab"),
            address: Address::new("host.r1"),
        };
        Self { folder, knob, mark }
    }

    fn file(&self) -> &str {
        self.knob.to_str().unwrap()
    }

    /// Where the folder is the host's root.
    fn run(&self, script: &str) -> (Option<i32>, String) {
        let root = self.folder.path().display();
        let script = script
            .replace("/etc/", &format!("{root}/etc/"))
            .replace("/sys/bus/pci/", &format!("{root}/sys/bus/pci/"));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.code(), said)
    }

    fn set(&self, value: &str) -> Option<i32> {
        self.run(&set(&self.mark, &KernelSetting::new(self.file(), value)))
            .0
    }

    fn says(&self) -> String {
        KernelSetting::said(&fs::read_to_string(&self.knob).unwrap())
    }

    fn record(&self) -> Option<Record> {
        let path = path(&self.mark.project, self.file());
        let path = self.folder.path().join(path.trim_start_matches('/'));
        Record::parse(&fs::read_to_string(path).ok()?)
    }
}

#[test]
fn what_was_found_is_kept_and_put_back() {
    let host = Host::new();
    assert_eq!(host.set("a b"), Some(0));
    // Somebody changes it, and it is set once more: that was not found.
    fs::write(&host.knob, "theirs\n").unwrap();
    assert_eq!(host.set("c"), Some(0));
    let record = host.record().unwrap();
    assert_eq!(
        (record.found.as_str(), record.value.as_deref()),
        ("madvise", Some("c"))
    );
    assert_eq!(host.says(), "c");
    let unset = unset(&host.mark, host.file());
    assert_eq!(host.run(&unset), (Some(0), String::new()));
    assert_eq!((host.says().as_str(), host.record()), ("madvise", None));
    assert_eq!(host.run(&unset), (Some(0), String::new()), "twice is once");
}

/// tuned has its own word on whether it is as it should be, and what was active is active again in the end.
#[test]
fn a_profile_of_tuned_with_variables() {
    let host = Host::new();
    let root = host.folder.path();
    let tuned = root.join("etc/tuned");
    fs::create_dir_all(tuned.join("profiles")).unwrap();
    fs::write(tuned.join("active_profile"), "balanced\n").unwrap();
    let bin = root.join("bin");
    fs::create_dir(&bin).unwrap();
    let program = |name: &str, text: &str| {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let active = tuned.join("active_profile").display().to_string();
    // What a person changes, tuned finds: here a file.
    program(
        "tuned-adm",
        &format!(
            "case $1 in profile) echo \"$2\" > {active}; rm -f {0}/changed ;; verify) [ ! -e {0}/changed ] ;; esac",
            root.display()
        ),
    );
    program("systemctl", "exit 0");
    let run = |script: &str| {
        let path = format!("PATH={}:$PATH\n{script}", bin.display());
        host.run(&path)
    };
    let wanted = KernelSetting::new(
        KernelSetting::TUNED,
        "cpu-partitioning isolated_cores=2-3 x=y",
    );
    let set = set(&host.mark, &wanted);
    assert_eq!(run(&set), (Some(0), String::new()));
    let says = || fs::read_to_string(&active).unwrap().trim().to_owned();
    assert_eq!(says(), "infra-lab");
    let profile = tuned.join("profiles/infra-lab/tuned.conf");
    let text = fs::read_to_string(&profile).unwrap();
    assert!(
        text.contains("include=cpu-partitioning\n[variables]\nisolated_cores=2-3\nx=y\n"),
        "{text}"
    );

    let say = as_one(&format!("{}said {}\n", said(), KernelSetting::TUNED));
    assert_eq!(run(&say).1, wanted.value);
    fs::write(root.join("changed"), "").unwrap();
    assert_eq!(run(&say).1, format!("{} altered", wanted.value));
    assert_eq!(run(&set), (Some(0), String::new()));
    assert_eq!(run(&say).1, wanted.value);

    assert_eq!(
        run(&unset(&host.mark, KernelSetting::TUNED)),
        (Some(0), String::new())
    );
    assert_eq!((says().as_str(), profile.exists()), ("balanced", false));
    let none = format!("command() {{ return 1; }}\n{set}");
    assert_eq!(run(&none).0, Some(6), "it is not installed");
}

/// Whoever needs it says so for himself, and it stays said until the last of them is gone.
#[test]
fn what_starts_after_docker_is_said_by_each_project() {
    let host = Host::new();
    let root = host.folder.path();
    let bin = root.join("bin");
    fs::create_dir(&bin).unwrap();
    let folder = format!("{}{}", root.display(), KernelSetting::DOCKER_FIRST);
    // As systemd: what it has read, with what others have said of it.
    let program = format!(
        "#!/bin/sh\ncase $1 in daemon-reload) cat {folder}/*.conf > {0}/read 2> /dev/null || : > {0}/read ;;\n\
         show) echo \"multi-user.target $(sed -n 's/^Before=//p' {0}/read | tr '\\n' ' ')shutdown.target\" ;; esac\n",
        root.display()
    );
    fs::write(bin.join("systemctl"), program).unwrap();
    fs::set_permissions(bin.join("systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("read"), "").unwrap();
    let run = |script: &str| host.run(&format!("PATH={}:$PATH\n{script}", bin.display()));
    let wanted = KernelSetting::new(
        KernelSetting::DOCKER_FIRST,
        "libvirtd.service virtqemud.service",
    );
    let file = wanted.file.as_str();
    let say = as_one(&format!("{}said {file}\n", said()));
    let other = Mark {
        project: Project::new("theirs"),
        ..host.mark.clone()
    };

    for mark in [&host.mark, &other, &other] {
        assert_eq!(run(&set(mark, &wanted)), (Some(0), String::new()));
        assert_eq!(run(&say).1, wanted.value);
    }
    assert_eq!(run(&unset(&host.mark, file)), (Some(0), String::new()));
    assert_eq!(run(&say).1, wanted.value, "the other still needs it");
    assert_eq!(run(&unset(&other, file)), (Some(0), String::new()));
    assert_eq!(run(&say).1, "");
    assert!(!fs::exists(folder).unwrap(), "nothing is left");
}

/// Of a card's functions: those that somebody has are not taken away, neither for more nor to put back what was found.
#[test]
fn functions_that_somebody_has_stay() {
    let host = Host::new();
    let file = "/sys/bus/pci/devices/0000:81:00.0/sriov_numvfs";
    let card = host.folder.path().join("sys/bus/pci/devices/0000:81:00.0");
    let function = card.with_file_name("0000:81:10.0");
    fs::create_dir_all(&card).unwrap();
    fs::create_dir_all(&function).unwrap();
    let numbers = card.join("sriov_numvfs");
    let says = || fs::read_to_string(&numbers).unwrap().trim().to_owned();
    let link = |driver: &str| {
        let _ = fs::remove_file(function.join("driver"));
        std::os::unix::fs::symlink(format!("../drivers/{driver}"), function.join("driver"))
            .unwrap();
    };
    fs::create_dir_all(card.with_file_name("drivers").join("vfio-pci")).unwrap();
    fs::create_dir_all(card.with_file_name("drivers").join("qat")).unwrap();
    fs::write(&numbers, "1\n").unwrap();
    fs::write(function.join("class"), "0x0b4000\n").unwrap();
    std::os::unix::fs::symlink("../0000:81:10.0", card.join("virtfn0")).unwrap();
    let set = |value: &str| {
        host.run(&set(&host.mark, &KernelSetting::new(file, value)))
            .0
    };

    link("vfio-pci");
    assert_eq!((set("4"), says().as_str()), (Some(5), "1"));
    assert_eq!(set("1"), Some(0), "that is as many as there are");
    link("qat");
    assert_eq!((set("4"), says().as_str()), (Some(0), "4"));
    link("vfio-pci");
    let unset = unset(&host.mark, file);
    assert_eq!((host.run(&unset).0, says().as_str()), (Some(5), "4"));
    link("qat");
    assert_eq!((host.run(&unset).0, says().as_str()), (Some(0), "1"));
}

/// A card with two functions.
fn card_of_two(root: &std::path::Path) -> PathBuf {
    let card = root.join("sys/bus/pci/devices/0000:81:00.0");
    fs::create_dir_all(card.join("net/ens1")).unwrap();
    fs::write(card.join("net/ens1/flags"), "0x1003\n").unwrap();
    fs::write(card.join("sriov_numvfs"), "2\n").unwrap();
    for number in 0..2 {
        let function = card.with_file_name(format!("0000:81:10.{number}"));
        fs::create_dir_all(&function).unwrap();
        let to = format!("../0000:81:10.{number}");
        std::os::unix::fs::symlink(to, card.join(format!("virtfn{number}"))).unwrap();
    }
    card
}

/// What ip(8) prints of a card is what its functions are said to be; what is asked of each it is told, and what is not asked of
/// any more is as the driver makes it.
#[test]
fn each_function_is_given_what_is_asked() {
    let host = Host::new();
    let root = host.folder.path();
    let file = "/sys/bus/pci/devices/0000:81:00.0/sriov_numvfs";
    let card = card_of_two(root);
    fs::create_dir(root.join("bin")).unwrap();
    let ip = root.join("bin/ip");
    let shown = root.join("shown");
    let text = format!(
        "#!/bin/sh\nif [ \"$2\" = show ]; then cat {root}/shown; else echo \"$@\" >> {root}/told; fi\n",
        root = root.display()
    );
    fs::write(&ip, text).unwrap();
    fs::set_permissions(&ip, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |script: &str| {
        let path = format!("PATH={}/bin:$PATH\n", root.display());
        host.run(&format!("{path}{script}"))
    };
    let say = |asked: &str| run(&as_one(&format!("{}said {file} '{asked}'\n", said()))).1;
    let told = || fs::read_to_string(root.join("told")).unwrap_or_default();

    let function = |number: u32, more: &str| {
        format!(
            "    vf {number}     link/ether 52:54:00:00:00:0{number} brd ff:ff:ff:ff:ff:ff{more}\n"
        )
    };
    let two = |a: &str, b: &str| fs::write(&shown, function(0, a) + &function(1, b)).unwrap();
    two(
        ", spoof checking on, link-state auto, trust off",
        ", vlan 7, tx rate 100 (Mbps), max_tx_rate 100Mbps, spoof checking on, link-state auto, trust on",
    );
    assert_eq!(
        say(""),
        "2 driver=none mac=52:54:00:00:00:00,52:54:00:00:00:01 max_tx_mbit=0,100 spoof_check=on trust=off,on vlan=0,7"
    );
    assert_eq!(say("2"), "2");
    assert_eq!(say("2 spoof_check=on vlan=3"), "2 spoof_check=on vlan=0,7");

    let set = |value: &str| run(&set(&host.mark, &KernelSetting::new(file, value)));
    let wanted = "2 mac=52:54:00:00:00:00,52:54:00:00:00:01 max_tx_mbit=50 trust=on";
    assert_eq!(set(wanted).0, Some(3), "the card says otherwise");
    assert_eq!(
        told(),
        "link set dev ens1 up\n\
         link set dev ens1 vf 0 max_tx_rate 50 trust on\n\
         link set dev ens1 vf 1 max_tx_rate 50\n"
    );
    two(
        ", max_tx_rate 50Mbps, trust on",
        ", max_tx_rate 50Mbps, trust on",
    );
    assert_eq!(set(wanted).0, Some(0));
    let path = path(&host.mark.project, file);
    let rules = fs::read_to_string(root.join(&path[1..])).unwrap();
    assert!(
        rules.contains(
            "ip link set dev $name vf 1 mac 52:54:00:00:00:01 max_tx_rate 50 trust on && break"
        ),
        "{rules}"
    );
    // Somebody has one: it cannot be made anew.
    fs::create_dir_all(card.with_file_name("drivers/vfio-pci")).unwrap();
    let link = card.with_file_name("0000:81:10.0").join("driver");
    std::os::unix::fs::symlink("../drivers/vfio-pci", link).unwrap();
    assert_eq!(set("2 trust=on").0, Some(5), "the rate would stay");
}

#[test]
fn what_the_kernel_does_not_take_is_no_start_s() {
    let mut host = Host::new();
    fs::remove_file(&host.knob).unwrap();
    assert_eq!(
        (host.set("1"), host.record()),
        (Some(3), None),
        "there is no such file"
    );
    // It takes everything and says nothing of it.
    host.knob = "/dev/null".into();
    assert_eq!(host.set("1"), Some(3));
    assert_eq!(host.record().unwrap().value, None);
    // It does not take back what was found.
    let begun = format!("{}# found=60\n", head(&host.mark, "/dev/null"));
    let null = path(&host.mark.project, "/dev/null");
    fs::write(host.folder.path().join(&null[1..]), begun).unwrap();
    assert_eq!(
        host.run(&unset(&host.mark, "/dev/null")),
        (Some(0), KEPT.to_owned())
    );
}
