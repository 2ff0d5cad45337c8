//! Packets of the same size that leave in one system call.

use std::{io, mem, net::SocketAddr, os::fd::AsRawFd, ptr};

use mio::net::UdpSocket;
use socket2::SockAddr;

/// The most that a UDP datagram, and so a train, may have, in bytes.
const CAPACITY: usize = 65507;
/// The most packets that Linux takes at once.
const MAX_PACKETS: usize = 64;

pub struct Train {
    buf: Vec<u8>,
    len: usize,     // of all packets, in bytes
    segment: usize, // the size of all packets but the last, which may be shorter
    count: usize,   // of packets
    to: Option<SocketAddr>,
}

impl Train {
    pub fn new() -> Self {
        Self { buf: vec![0; CAPACITY], len: 0, segment: 0, count: 0, to: None }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn capacity(&self) -> usize {
        CAPACITY
    }

    /// Where the next packet goes, which add is told of.
    pub fn room(&mut self, size: usize) -> &mut [u8] {
        &mut self.buf[self.len..self.len + size]
    }

    /// Adds a packet of len bytes, and sends the train when it can take no more.
    pub fn add(&mut self, len: usize, to: SocketAddr, socket: &UdpSocket) -> io::Result<()> {
        if self.count > 0 && (len > self.segment || self.to != Some(to)) {
            let start = self.len;
            self.flush(socket)?;
            self.buf.copy_within(start..start + len, 0);
        }
        if self.count == 0 {
            (self.segment, self.to) = (len, Some(to));
        }
        self.len += len;
        self.count += 1;
        if len < self.segment || self.count == MAX_PACKETS {
            return self.flush(socket);
        }
        Ok(())
    }

    /// Sends the train. What the kernel has no room for is lost, like on a link.
    pub fn flush(&mut self, socket: &UdpSocket) -> io::Result<()> {
        let Some(to) = self.to.take() else { return Ok(()) };
        let sent = send(socket, &mut self.buf[..self.len], self.segment as u16, to);
        (self.len, self.count) = (0, 0);
        match sent {
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => Ok(()),
            other => other,
        }
    }
}

/// Sends bytes as datagrams of segment bytes with one call of sendmsg.
fn send(socket: &UdpSocket, bytes: &mut [u8], segment: u16, to: SocketAddr) -> io::Result<()> {
    let to = SockAddr::from(to);
    let mut iov = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut control = [0u64; 4]; // aligned as a cmsghdr has to be
    // SAFETY: all pointers in the message are to local values with the sizes
    // given, and the control message fits into its buffer.
    let sent = unsafe {
        let mut msg: libc::msghdr = mem::zeroed();
        msg.msg_name = to.as_ptr().cast_mut().cast();
        msg.msg_namelen = to.len();
        msg.msg_iov = &mut iov;
        msg.msg_iovlen = 1;
        msg.msg_control = control.as_mut_ptr().cast();
        msg.msg_controllen = libc::CMSG_SPACE(mem::size_of::<u16>() as u32) as usize;
        let cmsg = libc::CMSG_FIRSTHDR(&msg);
        (*cmsg).cmsg_level = libc::SOL_UDP;
        (*cmsg).cmsg_type = libc::UDP_SEGMENT;
        (*cmsg).cmsg_len = libc::CMSG_LEN(mem::size_of::<u16>() as u32) as usize;
        ptr::write_unaligned(libc::CMSG_DATA(cmsg).cast(), segment);
        libc::sendmsg(socket.as_raw_fd(), &msg, 0)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
