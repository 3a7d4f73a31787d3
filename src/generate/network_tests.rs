//! What is written of a machine's networks makes the same networks.

use super::machine_tests::comes_back;

#[test]
fn of_networks() {
    comes_back(
        r#"
        network "lan" {
          subnet   = "10.0.0.0/24"
          gateway  = "10.0.0.9"
          internal = true
          bridge   = "br-x"
          uuid     = "5b0f5b64-3a02-4bd9-a2a7-6a9f4d2f7a5e"
        }
        network "away" {
          subnet  = "10.0.1.0/24"
          forward = "route"
          dhcp {
            host "printer" {
              mac     = "52:54:00:ae:00:09"
              address = "10.0.1.9"
            }
          }
          dns {
            host "a.example" { address = "10.0.9.9" }
            txt "a.example" { value = "x y" }
            srv "_sip._tcp.example" {
              target "a.example" {
                port     = 5060
                priority = 2
              }
              target "b.example" { port = 5061 }
            }
          }
        }
        workload "w" {
          name = "some-thing.else"
          cpus {
            count   = 2
            maximum = 4
          }
          memory {
            size    = "1GiB"
            maximum = "2GiB"
            nodes   = "0"
            mode    = "interleave"
          }
          interface "a" {
            network = network.lan
            mac     = "52:54:00:ae:00:01"
            address = "10.0.0.7"
            queues  = 2
            mtu     = 9000
            link    = "down"
            bandwidth {
              inbound       = "1MB"
              inbound_peak  = "2MB"
              outbound      = "5kB"
              outbound_peak = "6kB"
            }
          }
          interface "b" {
            network = network.away
            model   = "e1000e"
          }
          disk "root" { path = "/srv/root.raw" }
          kvm { boot = ["interface.b", "disk.root", "interface.a"] }
        }"#,
    );
}

#[test]
fn of_networks_whose_addresses_are_others() {
    let written = comes_back(
        r#"
        network "office" {
          forward = "bridge"
          bridge  = "br0"
        }
        network "lab" {
          driver = "macvlan"
          parent = "ens1"
          mode   = "vepa"
        }
        network "fast" {
          driver = "sriov"
          parent = "ens2f0"
        }
        workload "w" {
          memory { size = "1GiB" }
          interface "c" { network = network.office }
          interface "d" { network = network.lab }
          interface "e" { network = network.fast }
          disk "root" { path = "/srv/root.raw" }
          kvm {}
        }"#,
    );
    assert!(!written.contains("address"), "{written}");
}
