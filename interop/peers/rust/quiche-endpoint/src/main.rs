//! quiche as the QUIC Interop Runner wants it. quiche has no sockets: the loop around it
//! here is one thread.

mod client;
mod server;
mod web;

use std::{env, error::Error, fs, net::UdpSocket, time::Duration};

use contract::{Environment, HQ, fail, unsupported};
use quiche::{Config, Connection, ConnectionId};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MAX_PACKET: usize = 1350;
/// How long to wait for a datagram at most.
const TICK: Duration = Duration::from_millis(5);

fn main() {
    let env = Environment::read();
    match env.testcase.as_str() {
        "handshake" | "transfer" | "resumption" | "multiconnect" | "zerortt" | "retry" | "http3" => {}
        "chacha20" => unsupported("quiche has no setting for the cipher suites of TLS 1.3"),
        "v2" => unsupported("quiche knows version 1 alone"),
        "keyupdate" => unsupported("quiche follows key updates and begins none"),
        other => unsupported(other),
    }
    let done = if env.server { server::serve(&env) } else { client::fetch(&env) };
    if let Err(e) = done {
        fail(e);
    }
}

fn config(env: &Environment) -> Result<Config> {
    let mut config = Config::new(quiche::PROTOCOL_VERSION)?;
    let proto = if env.testcase == "http3" { b"h3" } else { HQ };
    config.set_application_protos(&[proto])?;
    config.set_max_idle_timeout(60_000);
    config.set_max_recv_udp_payload_size(MAX_PACKET);
    config.set_max_send_udp_payload_size(MAX_PACKET);
    let (data, stream) = if env.testcase == "transfer" { (128 << 10, 64 << 10) } else { (10 << 20, 1 << 20) };
    config.set_initial_max_data(data);
    config.set_initial_max_stream_data_bidi_local(stream);
    config.set_initial_max_stream_data_bidi_remote(stream);
    config.set_initial_max_stream_data_uni(stream);
    config.set_initial_max_streams_bidi(100);
    config.set_initial_max_streams_uni(10);
    config.set_active_connection_id_limit(4);
    config.verify_peer(false);
    config.log_keys();
    if env.testcase == "zerortt" {
        config.enable_early_data();
    }
    Ok(config)
}

fn log_keys(conn: &mut Connection) {
    if let Ok(name) = env::var("SSLKEYLOGFILE")
        && let Ok(file) = fs::OpenOptions::new().create(true).append(true).open(name)
    {
        conn.set_keylog(Box::new(file));
    }
}

fn random_id() -> ConnectionId<'static> {
    ConnectionId::from_vec(rand::random::<[u8; 16]>().to_vec())
}

/// Sends what a connection has.
fn flush(conn: &mut Connection, socket: &UdpSocket) -> Result<()> {
    let mut out = [0; MAX_PACKET];
    loop {
        match conn.send(&mut out) {
            Ok((n, info)) => drop(socket.send_to(&out[..n], info.to)), // it may get lost
            Err(quiche::Error::Done) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}
