package quic

import "github.com/godwit-quic/godwit/internal/loop"

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
	InvalidToken   uint64 // with an address validation token that is not ours, too old, or used before
	Refused        uint64 // not listening, or too many clients

	// Shed counts datagrams that were dropped because more came than an event loop can
	// handle, and who sent them had a share of it while others waited.
	Shed uint64

	// NonQUICDropped counts packets that Transport.NonQUIC had no room for.
	NonQUICDropped uint64

	// TokensAccepted counts connections whose client proved its address with a token of a
	// connection before.
	TokensAccepted uint64
	// Handshakes is how many of clients are under way. BufferedBytes is what buffers
	// hold of TransportConfig.MaxBufferedBytes, in steps of some KiB, and Evicted how
	// many connections were closed because that was used up.
	Handshakes    int
	BufferedBytes int64
	Evicted       uint64
	// First packets of clients that got no connection, by the limit of
	// TransportConfig that they met: asked for proof (RetryThreshold), ignored (MaxHandshakes,
	// MaxHandshakesPerSource) and refused (MaxConnections, MaxConnectionsPerSource).
	OverRetryThreshold                        uint64
	OverHandshakes, OverHandshakesPerSource   uint64
	OverConnections, OverConnectionsPerSource uint64

	// Answers to them.
	VersionsSent   uint64 // Version Negotiation
	RetriesSent    uint64 // Retry
	ResetsSent     uint64 // stateless resets
	ClosesSent     uint64 // CONNECTION_CLOSE, for CONNECTION_REFUSED and INVALID_TOKEN
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
	// each socket's buffers, 0 if it does not tell.
	ReadBuffer, WriteBuffer int
}

// Stats returns the transport's counters.
func (t *Transport) Stats() TransportStats {
	var sum TransportStats
	for _, w := range t.workers {
		sum.add(w.Loop)
	}
	sum.NonQUICDropped = t.nonQUIC.lost()
	g := t.gate.Stats()
	sum.Handshakes = g.Handshakes
	sum.OverRetryThreshold = g.AskedForProof
	sum.OverHandshakes, sum.OverHandshakesPerSource = g.HandshakesIgnored, g.HandshakesOfSource
	sum.OverConnections, sum.OverConnectionsPerSource = g.ConnsRefused, g.ConnsOfSource
	if t.memory != nil {
		sum.BufferedBytes = t.memory.Used()
	}
	return sum
}

// add adds the counters of one loop.
func (t *TransportStats) add(l *loop.Loop) {
	stats, s := l.Stats(), l.SocketStats()
	e := stats.Endpoint
	t.Connections += stats.Conns
	t.Accepted += e.Accepted
	t.Dialled += e.Dialled
	t.ReceivedDatagrams += s.ReceivedDatagrams
	t.ReceivedBytes += s.ReceivedBytes
	t.ReceiveCalls += s.ReceiveCalls
	t.SentDatagrams += s.SentDatagrams
	t.SentBytes += s.SentBytes
	t.SendCalls += s.SendCalls
	t.Malformed += e.Malformed
	t.UnknownID += e.UnknownID
	t.UnknownVersion += e.UnknownVersion
	t.TooShort += e.TooShort
	t.NotAuthentic += e.NotAuthentic
	t.InvalidToken += e.InvalidToken
	t.TokensAccepted += e.TokensAccepted
	t.Refused += e.Refused
	t.VersionsSent += e.VersionsSent
	t.RetriesSent += e.RetriesSent
	t.ResetsSent += e.ResetsSent
	t.ClosesSent += e.ClosesSent
	t.Evicted += stats.Evicted
	t.Shed += stats.Shed
	t.ResetsReceived += e.ResetsReceived
	t.ReceiveDrops += s.ReceiveDrops
	t.SendDrops += s.SendDrops
	t.SocketErrors += s.ReceiveErrors + s.SendErrors
	t.GSO, t.GRO, t.ECN = s.GSO, s.GRO, s.ECN
	t.ReadBuffer, t.WriteBuffer = s.ReadBuffer, s.WriteBuffer
}
