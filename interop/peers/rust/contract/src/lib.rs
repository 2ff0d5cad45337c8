//! What the QUIC Interop Runner asks of an endpoint: see package contract, in Go.

use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Component, Path, PathBuf},
    process::exit,
};

/// The ALPN of HTTP/0.9 over QUIC.
pub const HQ: &[u8] = b"hq-interop";
/// The longest line of a request.
pub const MAX_REQUEST: usize = 4096;

pub struct Environment {
    pub server: bool,
    pub testcase: String,
    pub requests: Vec<Request>,
    /// Where a server listens.
    pub address: SocketAddr,
    www: PathBuf,
    downloads: PathBuf,
    pub certs: PathBuf,
}

/// A URL of REQUESTS, whose host is an address.
#[derive(Clone)]
pub struct Request {
    pub address: SocketAddr,
    pub path: String,
}

impl Request {
    pub fn line(&self) -> Vec<u8> {
        format!("GET {}\r\n", self.path).into_bytes()
    }

    fn parse(url: &str) -> Option<Request> {
        let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
        let address = host.parse().ok()?;
        Some(Request { address, path: format!("/{path}") })
    }
}

impl Environment {
    pub fn read() -> Environment {
        let var = |name: &str, otherwise: &str| env::var(name).unwrap_or(otherwise.to_string());
        if !var("PROTOCOLS", "").is_empty() {
            unsupported("no WebTransport in this crate");
        }
        let server = var("ROLE", "") == "server";
        let mut requests = Vec::new();
        for url in var("REQUESTS", "").split_whitespace() {
            match Request::parse(url) {
                Some(request) => requests.push(request),
                None => fail(format!("REQUESTS has {url}")),
            }
        }
        if !server && requests.is_empty() {
            fail("REQUESTS is empty");
        }
        let Ok(address) = var("ADDRESS", "[::]:443").parse() else {
            fail("ADDRESS is no address");
        };
        Environment {
            server,
            testcase: var("TESTCASE", ""),
            requests,
            address,
            www: var("WWW", "/www").into(),
            downloads: var("DOWNLOADS", "/downloads").into(),
            certs: var("CERTS", "/certs").into(),
        }
    }

    pub fn cert(&self, name: &str) -> String {
        self.certs.join(name).to_string_lossy().into_owned()
    }

    /// What answers a request's line.
    pub fn answer(&self, line: &[u8]) -> io::Result<Vec<u8>> {
        let line = String::from_utf8_lossy(line);
        match line.trim_end().strip_prefix("GET /") {
            Some(path) => fs::read(self.www.join(inside(path))),
            None => Err(io::Error::other("not a request of HTTP/0.9")),
        }
    }

    pub fn save(&self, path: &str, content: &[u8]) -> io::Result<()> {
        fs::write(self.downloads.join(inside(path)), content)
    }
}

/// The path without what leads elsewhere.
fn inside(path: &str) -> PathBuf {
    let normal = |part: &Component| matches!(part, Component::Normal(_));
    Path::new(path).components().filter(normal).collect()
}

/// Ends the process as the runner has it for a case that an endpoint does not know.
pub fn unsupported(why: &str) -> ! {
    eprintln!("unsupported test case: {why}");
    exit(127)
}

pub fn fail(why: impl std::fmt::Display) -> ! {
    eprintln!("failed: {why}");
    exit(1)
}
