//! A Docker Engine that has nothing and is told nothing: what reads it can plan, what writes to it is noticed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

use crate::support::Folder;

/// Serves until the test ends.
pub(crate) struct Engine {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    pub(crate) fn start(folder: &Folder) -> Self {
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = log.clone();
                std::thread::spawn(move || serve(stream, &log));
            }
        });
        Self {
            endpoint: format!("unix://{}", path.display()),
            asked,
        }
    }

    /// Requests that would have changed something.
    pub(crate) fn told(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        assert!(!asked.is_empty(), "nobody asked this engine");
        let writing = asked.iter().filter(|line| !line.starts_with("GET "));
        writing.cloned().collect()
    }
}

fn serve(mut stream: UnixStream, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(request)) = lines.next() {
        let _headers = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|l| !l.is_empty())
            .count();
        let (status, body) = answer(&request);
        log.lock().unwrap().push(request);
        let head = "Content-Type: application/json\r\nContent-Length";
        let text = format!("HTTP/1.1 {status}\r\n{head}: {}\r\n\r\n{body}", body.len());
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(request: &str) -> (&'static str, &'static str) {
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let has = |end: &str| path.ends_with(end);
    match () {
        () if has("/version") => ("200 OK", r#"{"Version":"26.1.5","ApiVersion":"1.45"}"#),
        () if has("/info") => ("200 OK", r#"{"ServerVersion":"26.1.5","OSType":"linux"}"#),
        () if has("/volumes") => ("200 OK", r#"{"Volumes":[]}"#),
        () if has("/json") && path.matches('/').count() == 3 || has("/networks") => {
            ("200 OK", "[]")
        }
        () => ("404 Not Found", r#"{"message":"there is nothing here"}"#),
    }
}
