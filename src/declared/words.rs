//! Forms of text that more than one block uses, and shorthands for the tables of words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use infra_api::units::{Bytes, Duration};
use infra_api::{IdSet, Login};
use infra_lang::{Attribute, Shape, Text};
use ipnet::{Ipv4Net, Ipv6Net};

pub(in crate::declared) static SIZE: Text = Text {
    name: "a size",
    example: "8GiB",
    check: |text| text.parse::<Bytes>().map(drop).map_err(|e| e.to_string()),
};

/// For pages that are not huge.
pub(in crate::declared) const DEFAULT_PAGE: &str = "default";

pub(in crate::declared) static PAGE: Text = Text {
    name: "a size of pages, or `default` for ordinary ones",
    example: "1GiB",
    check: |text| match text.parse::<Bytes>() {
        _ if text == DEFAULT_PAGE => Ok(()),
        Ok(Bytes(0)) => Err("a page has a size".to_owned()),
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    },
};

pub(in crate::declared) static DURATION: Text = Text {
    name: "a duration",
    example: "1.5s",
    check: |text| {
        text.parse::<Duration>()
            .map(drop)
            .map_err(|e| e.to_string())
    },
};

/// What every daemon takes for one.
pub(in crate::declared) static NAME: Text = Text {
    name: "a daemon's name for an object",
    example: "postgres-1",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match text.chars().next() {
            None => Err("it is empty".to_owned()),
            _ if text.len() > 128 => Err("it has more than 128 characters".to_owned()),
            Some(first) if !first.is_ascii_alphanumeric() => {
                Err("it does not begin with a letter or a digit".to_owned())
            }
            _ if !text.chars().all(plain) => {
                Err("it may have letters, digits, dots, dashes and underscores".to_owned())
            }
            _ => Ok(()),
        }
    },
};

/// As the kernel takes it.
pub(in crate::declared) static LINK: Text = Text {
    name: "a network device's name",
    example: "br-lan",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match text.len() {
            1..=15 if text.chars().all(plain) && !matches!(text, "." | "..") => Ok(()),
            1..=15 => Err("it may have letters, digits, dots, dashes and underscores".to_owned()),
            _ => Err("it has 1 to 15 characters".to_owned()),
        }
    },
};

pub(in crate::declared) static LINE: Text = Text {
    name: "a line of text",
    example: "console=ttyS0 quiet",
    check: |text| match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!(
            "it has the control character {}",
            c.escape_default()
        )),
        None => Ok(()),
    },
};

pub(in crate::declared) static IDS: Text = Text {
    name: "a list of ids as Linux writes it",
    example: "0-3,8",
    check: |text| match text.parse::<IdSet>() {
        Ok(ids) if ids.is_empty() => Err("it names none".to_owned()),
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    },
};

pub(in crate::declared) static IPV4: Text = Text {
    name: "an IPv4 address",
    example: "10.77.0.10",
    check: |text| {
        text.parse::<Ipv4Addr>()
            .map(drop)
            .map_err(|_| "it is not an IPv4 address".to_owned())
    },
};

pub(in crate::declared) static SUBNET: Text = Text {
    name: "an IPv4 subnet",
    example: "10.77.0.0/24",
    check: |text| match text.parse::<Ipv4Net>() {
        Err(_) => Err("it is not ADDRESS/PREFIX".to_owned()),
        Ok(net) if net.addr() != net.network() => Err(format!(
            "its host bits are not zero; the subnet is {}",
            net.trunc()
        )),
        Ok(net) if net.prefix_len() > 29 => {
            Err("it has no room: a prefix of at most 29 leaves some addresses".to_owned())
        }
        Ok(net) if net.prefix_len() < 8 => {
            Err("a prefix below 8 is no subnet of anybody's".to_owned())
        }
        Ok(_) => Ok(()),
    },
};

pub(in crate::declared) static DOCKER: Text = Text {
    name: "an engine's endpoint",
    example: "unix:///var/run/docker.sock",
    check: |text| {
        let ways = ["unix:///", "ssh://", "tcp://"];
        match ways.iter().any(|way| text.starts_with(way)) {
            true => Ok(()),
            false => Err("it begins with none of `unix:///`, `ssh://` and `tcp://`".to_owned()),
        }
    },
};

pub(in crate::declared) static ADDRESS: Text = Text {
    name: "a host's address",
    example: "root@r1.example.net",
    check: |text| match text {
        "local" => Ok(()),
        _ => Login::parse(text).map(drop),
    },
};

/// What would skip the check of who answers is refused: it is root on a host that is at stake.
pub(in crate::declared) static LIBVIRT: Text = Text {
    name: "a libvirt URI",
    example: "qemu:///system",
    check: |text| match text.split_once("://") {
        None => Err("it is not DRIVER[+TRANSPORT]://[HOST]/PATH".to_owned()),
        Some((driver, _)) if driver.ends_with("+tcp") => {
            Err("over TCP nobody is known and nothing is secret: use `+tls` or `+ssh`".to_owned())
        }
        Some((_, rest)) if rest.contains("no_verify") => {
            Err("`no_verify` would take whoever answers for the host".to_owned())
        }
        Some(_) => Ok(()),
    },
};

pub(in crate::declared) static PLATFORM: Text = Text {
    name: "a platform",
    example: "linux/arm64",
    check: |text| {
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            ["linux", rest @ ..]
                if matches!(rest.len(), 1 | 2) && rest.iter().all(|p| plain(p)) =>
            {
                Ok(())
            }
            _ => Err("it is not linux/ARCHITECTURE[/VARIANT]".to_owned()),
        }
    },
};

pub(in crate::declared) static IPV6: Text = Text {
    name: "an IPv6 address",
    example: "fd00::10",
    check: |text| {
        text.parse::<Ipv6Addr>()
            .map(drop)
            .map_err(|_| "it is not an IPv6 address".to_owned())
    },
};

/// As long as the engine takes them, and with room for every address of an IPv4 subnet.
pub(in crate::declared) static SUBNET6: Text = Text {
    name: "an IPv6 subnet",
    example: "fd00:0:0:1::/64",
    check: |text| match text.parse::<Ipv6Net>() {
        Err(_) => Err("it is not ADDRESS/PREFIX".to_owned()),
        Ok(net) if net.addr() != net.network() => Err(format!(
            "its host bits are not zero; the subnet is {}",
            net.trunc()
        )),
        Ok(net) if net.prefix_len() > 96 => {
            Err("it is too small: a prefix of at most 96 has room for all of IPv4's".to_owned())
        }
        Ok(net) if net.prefix_len() < 8 => {
            Err("a prefix below 8 is no subnet of anybody's".to_owned())
        }
        Ok(_) => Ok(()),
    },
};

/// As libvirt writes it back; one that means many is nobody's.
pub(in crate::declared) static MAC: Text = Text {
    name: "a MAC address",
    example: "52:54:00:12:34:56",
    check: |text| {
        let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let pair = |part: &str| part.len() == 2 && part.chars().all(digit);
        let first = || u8::from_str_radix(text.get(..2)?, 16).ok();
        if text.split(':').count() != 6 || !text.split(':').all(pair) {
            return Err("it is not six pairs of lower-case digits, with colons".to_owned());
        }
        match first().is_some_and(|byte| byte & 1 == 0) {
            true => Ok(()),
            false => Err("it is the address of a group: its first byte is odd".to_owned()),
        }
    },
};

/// As libvirt writes it back.
pub(in crate::declared) static UUID: Text = Text {
    name: "a UUID",
    example: "1b4e28ba-2fa1-4d2e-883f-0016d3cca427",
    check: |text| {
        let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let parts: Vec<&str> = text.split('-').collect();
        let lengths = parts.iter().map(|part| part.len());
        let digits = parts.iter().all(|part| part.chars().all(digit));
        match digits && lengths.eq([8, 4, 4, 4, 12]) {
            true => Ok(()),
            false => Err("it is not 8-4-4-4-12 lower-case digits".to_owned()),
        }
    },
};

/// A file of the host, or none.
pub(in crate::declared) static LOG: Text = Text {
    name: "`none` or an absolute path",
    example: "/var/log/libvirt/qemu/db.console.log",
    check: |text| match text {
        "none" => Ok(()),
        path => (PATH.check)(path),
    },
};

pub(in crate::declared) static IP: Text = Text {
    name: "an IP address",
    example: "127.0.0.1",
    check: |text| {
        text.parse::<IpAddr>()
            .map(drop)
            .map_err(|_| "it is not an IP address".to_owned())
    },
};

/// As a daemon reads it back: it would write another form in its own way, which no plan could tell from a change.
pub(in crate::declared) static PATH: Text = Text {
    name: "an absolute path",
    example: "/srv/data",
    check: |text| {
        let odd = |part: &str| matches!(part, "" | "." | "..");
        match text.strip_prefix('/') {
            None => Err("it does not begin with `/`".to_owned()),
            Some("") => Ok(()),
            Some(rest) if rest.split('/').any(odd) => {
                Err("it has an empty part, a `.` or a `..`".to_owned())
            }
            Some(_) => Ok(()),
        }
    },
};

pub(in crate::declared) static MODE: Text = Text {
    name: "permissions",
    example: "0644",
    check: |text| match mode(text) {
        Some(_) => Ok(()),
        None => Err("it is not an octal number from 1 to 7777".to_owned()),
    },
};

/// Permission bits as Unix writes them. Nobody may do anything is nobody's wish.
pub(in crate::declared) fn mode(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let bits = u32::from_str_radix(text, 8).ok().filter(|_| digits)?;
    (1..=0o7777).contains(&bits).then_some(bits)
}
/// What fits a virtio disk, and needs no escape where a guest shows it.
pub(in crate::declared) static SERIAL: Text = Text {
    name: "a serial number",
    example: "data-1",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match text {
            "" => Err("it is empty".to_owned()),
            "cidata" => Err("the seed's disk has it".to_owned()),
            _ if text.len() > 20 => Err("it has more than 20 characters".to_owned()),
            _ if !text.chars().all(plain) => {
                Err("it may have letters, digits, dots, dashes and underscores".to_owned())
            }
            _ => Ok(()),
        }
    },
};

/// As the kernel writes it: libvirt would write another form in its own way.
pub(in crate::declared) static PCI: Text = Text {
    name: "a PCI address",
    example: "0000:3b:02.1",
    check: |text| {
        let hex = |part: &str, digits: usize| {
            part.len() == digits && part.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        };
        let parts: Vec<&str> = text.split([':', '.']).collect();
        let is = matches!(parts[..], [domain, bus, slot, function]
            if hex(domain, 4) && hex(bus, 2) && hex(slot, 2) && hex(function, 1))
            && text.matches(':').count() == 2;
        is.then_some(())
            .ok_or_else(|| "it is not DOMAIN:BUS:SLOT.FUNCTION in lower-case digits".to_owned())
    },
};

/// Vendor and product of a PCI device; those of USB look the same.
pub(in crate::declared) static PCI_ID: Text = Text {
    name: "vendor and product",
    example: "8086:1572",
    check: USB.check,
};

pub(in crate::declared) static CLASS: Text = Text {
    name: "a class of PCI devices",
    example: "0302",
    check: |text| {
        let hex = text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        (hex && matches!(text.len(), 2 | 4 | 6))
            .then_some(())
            .ok_or_else(|| "it is not two, four or six lower-case digits".to_owned())
    },
};

pub(in crate::declared) static USB: Text = Text {
    name: "a USB device",
    example: "1d6b:0002",
    check: |text| {
        let hex = |part: &str| {
            part.len() == 4 && part.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        };
        let is = text.split_once(':').is_some_and(|(v, p)| hex(v) && hex(p));
        is.then_some(())
            .ok_or_else(|| "it is not VENDOR:PRODUCT in lower-case digits".to_owned())
    },
};

pub(in crate::declared) const STRINGS: Shape = Shape::List(&Shape::String);
pub(in crate::declared) const STRING_MAP: Shape = Shape::Map(&Shape::String);

/// `name`, of a shape.
pub(in crate::declared) const fn word(
    name: &'static str,
    shape: Shape,
    doc: &'static str,
) -> Attribute {
    Attribute::new(name, shape, doc)
}

pub(in crate::declared) const fn size(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::new(name, Shape::Text(&SIZE), doc)
}

pub(in crate::declared) const fn ids(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::new(name, Shape::Text(&IDS), doc)
}

pub(in crate::declared) const fn duration(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::new(name, Shape::Text(&DURATION), doc)
}

pub(in crate::declared) const fn path(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::new(name, Shape::Text(&PATH), doc)
}

/// A whole number from `min` to `max`.
pub(in crate::declared) const fn whole(
    name: &'static str,
    min: i64,
    max: i64,
    doc: &'static str,
) -> Attribute {
    Attribute::new(name, Shape::Whole { min, max }, doc)
}
