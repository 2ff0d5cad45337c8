package port

import (
	"bytes"
	"net"

	"github.com/godwit-quic/godwit/internal/fifo"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// conn is a connection as the host knows it. It is an event.Handler; but for perform, post
// and what they need, everything happens on the loop of its lane.
type conn struct {
	port     *Port
	lane     *lane
	listener *listener // nil if the host has begun it
	q        *quic.Conn
	*settings
	handle   uint32
	isClient bool
	attached bool   // the host knows of it
	early    []byte // events from before
	over     bool   // the connection has ended

	inbox    inbox
	commands []byte // those to be carried out now
	hungry   bool   // waits for room for events

	last    uint32 // handle that was given to a stream
	streams map[uint32]*stream
	starved []*stream    // those of them that wait for room
	opens   [2][]*stream // those that the peer does not allow yet, by whether they are unidirectional
	http    *httpConn    // nil for QUIC alone

	late        fifo.Queue[[]byte] // datagrams that wait for room
	lateCounted int                // bytes of them that the connection's account knows of
}

func newConn(p *Port, s *settings) *conn {
	return &conn{port: p, settings: s, streams: make(map[uint32]*stream)}
}

// begin begins what the protocol above needs.
func (c *conn) begin(t event.Turn) {
	c.port.count(offConnections, 1)
	if c.settings.http {
		c.http = newHTTPConn(c, t)
	}
}

// announce tells of the connection.
func (c *conn) announce(typ Event, listener uint32) {
	state := c.q.ConnectionState()
	fields := []qpack.Field{
		{Name: "remote", Value: addressText(c.q.RemoteAddr())},
		{Name: "local", Value: addressText(c.q.LocalAddr())},
		{Name: "alpn", Value: state.NegotiatedProtocol},
		{Name: "server_name", Value: cut(state.ServerName, maxServerName)},
	}
	if state.DidResume {
		fields = append(fields, qpack.Field{Name: "resumed", Value: "1"})
	}
	c.port.ev.putFields(record{typ: uint8(typ), conn: c.handle, id: listener}, fields)
}

// maxServerName is how many bytes of a server's name the host is told: as many as one of
// DNS may have (RFC 1035, Section 2.3.4). A client may say more than the ring takes.
const maxServerName = 255

func addressText(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// attach makes the connection that has come of a dial known to the host, and carries out
// what that has asked for meanwhile, unless it has ended.
func (c *conn) attach(t event.Turn, d *dial) {
	if c.over {
		return
	}
	p := c.port
	d.inbox.mu.Lock()
	defer d.inbox.mu.Unlock()
	d.over = true
	p.mu.Lock()
	p.targets[c.handle] = c
	p.mu.Unlock()
	c.attached = true
	c.announce(EvConnected, 0)
	for early := c.early; len(early) > 0; {
		r, n := consumeRecord(early)
		early = early[n:]
		p.ev.put(r)
	}
	c.early = nil
	c.carryOut(t, d.inbox.take())
	c.resume(t)
	if c.http != nil {
		c.http.settle(t)
	}
}

// put tells the host something of the connection.
func (c *conn) put(r record) {
	r.conn = c.handle
	if !c.attached {
		c.early = appendRecord(c.early, r)
		return
	}
	c.port.ev.put(r)
}

// putFields is put with fields as the payload.
func (c *conn) putFields(r record, fields []qpack.Field) {
	r.conn = c.handle
	if !c.attached {
		r.payload = appendFields(nil, fields)
		c.early = appendRecord(c.early, r)
		return
	}
	c.port.ev.putFields(r, fields)
}

// complain tells that a command was not carried out.
func (c *conn) complain(r *record, why *failure) {
	event := why.record(EvError, r.id)
	event.aux = uint16(r.typ)
	c.put(event)
}

// HandleStream implements event.Handler.
func (c *conn) HandleStream(t event.Turn, ref event.Stream) event.StreamHandler {
	if c.http != nil {
		return c.http.stream(t, ref)
	}
	if c.port.ev.backlog() > maxBacklog {
		t.Close(0, "the application does not take its events")
		return nil
	}
	s := c.newStream(c.newID(), &rawStream{ref: ref})
	s.remote = true
	s.uni = ref.ID()&2 != 0
	s.out.over = s.uni
	c.put(s.info(EvStream, 0))
	return (*rawHandler)(s)
}

// newID returns a handle for what the peer has begun.
func (c *conn) newID() uint32 {
	for {
		c.last++
		id := c.last | peers
		if id != peers && c.streams[id] == nil && (c.http == nil || c.http.wt == nil || c.http.wt.sessions[id] == nil) {
			return id
		}
	}
}

// HandleStreamsAvailable implements event.Handler.
func (c *conn) HandleStreamsAvailable(t event.Turn) {
	if c.http != nil {
		c.http.turn = t
		c.http.machine.HandleStreamsAvailable(now(t))
		if c.http.wt != nil {
			c.http.wt.available()
		}
	}
	for kind := range c.opens {
		for len(c.opens[kind]) > 0 {
			s := c.opens[kind][0]
			if !s.ended && !s.open(t) {
				break
			}
			c.opens[kind] = c.opens[kind][1:]
		}
		if len(c.opens[kind]) == 0 {
			c.opens[kind] = nil
		}
	}
}

// HandleTurn implements event.TurnHandler: nothing here wakes goroutines.
func (c *conn) HandleTurn(t event.Turn) bool {
	if c.http != nil {
		c.http.settle(t)
	}
	return false
}

// HandlePathChanged implements event.PathHandler.
func (c *conn) HandlePathChanged(event.Turn) {
	c.putFields(record{typ: uint8(EvPath)}, []qpack.Field{
		{Name: "remote", Value: addressText(c.q.RemoteAddr())},
		{Name: "local", Value: addressText(c.q.LocalAddr())},
	})
}

// HandleDatagrams implements event.DatagramHandler.
func (c *conn) HandleDatagrams(t event.Turn, list [][]byte) {
	if c.http != nil {
		c.http.turn = t
		c.http.machine.HandleDatagrams(now(t), list)
		return
	}
	for _, b := range list {
		if c.late.Len() > 0 || !c.tellsDatagrams() {
			c.late.Push(bytes.Clone(b), len(b))
			c.port.count(offDropped, c.late.Shrink(maxLateDatagrams, maxLateDatagramBytes))
			for !c.countLate() && c.late.Len() > 0 {
				c.late.Pop()
				c.port.count(offDropped, 1)
			}
			continue
		}
		c.tellDatagram(0, b)
	}
}

// What waits at most until there is room for events. The oldest datagrams go first.
const (
	maxLateDatagrams     = 1024
	maxLateDatagramBytes = 1 << 20
)

// countLate counts what waits for the connection's account, and reports whether there is
// room for it.
func (c *conn) countLate() bool {
	more := c.late.Size() - c.lateCounted
	c.lateCounted += more
	return event.CountBuffered(c.q, more) || more <= 0
}

// tellsDatagrams reports whether the host can be told of a datagram now. If not, it will
// be asked again.
func (c *conn) tellsDatagrams() bool {
	if c.attached && c.port.ev.hasBulk(maxDatagram) {
		return true
	}
	c.await()
	return false
}

// maxDatagram is the room that events must have for a datagram, in bytes: what fits into a
// packet of Ethernet's size.
const maxDatagram = 2048

// tellDatagram tells the host of a datagram, of a session or of the connection.
func (c *conn) tellDatagram(session uint32, b []byte) {
	if !c.port.ev.putBulk(record{typ: uint8(EvDatagram), conn: c.handle, id: session, payload: b}) {
		c.port.count(offDropped, 1)
	}
}

// HandleClose implements event.Handler.
func (c *conn) HandleClose(t event.Turn, err error) {
	c.over = true
	why := describe(err)
	if c.http != nil {
		why = c.http.closed(t, err, why)
	}
	if c.attached { // otherwise the dial tells, or another attempt has won
		c.endStreams(why)
		c.carryOut(t, c.inbox.close()) // too late
		c.put(why.record(EvClosed, 0))
		c.port.forget(c.handle)
	}
	if c.listener != nil {
		c.listener.left(c)
	}
	c.port.count(offConnections, -1)
}

// endStreams ends what there is on the connection.
func (c *conn) endStreams(why *failure) {
	for _, s := range c.streams {
		s.end(why)
	}
	c.starved, c.opens = nil, [2][]*stream{}
}

// await has the connection go on when there is room for events.
func (c *conn) await() {
	if !c.hungry {
		c.hungry = true
		c.port.await(c)
	}
}

// resumeSoon has the connection go on, now that there is room. on is the lane that
// reads, nil for the pump.
func (c *conn) resumeSoon(on *lane) {
	if on == c.lane {
		tell(c.q)
	} else {
		event.Run(c.q, c.HandleCommands)
	}
}

// resume lets streams go on that have waited for room.
func (c *conn) resume(t event.Turn) {
	if !c.attached {
		return
	}
	c.hungry = false
	starved := c.starved
	c.starved = nil
	for _, s := range starved {
		s.starved = false
		s.deliver(t)
	}
	for c.late.Len() > 0 && c.tellsDatagrams() {
		b, _ := c.late.Pop()
		c.tellDatagram(0, b)
	}
	c.countLate()
	if c.http != nil && c.http.wt != nil {
		c.http.turn = t
		c.http.wt.resume()
	}
}
