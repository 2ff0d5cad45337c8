//! The server.

use std::{collections::HashMap, net::UdpSocket};

use contract::{Environment, MAX_REQUEST};
use quiche::{Config, Connection, ConnectionId, Header, RecvInfo, Type};

use crate::{MAX_PACKET, Result, TICK, config, flush, log_keys, random_id, web::WebServer};

/// What a token begins with; the rest is the first destination ID. It proves nothing, which
/// does for tests.
const TOKEN: &[u8] = b"token";

struct Client {
    conn: Connection,
    requests: HashMap<u64, Vec<u8>>,
    /// What is left of responses, and how much has been sent.
    responses: HashMap<u64, (Vec<u8>, usize)>,
    web: Option<WebServer>,
}

pub fn serve(env: &Environment) -> Result<()> {
    let mut config = config(env)?;
    config.load_cert_chain_from_pem_file(&env.cert("cert.pem"))?;
    config.load_priv_key_from_pem_file(&env.cert("priv.key"))?;
    let socket = UdpSocket::bind(env.address)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut ids: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut buf = [0; 65535];
    loop {
        let wait = clients.iter().filter_map(|c| c.conn.timeout()).min().unwrap_or(TICK).clamp(TICK / 10, TICK);
        socket.set_read_timeout(Some(wait))?;
        while let Ok((n, from)) = socket.recv_from(&mut buf) {
            let Ok(header) = Header::from_slice(&mut buf[..n], 16) else { continue };
            let known = ids.get(header.dcid.as_ref()).copied();
            let at = match known.or_else(|| accept(env, &mut config, &socket, &header, from, &mut clients, &mut ids)) {
                Some(at) => at,
                None => continue,
            };
            let info = RecvInfo { from, to: env.address };
            if clients[at].conn.recv(&mut buf[..n], info).is_ok() {
                clients[at].work(env)?;
            } else if known.is_none() {
                // The first packet came changed: the next one begins anew.
                ids.retain(|_, &mut known| known != at);
                clients.pop();
                continue;
            }
            flush(&mut clients[at].conn, &socket)?;
            socket.set_read_timeout(Some(TICK / 10))?;
        }
        for (at, client) in clients.iter_mut().enumerate() {
            if client.conn.timeout().is_some_and(|t| t.is_zero()) {
                client.conn.on_timeout();
            }
            client.work(env)?;
            while client.conn.is_established() && client.conn.scids_left() > 0 {
                let id = random_id();
                ids.insert(id.to_vec(), at);
                client.conn.new_scid(&id, rand::random(), false)?;
            }
            flush(&mut client.conn, &socket)?;
        }
    }
}

/// Makes a connection for an Initial packet, or answers it otherwise.
fn accept(
    env: &Environment,
    config: &mut Config,
    socket: &UdpSocket,
    header: &Header,
    from: std::net::SocketAddr,
    clients: &mut Vec<Client>,
    ids: &mut HashMap<Vec<u8>, usize>,
) -> Option<usize> {
    if header.ty != Type::Initial {
        return None;
    }
    let mut out = [0; MAX_PACKET];
    if !quiche::version_is_supported(header.version) {
        let n = quiche::negotiate_version(&header.scid, &header.dcid, &mut out).ok()?;
        socket.send_to(&out[..n], from).ok()?;
        return None;
    }
    let (mut id, mut original) = (random_id(), None);
    let token = header.token.clone().unwrap_or_default();
    if env.testcase == "retry" {
        let Some(first) = token.strip_prefix(TOKEN) else {
            let token = [TOKEN, header.dcid.as_ref()].concat();
            let n = quiche::retry(&header.scid, &header.dcid, &id, &token, header.version, &mut out).ok()?;
            socket.send_to(&out[..n], from).ok()?;
            return None;
        };
        original = Some(ConnectionId::from_vec(first.to_vec()));
        id = ConnectionId::from_vec(header.dcid.to_vec());
    }
    let mut conn = quiche::accept(&id, original.as_ref(), env.address, from, config).ok()?;
    log_keys(&mut conn);
    let at = clients.len();
    ids.insert(id.to_vec(), at);
    ids.insert(header.dcid.to_vec(), at);
    clients.push(Client { conn, requests: HashMap::new(), responses: HashMap::new(), web: None });
    Some(at)
}

impl Client {
    fn work(&mut self, env: &Environment) -> Result<()> {
        if !self.conn.is_established() && !self.conn.is_in_early_data() {
            return Ok(());
        }
        if env.testcase == "http3" {
            if self.web.is_none() {
                self.web = Some(WebServer::new(&mut self.conn)?);
            }
            if let Some(web) = &mut self.web {
                web.work(env, &mut self.conn, &mut self.responses);
            }
        } else {
            self.read(env);
        }
        self.write();
        Ok(())
    }

    fn read(&mut self, env: &Environment) {
        let mut buf = [0; MAX_REQUEST];
        for stream in self.conn.readable() {
            while let Ok((n, fin)) = self.conn.stream_recv(stream, &mut buf) {
                let line = self.requests.entry(stream).or_default();
                line.extend_from_slice(&buf[..n]);
                if fin {
                    match env.answer(line) {
                        Ok(content) => drop(self.responses.insert(stream, (content, 0))),
                        Err(_) => drop(self.conn.stream_shutdown(stream, quiche::Shutdown::Write, 1)),
                    }
                    break;
                }
            }
        }
    }

    /// Writes what flow control allows of responses over HTTP/0.9, or of HTTP/3's content.
    fn write(&mut self) {
        let (conn, web) = (&mut self.conn, &mut self.web);
        self.responses.retain(|&stream, (content, sent)| {
            loop {
                let rest = &content[*sent..];
                let wrote = match web {
                    Some(web) => web.send(conn, stream, rest),
                    None => conn.stream_send(stream, rest, true),
                };
                match wrote {
                    Ok(n) => *sent += n,
                    Err(_) => return true, // blocked, or over
                }
                if *sent == content.len() {
                    return false;
                }
            }
        });
    }
}
