package quic

// TransportStats are a transport's counters at one moment.
type TransportStats struct {
	Connections       int    // not yet forgotten
	Accepted, Dialled uint64 // connections begun

	// Datagrams and their payload, and the system calls for them.
	ReceivedDatagrams, ReceivedBytes, ReceiveCalls uint64
	SentDatagrams, SentBytes, SendCalls            uint64

	// Datagrams that no connection took.
	Malformed      uint64 // not a QUIC packet
	UnknownID      uint64 // for a connection that is not known
	UnknownVersion uint64 // of a version of QUIC that is not spoken here
	TooShort       uint64 // a first packet below 1200 bytes (RFC 9000, Section 14.1)
	NotAuthentic   uint64 // a first packet that does not decrypt
	InvalidToken   uint64 // with an address validation token that is not ours, or too old
	Refused        uint64 // not listening, or too many handshakes under way

	// Answers to them.
	VersionsSent   uint64 // Version Negotiation
	RetriesSent    uint64 // Retry
	ResetsSent     uint64 // stateless resets
	ResetsReceived uint64 // stateless resets of the peers'

	// ReceiveDrops and SendDrops count datagrams that the socket gave up:
	// larger than any receive buffer, or no room in the kernel for too long.
	ReceiveDrops, SendDrops uint64
	// SocketErrors counts errors of the system that were ignored, e.g. because
	// of ICMP messages.
	SocketErrors uint64

	// GSO, GRO and ECN tell which facilities of the system are in use.
	GSO, GRO, ECN bool
	// ReadBuffer and WriteBuffer are the sizes in bytes that the kernel gave
	// the socket's buffers, 0 if it does not tell.
	ReadBuffer, WriteBuffer int
}

// Stats returns the transport's counters.
func (t *Transport) Stats() TransportStats {
	l, s := t.loop.Stats(), t.loop.SocketStats()
	e := l.Endpoint
	return TransportStats{
		Connections: l.Conns, Accepted: e.Accepted, Dialled: e.Dialled,
		ReceivedDatagrams: s.ReceivedDatagrams, ReceivedBytes: s.ReceivedBytes, ReceiveCalls: s.ReceiveCalls,
		SentDatagrams: s.SentDatagrams, SentBytes: s.SentBytes, SendCalls: s.SendCalls,
		Malformed: e.Malformed, UnknownID: e.UnknownID, UnknownVersion: e.UnknownVersion, TooShort: e.TooShort,
		NotAuthentic: e.NotAuthentic, InvalidToken: e.InvalidToken, Refused: e.Refused,
		VersionsSent: e.VersionsSent, RetriesSent: e.RetriesSent,
		ResetsSent: e.ResetsSent, ResetsReceived: e.ResetsReceived,
		ReceiveDrops: s.ReceiveDrops, SendDrops: s.SendDrops, SocketErrors: s.ReceiveErrors + s.SendErrors,
		GSO: s.GSO, GRO: s.GRO, ECN: s.ECN, ReadBuffer: s.ReadBuffer, WriteBuffer: s.WriteBuffer,
	}
}
