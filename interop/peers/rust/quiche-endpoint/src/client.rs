//! The client.

use std::{collections::HashMap, net::UdpSocket, time::Instant};

use contract::{Environment, Request};
use quiche::{Config, Connection, RecvInfo};

use crate::{Result, TICK, config, flush, log_keys, random_id, web::WebClient};

pub fn fetch(env: &Environment) -> Result<()> {
    let mut config = config(env)?;
    let all = &env.requests;
    match env.testcase.as_str() {
        "multiconnect" => {
            for request in all {
                connection(env, &mut config, std::slice::from_ref(request), None)?;
            }
        }
        "resumption" | "zerortt" => {
            let session = connection(env, &mut config, &all[..1], None)?;
            let session = session.ok_or("the server has sent no session ticket")?;
            connection(env, &mut config, &all[1..], Some(session))?;
        }
        _ => drop(connection(env, &mut config, all, None)?),
    }
    Ok(())
}

/// Sends requests as far as flow control lets them.
fn send(conn: &mut Connection, unsent: &mut Vec<(u64, Vec<u8>)>) -> Result<()> {
    while let Some((stream, line)) = unsent.first_mut() {
        match conn.stream_send(*stream, line, true) {
            Ok(n) => drop(line.drain(..n)),
            Err(quiche::Error::Done) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        if line.is_empty() {
            unsent.remove(0);
        }
    }
    Ok(())
}

/// How long to wait for a ticket when the files have come.
const TICKETS: std::time::Duration = std::time::Duration::from_millis(300);

/// Fetches files over a connection, and returns its session.
fn connection(env: &Environment, config: &mut Config, requests: &[Request], session: Option<Vec<u8>>) -> Result<Option<Vec<u8>>> {
    let server = requests[0].address;
    let socket = UdpSocket::bind(if server.is_ipv6() { "[::1]:0" } else { "127.0.0.1:0" })?;
    socket.set_read_timeout(Some(TICK))?;
    let local = socket.local_addr()?;
    let mut conn = quiche::connect(Some("localhost"), &random_id(), local, server, config)?;
    log_keys(&mut conn);
    let early = env.testcase == "zerortt" && session.is_some();
    let resumes = session.is_some();
    if let Some(session) = session {
        conn.set_session(&session)?;
    }
    let mut unsent = Vec::new();
    let (mut asked, mut files, mut web, mut done, mut ended) = (0, HashMap::new(), None, 0, None);
    let mut buf = [0; 65535];
    flush(&mut conn, &socket)?;
    while !conn.is_closed() {
        if conn.is_established() || conn.is_in_early_data() {
            if env.testcase == "http3" && web.is_none() {
                web = Some(WebClient::new(&mut conn)?);
            }
            while asked < requests.len() && unsent.is_empty() && conn.peer_streams_left_bidi() > 0 {
                let request = &requests[asked];
                let stream = match &mut web {
                    Some(web) => web.ask(&mut conn, &request.path)?,
                    None => {
                        let stream = 4 * asked as u64;
                        unsent.push((stream, request.line()));
                        stream
                    }
                };
                files.insert(stream, (request, Vec::new()));
                asked += 1;
                send(&mut conn, &mut unsent)?;
            }
            send(&mut conn, &mut unsent)?;
        }
        flush(&mut conn, &socket)?;
        while let Ok((n, from)) = socket.recv_from(&mut buf) {
            let _ = conn.recv(&mut buf[..n], RecvInfo { from, to: local }); // what is wrong is dropped
            if let Some(web) = &mut web {
                done += web.read(&mut conn, env, &mut files)?;
            } else {
                for stream in conn.readable() {
                    while let Ok((n, fin)) = conn.stream_recv(stream, &mut buf) {
                        let Some((request, content)) = files.get_mut(&stream) else { continue };
                        content.extend_from_slice(&buf[..n]);
                        if fin {
                            env.save(&request.path, content)?;
                            done += 1;
                        }
                    }
                }
            }
            flush(&mut conn, &socket)?;
        }
        if conn.timeout().is_some_and(|t| t.is_zero()) {
            conn.on_timeout();
        }
        if done == requests.len() {
            let since: &mut Instant = ended.get_or_insert_with(Instant::now);
            let waits = conn.session().is_none() && !resumes && since.elapsed() < TICKETS;
            if !waits && conn.is_established() {
                break;
            }
        }
    }
    if done < requests.len() {
        return Err(format!("closed with {done} files of {}: {:?}", requests.len(), conn.peer_error()).into());
    }
    if resumes && !conn.is_resumed() {
        return Err("the server has not resumed the session".into());
    }
    const ACCEPTED: u32 = 2; // ssl_early_data_accepted, of BoringSSL
    if early && conn.early_data_reason() != ACCEPTED {
        return Err(format!("no early data: BoringSSL's reason {}", conn.early_data_reason()).into());
    }
    let session = conn.session().map(<[u8]>::to_vec);
    let _ = conn.close(true, 0, b""); // it is done anyway
    flush(&mut conn, &socket)?;
    Ok(session)
}
