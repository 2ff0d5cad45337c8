//! A WebTransport peer for tests, made with web-transport-quinn.
//!
//!     godwit-peer server CERTIFICATE KEY
//!     godwit-peer client URL HASH
//!
//! The server takes files in DER, prints its address, and then how each session
//! ended. The client goes through what it knows at a server that has certain
//! paths, and prints what worked.

mod client;
mod echo;
mod server;

/// Any error will do: it is printed.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["server", certificate, key] => server::run(certificate, key).await,
        ["client", url, hash] => client::run(url, hash).await,
        _ => Err("usage: server CERTIFICATE KEY | client URL HASH".into()),
    }
}
