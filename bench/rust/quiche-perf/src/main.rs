//! quiche-perf answers the QUIC performance protocol with quiche, and echoes
//! datagrams:
//!
//!     quiche-perf --listen 127.0.0.1:0 --cert FILE --key FILE
//!
//! It prints its address and serves until it is killed. quiche has no sockets;
//! the loop around it here is a single thread that sends trains of packets with
//! UDP_SEGMENT. Clients are told apart by their address, which does for a client
//! that has a socket for each connection.

mod client;
mod train;

use std::{collections::HashMap, error::Error, io, net::SocketAddr, time::Duration};

use client::Client;
use mio::{Events, Interest, Poll, Token, net::UdpSocket};
use train::Train;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The flow control windows that every peer is given, in bytes.
const WINDOW: u64 = 16 << 20;
/// The largest packet, in bytes: what an Ethernet frame holds over IPv6.
const MAX_PACKET: usize = 1452;
/// How many DATAGRAM frames are queued in each direction.
const DATAGRAMS: usize = 1024;
/// How many datagrams to read before sending.
const BATCH: usize = 64;

fn main() -> Result<()> {
    let option = |name: &str| -> Result<String> {
        let mut args = std::env::args().skip_while(|arg| arg != name);
        args.nth(1).ok_or_else(|| format!("{name} is missing").into())
    };
    let socket = UdpSocket::bind(option("--listen")?.parse()?)?;
    let config = configure(&option("--cert")?, &option("--key")?)?;
    println!("{}", socket.local_addr()?);
    Server { local: socket.local_addr()?, socket, config, clients: HashMap::new() }.run()
}

fn configure(cert: &str, key: &str) -> Result<quiche::Config> {
    let mut config = quiche::Config::new(quiche::PROTOCOL_VERSION)?;
    config.load_cert_chain_from_pem_file(cert)?;
    config.load_priv_key_from_pem_file(key)?;
    config.set_application_protos(&[b"perf"])?;
    config.set_max_idle_timeout(30_000);
    config.set_max_recv_udp_payload_size(MAX_PACKET);
    config.set_max_send_udp_payload_size(MAX_PACKET);
    config.set_initial_max_data(WINDOW);
    config.set_initial_max_stream_data_bidi_remote(WINDOW);
    config.set_max_connection_window(WINDOW);
    config.set_max_stream_window(WINDOW);
    config.set_initial_max_streams_bidi(1024);
    config.enable_dgram(true, DATAGRAMS, DATAGRAMS);
    config.enable_pacing(false); // it would need SO_TXTIME and a queueing discipline
    Ok(config)
}

struct Server {
    socket: UdpSocket,
    local: SocketAddr,
    config: quiche::Config,
    clients: HashMap<SocketAddr, Client>,
}

impl Server {
    fn run(mut self) -> Result<()> {
        let mut poll = Poll::new()?;
        poll.registry().register(&mut self.socket, Token(0), Interest::READABLE)?;
        let (mut events, mut train) = (Events::with_capacity(1), Train::new());
        let mut more = false; // the socket has not been read to its end
        loop {
            let wait = if more { Some(Duration::ZERO) } else { self.timeout() };
            match poll.poll(&mut events, wait) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            more = self.receive()?;
            for client in self.clients.values_mut() {
                client.expire();
                client.answer();
                client.send(&mut train, &self.socket)?;
            }
            self.clients.retain(|_, client| !client.conn.is_closed());
        }
    }

    /// When the first client has something to do.
    fn timeout(&self) -> Option<Duration> {
        self.clients.values().filter_map(|client| client.conn.timeout()).min()
    }

    /// Reads a batch of datagrams, and returns whether there may be more.
    fn receive(&mut self) -> Result<bool> {
        let mut datagram = [0; 65535];
        for _ in 0..BATCH {
            match self.socket.recv_from(&mut datagram) {
                Ok((len, from)) => self.handle(&mut datagram[..len], from)?,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(err) => return Err(err.into()),
            }
        }
        Ok(true)
    }

    /// Handles a datagram, which may begin a connection.
    fn handle(&mut self, datagram: &mut [u8], from: SocketAddr) -> Result<()> {
        if !self.clients.contains_key(&from) {
            match quiche::Header::from_slice(datagram, quiche::MAX_CONN_ID_LEN) {
                Ok(header) if header.ty == quiche::Type::Initial => {}
                _ => return Ok(()), // of a connection that has ended
            }
            let id: [u8; quiche::MAX_CONN_ID_LEN] = rand::random();
            let id = quiche::ConnectionId::from_ref(&id);
            let conn = quiche::accept(&id, None, self.local, from, &mut self.config)?;
            self.clients.insert(from, Client::new(conn));
        }
        if let Some(client) = self.clients.get_mut(&from) {
            // An error ends the connection, which is_closed tells.
            let _ = client.conn.recv(datagram, quiche::RecvInfo { from, to: self.local });
        }
        Ok(())
    }
}
