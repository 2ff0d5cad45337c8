package engine

import "github.com/godwit-quic/godwit/internal/path"

// Datagram is a UDP datagram that arrived. Data is decrypted in place and is
// the caller's again when the engine returns, but for what Conn.PollDatagrams returns
// then, which are parts of it.
type Datagram struct {
	Data []byte
	Path path.Addrs
	ECN  path.ECN
}

// Transmit is a train of datagrams to be sent now: Data holds datagrams of
// Segment bytes each, the last of which may be shorter. Data is a part of the
// buffer the caller gave.
type Transmit struct {
	Data    []byte
	Segment int
	Path    path.Addrs
	ECN     path.ECN
}
