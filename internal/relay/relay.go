// Package relay carries datagrams from one process to another that has the same sockets:
// those of connections that live there. A Link joins two event loops, one of each process.
//
//	ours, theirs, err := relay.Pair() // theirs goes to the other process
//	go ours.Run(func(d engine.Datagram) { … })
//	ours.Pass(datagram)
package relay

import (
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
)

// Before a datagram there are its ECN mark and the lengths of two addresses, and those,
// each of 18 bytes and a zone at most, of which an interface's name has 15.
const (
	lengths   = 3
	maxHeader = lengths + 2*(18+32)
)

// maxDatagram is the largest datagram of UDP.
const maxDatagram = 65535

// Link is one end. Pass belongs to the loop's goroutine, and Run has one of its own.
type Link struct {
	conn *net.UnixConn
	raw  syscall.RawConn
	buf  []byte

	send func(fd uintptr) bool // made once, as a closure costs an allocation
	sent bool                  // by send
}

// Open makes a Link of the end that another process has made. It takes over f.
func Open(f *os.File) (*Link, error) {
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("relay: not a Unix socket")
	}
	l := &Link{conn: u, buf: make([]byte, 0, maxHeader+maxDatagram)}
	l.raw, err = u.SyscallConn()
	l.send = l.trySend
	return l, err
}

// Pass sends a datagram to the other end, and reports whether it could: it does not wait
// for room.
func (l *Link) Pass(d engine.Datagram) bool {
	b := append(l.buf[:0], byte(d.ECN), 0, 0)
	b, _ = d.Path.Remote.AppendBinary(b) // neither of which fails
	remote := len(b) - lengths
	b, _ = d.Path.Local.AppendBinary(b)
	b[1], b[2] = byte(remote), byte(len(b)-lengths-remote)
	l.buf = append(b, d.Data...)
	return l.raw.Write(l.send) == nil && l.sent
}

// A message of one byte, which is no datagram, says who reads the socket.
const (
	keptHere = iota
	leftBehind
)

// Leave tells the other end whether this one has left the socket to a third process, so that
// nobody need read it when the link ends. It is as Pass is, and may get lost like that.
func (l *Link) Leave(left bool) bool {
	word := byte(keptHere)
	if left {
		word = leftBehind
	}
	l.buf = append(l.buf[:0], word)
	return l.raw.Write(l.send) == nil && l.sent
}

// Run calls take for each datagram that comes, until the other end is closed or this one
// is. The datagram is take's. Run reports whether the other end has said Leave.
func (l *Link) Run(take func(engine.Datagram)) (left bool) {
	buf := make([]byte, maxHeader+maxDatagram)
	for {
		n, err := l.conn.Read(buf)
		if err != nil {
			return left
		}
		if n == 1 {
			left = buf[0] == leftBehind
		} else if d, ok := parse(buf[:n]); ok {
			d.Data = append([]byte(nil), d.Data...)
			take(d)
		}
	}
}

// parse reads a datagram as Pass has written it, which its Data aliases.
func parse(b []byte) (d engine.Datagram, ok bool) {
	if len(b) < lengths || len(b) < lengths+int(b[1])+int(b[2]) {
		return d, false
	}
	d.ECN = path.ECN(b[0])
	remote := b[lengths:][:b[1]]
	local := b[lengths:][b[1]:][:b[2]]
	d.Data = b[lengths+len(remote)+len(local):]
	return d, d.Path.Remote.UnmarshalBinary(remote) == nil && d.Path.Local.UnmarshalBinary(local) == nil
}

// Close ends the link, at the other end as well.
func (l *Link) Close() { _ = l.conn.Close() }
