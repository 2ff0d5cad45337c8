//! A connection and its streams.

use std::{collections::HashMap, io, time::Duration};

use mio::net::UdpSocket;
use quiche::{Connection, Error};

use crate::{MAX_PACKET, train::Train};

/// How many bytes are written at a time, as Godwit's own server does.
const PIECE: usize = 256 << 10;

static ZEROS: [u8; PIECE] = [0; PIECE];

pub struct Client {
    pub conn: Connection,
    streams: HashMap<u64, Stream>,
}

/// A stream whose request is being read or answered.
#[derive(Default)]
struct Stream {
    head: Vec<u8>, // of the request: 8 bytes with a count
    left: u64,     // of the answer, in bytes
    answering: bool,
}

impl Client {
    pub fn new(conn: Connection) -> Self {
        Self { conn, streams: HashMap::new() }
    }

    /// Does what the connection's timer is for, if it is time.
    pub fn expire(&mut self) {
        if self.conn.timeout() == Some(Duration::ZERO) {
            self.conn.on_timeout();
        }
    }

    /// Reads requests and writes as much of the answers as the connection takes.
    /// Datagrams go back at once.
    pub fn answer(&mut self) {
        let mut datagram = [0; MAX_PACKET];
        while let Ok(len) = self.conn.dgram_recv(&mut datagram) {
            let _ = self.conn.dgram_send(&datagram[..len]); // may get lost
        }
        for id in self.conn.readable() {
            self.read(id);
        }
        let conn = &mut self.conn;
        self.streams.retain(|&id, stream| !stream.answering || stream.write(conn, id));
    }

    fn read(&mut self, id: u64) {
        let mut buf = [0; 4096];
        let stream = self.streams.entry(id).or_default();
        while let Ok((len, fin)) = self.conn.stream_recv(id, &mut buf) {
            let missing = 8usize.saturating_sub(stream.head.len());
            stream.head.extend_from_slice(&buf[..len.min(missing)]);
            if fin {
                let head = stream.head.as_slice().try_into();
                stream.left = head.map_or(0, u64::from_be_bytes);
                stream.answering = true;
            }
        }
    }

    /// Sends what there is to send, in trains of packets of the same size.
    pub fn send(&mut self, train: &mut Train, socket: &UdpSocket) -> io::Result<()> {
        let mut quantum = 0;
        loop {
            if train.len() + MAX_PACKET > train.capacity().min(quantum) {
                train.flush(socket)?;
                quantum = self.conn.send_quantum().max(MAX_PACKET);
            }
            match self.conn.send(train.room(MAX_PACKET)) {
                Ok((len, info)) => train.add(len, info.to, socket)?,
                Err(_) => return train.flush(socket), // nothing, or is_closed tells
            }
        }
    }
}

impl Stream {
    /// Returns false when the answer is complete or not wanted any more.
    fn write(&mut self, conn: &mut Connection, id: u64) -> bool {
        loop {
            let len = self.left.min(PIECE as u64);
            let fin = len == self.left;
            match conn.stream_send(id, &ZEROS[..len as usize], fin) {
                Ok(written) => {
                    self.left -= written as u64;
                    if fin && self.left == 0 {
                        return false;
                    }
                    if (written as u64) < len {
                        return true;
                    }
                }
                Err(Error::Done) => return true,
                Err(_) => return false,
            }
        }
    }
}
