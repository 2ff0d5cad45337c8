package port

import (
	"encoding/binary"
	"strings"

	"github.com/godwit-quic/godwit/internal/hosted"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// tell has a connection of the reading lane carry out its commands.
func tell(q *quic.Conn) { hosted.Tell(q) }

// perform implements target. On the lane that the connection lives on, commands are
// carried out at once and where they lie.
func (c *conn) perform(on *lane, commands []byte) {
	if on != c.lane {
		c.post(commands)
		return
	}
	c.commands = commands
	tell(c.q)
	c.commands = nil
}

// post has a copy of commands carried out on the connection's loop. Any goroutine may call
// it.
func (c *conn) post(commands []byte) {
	c.inbox.mu.Lock()
	closed, post := c.inbox.closed, !c.inbox.posted
	if !closed {
		c.inbox.add(commands)
		c.inbox.posted = true
	}
	c.inbox.mu.Unlock()
	switch {
	case closed:
		c.port.disappoint(c.handle, commands, errConnGone)
	case post:
		event.Run(c.q, c.HandleCommands) // or HandleClose takes them
	}
}

// errConnGone is why nothing begins on a connection.
var errConnGone = fault(ErrCancelled, "the connection is not there any more")

// HandleCommands carries out what there is to do, first what came first.
func (c *conn) HandleCommands(t event.Turn) {
	c.inbox.mu.Lock()
	waiting := c.inbox.take()
	c.inbox.mu.Unlock()
	commands := c.commands
	c.commands = nil
	c.carryOut(t, waiting)
	c.carryOut(t, commands)
	if c.hungry {
		c.resume(t)
	}
	if c.http != nil {
		c.http.settle(t)
	}
}

// carryOut carries out commands.
func (c *conn) carryOut(t event.Turn, commands []byte) {
	for len(commands) > 0 {
		r, n := consumeRecord(commands)
		if n == 0 {
			return
		}
		commands = commands[n:]
		if c.over {
			c.tooLate(&r)
		} else {
			c.do(t, &r)
		}
	}
}

// tooLate ends what a command would have begun on a connection that has ended.
func (c *conn) tooLate(r *record) {
	switch Command(r.typ) {
	case CmdOpen, CmdRequest, CmdSession:
		c.put(errConnGone.record(EvEnded, r.id))
	}
}

// do carries out one command.
func (c *conn) do(t event.Turn, r *record) {
	switch Command(r.typ) {
	case CmdOpen:
		c.open(t, r)
	case CmdDatagram:
		c.sendDatagram(r)
	case CmdStats:
		c.tellStats(r)
	case CmdClose:
		if r.id == 0 && r.aux != closeGraceful {
			t.Close(clampCode(r.u64()), strings.ToValidUTF8(r.textAfter(8), "�"))
			return
		}
		c.doHTTP(t, r)
	case CmdWrite, CmdReset, CmdStop, CmdCredit, CmdPriority, CmdCommit:
		if s := c.streams[r.id]; s != nil {
			s.do(t, r)
		}
	default:
		c.doHTTP(t, r)
	}
}

// doHTTP carries out a command that only connections of HTTP/3 know.
func (c *conn) doHTTP(t event.Turn, r *record) {
	if c.http != nil {
		c.http.do(t, r)
		return
	}
	if Command(r.typ) != CmdClose {
		c.complain(r, fault(ErrCommand, "command %d is not for connections of QUIC alone", r.typ))
		c.tooLate(r)
	}
}

// maxCode is the largest of an application's error codes (RFC 9000, Section 20.2).
const maxCode = 1<<62 - 1

func clampCode(code uint64) uint64 { return min(code, maxCode) }

// open opens a stream of the host's.
func (c *conn) open(t event.Turn, r *record) {
	session := r.u32()
	if session != 0 || c.http != nil {
		c.doHTTP(t, r)
		return
	}
	if r.id == 0 || r.id&peers != 0 || c.streams[r.id] != nil {
		c.complain(r, fault(ErrCommand, "the handle %d of a stream is in use, or none of a host's", r.id))
		return
	}
	s := c.newStream(r.id, new(rawStream))
	s.uni = r.has(flagUni)
	s.in.over = s.uni
	kind := 0
	if s.uni {
		kind = 1
	}
	switch {
	case len(c.opens[kind]) == 0 && s.open(t):
	case r.has(flagNow):
		s.end(errNoStream)
	default:
		c.opens[kind] = append(c.opens[kind], s)
	}
}

// errNoStream is why a stream ends that is to be opened at once or not at all.
var errNoStream = fault(ErrLimit, "the peer allows no further stream now")

// sendDatagram sends a datagram of the connection or of a session.
func (c *conn) sendDatagram(r *record) {
	var err error
	if r.id != 0 {
		if c.http == nil {
			return
		}
		err = c.http.sendDatagram(r)
	} else {
		err = c.q.SendDatagram(r.payload)
	}
	if err != nil {
		c.complain(r, describeDatagram(err))
	}
}

// tellStats tells of the connection's figures: struct gw_conn_stats of godwit.h.
func (c *conn) tellStats(r *record) {
	s := c.q.Stats()
	figures := []uint64{
		uint64(s.MinRTT), uint64(s.SmoothedRTT), uint64(s.LatestRTT), uint64(s.RTTVar),
		uint64(s.CongestionWindow), uint64(s.BytesInFlight),
		s.SentBytes, s.ReceivedBytes, s.SentPackets, s.ReceivedPackets, s.LostPackets, s.LostBytes,
		s.SendDatagramsDropped, s.ReceiveDatagramsDropped,
		uint64(c.q.MaxDatagramSize()), uint64(s.Version),
	}
	payload := make([]byte, 0, 8*len(figures))
	for _, f := range figures {
		payload = binary.LittleEndian.AppendUint64(payload, f)
	}
	c.put(record{typ: uint8(EvStats), id: r.id, payload: payload})
}
