//! The part of an endpoint that names a host.

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

#[cfg(test)]
mod tests {
    use super::host_and_port;

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
