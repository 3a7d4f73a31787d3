//! On a real daemon: devices by turns, a disk that a server has, serial ports, and what is left out.

use std::process::{Child, Command};

use infra_api::target::*;
use infra_api::*;

use crate::bench::*;

/// A server of this machine, which ends with the test.
struct Nbd(Child);

impl Nbd {
    /// Of a file of zeros.
    fn serve(export: &str, port: u16, file: &str) -> Option<Self> {
        std::fs::write(file, vec![0; 1 << 20]).unwrap();
        let port = port.to_string();
        let mut command = Command::new("qemu-nbd");
        command.args(["-t", "-e", "4", "-f", "raw", "-b", "127.0.0.1", "-p", &port]);
        match command.args(["-x", export, file]).spawn() {
            Ok(server) => Some(Self(server)),
            Err(error) => {
                eprintln!("SKIPPED: qemu-nbd: {error}");
                None
            }
        }
    }
}

impl Drop for Nbd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn live_devices_have_turns_and_servers() {
    live("devices", |b| {
        Box::pin(async {
            let file = format!("/var/tmp/{}.nbd", b.project);
            let Some(_server) = Nbd::serve("export", 10_977, &file) else {
                return;
            };
            b.with_pool().await;
            let network = b.network("10.213.94");
            b.create(&b.id("network", &network.name), &network, None)
                .await
                .unwrap();
            let volume = b.disk("data");
            b.create(&b.volume_id(&volume.volume), &volume, None)
                .await
                .unwrap();
            let machine = of_all(b, &volume, &network);
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            let blocks = b.domain_by_hand(&machine).xml_desc(0).unwrap();
            assert!(blocks.contains("protocol='nbd'"), "{blocks}");
            // Other turns take a restart.
            let mut other = machine.clone();
            other.disks[0].boot = Some(2);
            other.interfaces[0].boot = Some(1);
            let refused = b.update(&id, &machine, &other, Impact::InPlace).await;
            assert!(refused.unwrap_err().cause.contains("takes a restart"));
            b.update(&id, &machine, &other, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, other);
            std::fs::remove_file(file).unwrap();
        })
    });
}

fn of_all(b: &Bench, volume: &DiskVolume, network: &MachineNetwork) -> Machine {
    let data = MachineDisk {
        boot: Some(1),
        ..MachineDisk::new(volume.volume.clone(), Format::Qcow2, false)
    };
    let mac = "52:54:00:12:34:59".into();
    let nic = MachineInterface::new(mac, network, Some([10, 213, 94, 7].into()));
    let socket = format!("{}/serial.sock", b.pool().path);
    Machine {
        boot: Boot::Disk,
        disks: vec![data, far()],
        interfaces: vec![MachineInterface {
            boot: Some(2),
            ..nic
        }],
        hardware: Hardware {
            without_rng: true,
            without_balloon: true,
            serial_ports: vec![
                SerialPort::Pty,
                SerialPort::Unix { path: socket },
                SerialPort::Tcp {
                    address: "127.0.0.1".into(),
                    port: 10_978,
                },
            ],
            ..Hardware::default()
        },
        ..b.plain()
    }
}

fn far() -> MachineDisk {
    let server = DiskServer {
        host: "127.0.0.1".into(),
        port: 10_977,
    };
    let remote = RemoteDisk {
        protocol: "nbd".into(),
        name: "export".into(),
        servers: vec![server],
        login: None,
    };
    MachineDisk {
        remote: Some(remote),
        device: DiskDevice::Disk,
        ..MachineDisk::drive()
    }
}
