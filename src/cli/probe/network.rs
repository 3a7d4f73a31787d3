//! Round trips, and the way in which a probe elsewhere is asked: who connects gets a line with what was found, and from
//! then on every byte back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::figure::{Figure, Found};
use super::{Subject, look, pace};

/// So long a probe may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Answers one after the other: two at once would measure each other.
pub(super) fn serve(listener: &TcpListener, subject: &Subject) {
    for stream in listener.incoming().flatten() {
        // Who went away has no answer.
        let _gone = answer(stream, subject);
    }
}

fn answer(mut stream: TcpStream, subject: &Subject) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Whether somebody is there at all is asked as well: who says nothing is told nothing.
    let mut asked = [0];
    stream.read_exact(&mut asked)?;
    let mut line = serde_json::to_string(&look(subject))?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    echo(stream)
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {
        stream.write_all(&byte)?;
    }
    Ok(())
}

/// What is found there, and how far it is from here.
pub(super) fn ask(address: SocketAddr, span: Duration) -> Result<Found, String> {
    let asked = || -> io::Result<Found> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        (&stream).write_all(b"?")?;
        let mut line = String::new();
        let mut reader = BufReader::new(&stream);
        reader.read_line(&mut line)?;
        let mut found: Found = serde_json::from_str(&line)?;
        let trip = round_trip(&stream, span).map_err(|e| e.to_string());
        found.set(Figure::RoundTrip, trip);
        Ok(found)
    };
    asked().map_err(|e| format!("asking {address}: {e}"))
}

/// In us.
pub(super) fn loopback(span: Duration) -> Result<f64, String> {
    let tried = || -> io::Result<f64> {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0))?;
        let address = listener.local_addr()?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        std::thread::scope(|scope| {
            let other = scope.spawn(move || {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                echo(stream)
            });
            let trip = round_trip(&stream, span);
            drop(stream);
            let _ended = other.join();
            trip
        })
    };
    tried().map_err(|e| e.to_string())
}

fn round_trip(mut stream: &TcpStream, span: Duration) -> io::Result<f64> {
    let mut byte = [0];
    let seconds = pace::median(span, || {
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)
    })?;
    Ok(seconds * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_named() {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let why = ask(address, Duration::ZERO).unwrap_err();
        assert!(why.starts_with(&format!("asking {address}: ")), "{why}");
    }

    #[test]
    fn a_probe_is_asked_over_a_connection() {
        let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let subject = Subject {
            buffer_bytes: 1 << 16,
            disk: None,
        };
        std::thread::spawn(move || serve(&listener, &subject));
        let found = ask(address, Duration::ZERO).unwrap();
        for figure in [
            Figure::Cpu,
            Figure::MemoryLatency,
            Figure::Loopback,
            Figure::RoundTrip,
        ] {
            assert!(found.figures[&figure].is_some(), "{figure:?}: {found:?}");
        }
        assert_eq!(found.unknown[&Figure::DiskReadLatency], "no disk was given");
        assert_eq!(found.figures.len(), Figure::ALL.len());
    }
}
