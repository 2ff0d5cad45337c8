package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// answers are the packets that belong to no connection, waiting to be sent.
type answers struct {
	list   []answer
	made   [numAnswerKinds]int // of list
	resets int                 // stateless resets in the second that began at second
	second monotime.Time
}

type answer struct {
	path path.Addrs
	data []byte
}

// answerKind is what an answer says.
type answerKind uint8

const (
	answerVersions answerKind = iota // Version Negotiation
	answerRetry
	answerReset // stateless
	answerClose // CONNECTION_CLOSE without a connection
	numAnswerKinds
)

// maxAnswers bounds the answers of a kind made between two polls: a flood of
// strange packets is mostly dropped. Answers are lost datagrams at worst. Each kind
// has its own, so that a flood which is answered in one way does not keep honest
// clients from an answer of another.
var maxAnswers = [numAnswerKinds]int{
	answerVersions: 64,
	answerRetry:    256, // as many as may be honest: a burst of clients
	answerReset:    64,
	answerClose:    64,
}

// next returns an empty buffer for an answer, nil when too many wait.
func (a *answers) next(kind answerKind) []byte {
	if a.made[kind] >= maxAnswers[kind] {
		return nil
	}
	return make([]byte, 0, 256)
}

func (a *answers) push(kind answerKind, to path.Addrs, data []byte) {
	a.made[kind]++
	a.list = append(a.list, answer{to, data})
}

// allowReset reports whether another stateless reset may be sent now.
func (a *answers) allowReset(now monotime.Time) bool {
	if now.Sub(a.second) >= time.Second {
		a.second, a.resets = now, 0
	}
	a.resets++
	return a.resets <= resetsPerSecond
}

// PollTransmit returns the next answer to a packet of no connection, copied
// into buf, which has room for at least 1200 bytes.
func (e *Endpoint) PollTransmit(buf []byte) (Transmit, bool) {
	if len(e.answers.list) == 0 {
		return Transmit{}, false
	}
	a := e.answers.list[0]
	e.answers.list = e.answers.list[1:]
	if len(e.answers.list) == 0 {
		e.answers.list, e.answers.made = nil, [numAnswerKinds]int{}
	}
	data := buf[:copy(buf, a.data)]
	return Transmit{Data: data, Segment: len(data), Path: a.path}, true
}

// negotiateVersion answers a version not spoken here (RFC 9000, Section 6.1).
// Only full-sized datagrams are answered, so that nothing is amplified.
func (e *Endpoint) negotiateVersion(d *Datagram, inv *wire.Invariant) {
	if e.server == nil || len(d.Data) < minDatagramSize {
		return
	}
	out := e.answers.next(answerVersions)
	if out == nil {
		return
	}
	random := byte(e.source.Uint64())
	versions := e.greased(e.server.Config.Versions, inv.Version)
	out = wire.AppendVersionNegotiation(out, inv.SrcID, inv.DstID, random, versions)
	e.answers.push(answerVersions, d.Path, out)
	e.stats.VersionsSent++
}

// Stateless resets (RFC 9000, Section 10.3).
const (
	// minResetLen is the shortest packet that is one: 5 bytes that look like a
	// short header, and the token.
	minResetLen = 5 + 16
	// maxResetLen hides the length of real packets well enough.
	maxResetLen = 42
	// resetsPerSecond bounds what a flood of strange packets, or an endless
	// exchange with another stateless endpoint, can make us send.
	resetsPerSecond = 200
)

// handleLostShort answers a short header packet of no connection by a reset.
func (e *Endpoint) handleLostShort(now monotime.Time, d *Datagram) {
	e.stats.UnknownID++
	// The answer must be shorter than what provoked it (Section 10.3.3).
	n := min(len(d.Data)-1, maxResetLen)
	if n < minResetLen || e.server == nil {
		return
	}
	// Another server with the same keys may have a connection with an ID that says it was not
	// made here, and whoever learns its token can end it (Section 21.11).
	id, ok := e.shortID(d.Data)
	if _, ours := connid.ShardOf(e.ids, d.Data, e.shards); !ok || id.Len() == 0 || !ours || !e.answers.allowReset(now) {
		return
	}
	out := e.answers.next(answerReset)
	if out == nil {
		return
	}
	out = out[:n]
	e.randomBytes(out)
	out[0] = out[0]&0x3f | 0x40
	token := protect.StatelessResetToken(&e.resets[e.stats.ResetsSent%uint64(len(e.resets))], &id)
	copy(out[n-len(token):], token[:])
	e.answers.push(answerReset, d.Path, out)
	e.stats.ResetsSent++
}

// handleReset ends the connection that d resets, and returns it; nil when it is no reset
// or does not come from that connection's peer.
func (e *Endpoint) handleReset(now monotime.Time, d *Datagram) *Conn {
	c := e.byToken(d.Data)
	if c == nil || d.Path.Remote != c.paths.Current.Remote {
		return nil
	}
	e.stats.ResetsReceived++
	c.statelessReset(now)
	return c
}

// byToken returns the connection with whose reset token a datagram ends. Tokens are looked up
// by a hash with a secret key, so that time tells nothing about how close a guess came.
func (e *Endpoint) byToken(datagram []byte) *Conn {
	n := len(datagram) - len(wire.ResetToken{})
	if n < minResetLen-16 || len(e.byReset) == 0 {
		return nil
	}
	return e.byReset[wire.ResetToken(datagram[n:])]
}

func (e *Endpoint) addResetToken(c *Conn, t wire.ResetToken) {
	e.byReset[t] = c
	if e.watchReset != nil {
		e.watchReset(t, true)
	}
}

// removeResetToken forgets a token of a connection's. A peer may have given the same one
// to another connection since, whose it is then.
func (e *Endpoint) removeResetToken(c *Conn, t wire.ResetToken) {
	if e.byReset[t] != c {
		return
	}
	delete(e.byReset, t)
	if e.watchReset != nil {
		e.watchReset(t, false)
	}
}
