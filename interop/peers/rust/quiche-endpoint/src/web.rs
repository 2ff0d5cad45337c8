//! HTTP/3.

use std::collections::HashMap;

use contract::{Environment, Request};
use quiche::{
    Connection,
    h3::{self, Event, Header, NameValue},
};

use crate::Result;

pub struct WebServer {
    h3: h3::Connection,
    /// Answers whose header there was no room for yet: their streams, and content.
    waiting: Vec<(u64, std::io::Result<Vec<u8>>)>,
}

impl WebServer {
    pub fn new(conn: &mut Connection) -> Result<WebServer> {
        let h3 = h3::Connection::with_transport(conn, &h3::Config::new()?)?;
        Ok(WebServer { h3, waiting: Vec::new() })
    }

    /// Answers what has come: content goes into responses.
    pub fn work(&mut self, env: &Environment, conn: &mut Connection, responses: &mut HashMap<u64, (Vec<u8>, usize)>) {
        while let Ok((stream, event)) = self.h3.poll(conn) {
            let Event::Headers { list, .. } = event else { continue };
            let path = list.iter().find(|h| h.name() == b":path").map(|h| h.value().to_vec());
            let answer = env.answer(&[b"GET ", path.unwrap_or_default().as_slice()].concat());
            self.waiting.push((stream, answer));
        }
        while let Some((stream, answer)) = self.waiting.pop() {
            let status: &[u8] = if answer.is_ok() { b"200" } else { b"404" };
            if self.h3.send_response(conn, stream, &[Header::new(b":status", status)], false).is_err() {
                self.waiting.push((stream, answer));
                break;
            }
            responses.insert(stream, (answer.unwrap_or_default(), 0));
        }
    }

    /// Sends content, as much as may be.
    pub fn send(&mut self, conn: &mut Connection, stream: u64, content: &[u8]) -> quiche::Result<usize> {
        self.h3.send_body(conn, stream, content, true).map_err(|_| quiche::Error::Done)
    }
}

pub struct WebClient(h3::Connection);

impl WebClient {
    pub fn new(conn: &mut Connection) -> Result<WebClient> {
        Ok(WebClient(h3::Connection::with_transport(conn, &h3::Config::new()?)?))
    }

    /// Sends a request, and returns its stream.
    pub fn ask(&mut self, conn: &mut Connection, path: &str) -> Result<u64> {
        let fields = [
            Header::new(b":method", b"GET"),
            Header::new(b":scheme", b"https"),
            Header::new(b":authority", b"localhost"),
            Header::new(b":path", path.as_bytes()),
        ];
        Ok(self.0.send_request(conn, &fields, true)?)
    }

    /// Reads what has come, and returns how many files are whole.
    pub fn read(&mut self, conn: &mut Connection, env: &Environment, files: &mut HashMap<u64, (&Request, Vec<u8>)>) -> Result<usize> {
        let (mut done, mut buf) = (0, [0; 65535]);
        while let Ok((stream, event)) = self.0.poll(conn) {
            let Some((request, content)) = files.get_mut(&stream) else { continue };
            match event {
                Event::Data => {
                    while let Ok(n) = self.0.recv_body(conn, stream, &mut buf) {
                        content.extend_from_slice(&buf[..n]);
                    }
                }
                Event::Finished => {
                    env.save(&request.path, content)?;
                    done += 1;
                }
                _ => {}
            }
        }
        Ok(done)
    }
}
