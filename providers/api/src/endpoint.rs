//! The part of an endpoint that names a host, and who comes in.

use std::fmt;

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`: the host and the port.
///
/// # Errors
/// Why it is none of these.
pub fn host_and_port(place: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port.map(str::parse).transpose();
    match (host, port) {
        (_, Err(_) | Ok(Some(0))) => Err(format!("`{place}` has no port from 1 to 65535")),
        ("", _) => Err("it names no host".to_owned()),
        (host, Ok(port)) => Ok((host, port)),
    }
}

/// Who comes into which host by SSH: `[USER@]HOST[:PORT]`. The host may be a name of his ssh configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
}

impl Login {
    /// What begins with a dash would be an option of ssh; what is odd, a surprise.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, text),
        };
        let (host, port) = host_and_port(place)?;
        for word in user.into_iter().chain([host]) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
            if word.is_empty() || word.starts_with('-') || !word.chars().all(plain) {
                return Err(format!("`{word}` is no name of a user or host"));
            }
        }
        Ok(Self {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => write!(f, "{}", self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Login, host_and_port};

    #[test]
    fn logins_are_written_as_they_are_read() {
        for text in [
            "r1",
            "root@r1",
            "r1:2222",
            "me@r1.example:22",
            "me@[fe80::1%eth0]:22",
        ] {
            assert_eq!(Login::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "-oProxyCommand=x",
            "-l@r1",
            "a b",
            "r1;x",
            "r1:0x1",
            "@r1",
            "a@",
        ] {
            assert!(Login::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places() {
        assert_eq!(host_and_port("r1"), Ok(("r1", None)));
        assert_eq!(host_and_port("r1:22"), Ok(("r1", Some(22))));
        assert_eq!(host_and_port("[::1]"), Ok(("::1", None)));
        assert_eq!(host_and_port("[::1]:22"), Ok(("::1", Some(22))));
        for place in [
            "", ":22", "r1:", "r1:0", "r1:65536", "r1:a", "r1:1:2", "[::1]22x", "[]:1",
        ] {
            assert!(host_and_port(place).is_err(), "{place}");
        }
    }
}
