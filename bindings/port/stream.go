package port

import (
	"encoding/binary"
	"io"

	"github.com/godwit-quic/godwit/quic/event"
)

// stream is a stream as the host knows it: one of QUIC's or of a session, or a request
// with its response.
type stream struct {
	conn    *conn
	id      uint32
	session uint32 // that it belongs to, 0 for none
	carrier carrier
	remote  bool // the peer has opened it
	uni     bool
	isOpen  bool // there is a stream of QUIC's
	gone    bool // the stream of QUIC's is over, of which the host is yet to be told all
	ended   bool // the host knows that all is over
	starved bool // is in conn.starved

	in  incoming
	out outgoing

	whenOpen []func(t event.Turn) // what the host has cancelled before
}

// incoming is the half that the peer sends on.
type incoming struct {
	credit int  // bytes that the host may be told of
	over   bool // nothing follows, or is wanted
}

// carrier is what carries a stream's bytes.
type carrier interface {
	// read reads what has arrived, as event.Turn.Read does. It must not tell the host of
	// anything.
	read(t event.Turn, p []byte) (int, error)
	// write takes what there is room for of p, and with fin the end, if all of p was
	// taken.
	write(t event.Turn, p []byte, fin bool) (n int, err error)
	// reset, stop and prioritize do what the commands say.
	reset(t event.Turn, code uint64)
	stop(t event.Turn, code uint64)
	prioritize(urgency uint8, incremental bool)
	// commit has what was written arrive in spite of a later reset.
	commit()
	// open opens a stream of QUIC's. The error is event.ErrStreamLimit when that has to
	// wait.
	open(t event.Turn, s *stream) error
	// streamID returns the ID of the stream of QUIC's.
	streamID() uint64
	// failed says how the peer's half has ended: nil if Read has told enough.
	failed(err error) *failure
}

// newStream makes a stream of the connection, in both directions.
func (c *conn) newStream(id uint32, by carrier) *stream {
	s := &stream{conn: c, id: id, carrier: by}
	s.in.credit, s.out.window = c.window, c.window
	c.streams[id] = s
	c.port.count(offStreams, 1)
	return s
}

// info returns the event that tells of a stream of QUIC's.
func (s *stream) info(typ Event, session uint32) record {
	r := record{typ: uint8(typ), id: s.id}
	if s.uni {
		r.flags = flagUni
	}
	r.payload = binary.LittleEndian.AppendUint64(make([]byte, 0, 16), s.carrier.streamID())
	r.payload = binary.LittleEndian.AppendUint32(r.payload, session)
	r.payload = binary.LittleEndian.AppendUint32(r.payload, 0)
	s.isOpen = true
	return r
}

// open opens a stream of the host's, and sends what has been written. It reports whether
// it need not wait any more.
func (s *stream) open(t event.Turn) bool {
	switch err := s.carrier.open(t, s); {
	case err == event.ErrStreamLimit:
		return false
	case err != nil:
		s.end(describe(err))
	default:
		if _, isRequest := s.carrier.(*request); !isRequest { // of which the response tells
			s.conn.put(s.info(EvOpened, s.session))
		}
		s.begin(t)
	}
	return true
}

// begin does what was asked for before the stream was open.
func (s *stream) begin(t event.Turn) {
	for _, f := range s.whenOpen {
		f(t)
	}
	s.whenOpen = nil
	s.flush(t)
}

// do carries out a command.
func (s *stream) do(t event.Turn, r *record) {
	switch Command(r.typ) {
	case CmdWrite:
		if x, ok := s.carrier.(*request); ok && x.unbegun() {
			s.conn.complain(r, fault(ErrCommand, "the response has not begun"))
			return
		}
		s.write(t, r.payload, r.has(flagFin))
	case CmdCredit:
		s.in.credit = int(min(uint64(s.in.credit)+min(r.u64(), maxWindow), maxWindow))
		s.deliver(t)
	case CmdReset:
		s.reset(t, clampCode(r.u64()))
	case CmdStop:
		s.stop(t, clampCode(r.u64()))
	case CmdCommit:
		s.commit()
	case CmdPriority:
		s.carrier.prioritize(uint8(r.aux), r.aux&256 != 0)
	}
}

// reset ends what is sent abruptly, behind what is to arrive all the same.
func (s *stream) reset(t event.Turn, code uint64) {
	switch {
	case s.out.over || s.out.cut:
	case s.out.keepCommitted(code):
	default:
		s.resetNow(t, code)
	}
}

func (s *stream) resetNow(t event.Turn, code uint64) {
	s.out.drop()
	_, isRequest := s.carrier.(*request) // of which nothing is wanted any more
	switch {
	case s.isOpen:
		s.carrier.reset(t, code)
		s.endIfOver()
	case s.in.over || isRequest: // never to be opened
		s.end(&none)
	default:
		s.whenOpen = append(s.whenOpen, func(t event.Turn) { s.carrier.reset(t, code) })
	}
}

// stop ends reading.
func (s *stream) stop(t event.Turn, code uint64) {
	if s.in.over {
		return
	}
	s.in.over = true
	switch {
	case s.isOpen:
		s.carrier.stop(t, code)
		s.endIfOver()
	case s.out.over: // never to be opened
		s.end(&none)
	default:
		s.whenOpen = append(s.whenOpen, func(t event.Turn) { s.carrier.stop(t, code) })
	}
}

// deliver tells the host of bytes that have arrived, as many as it has given credit for
// and as the ring has room for.
func (s *stream) deliver(t event.Turn) {
	s.tell(t)
	s.endIfOver()
}

// tell is deliver, up to the end of what the peer sends.
func (s *stream) tell(t event.Turn) {
	for !s.in.over && s.isOpen {
		if !s.conn.attached {
			s.queue()
			return
		}
		var n int
		var err error
		full := false
		ok := s.conn.port.ev.fill(record{typ: uint8(EvData), conn: s.conn.handle, id: s.id}, s.in.credit, func(r *record, p []byte) int {
			n, err = s.readAll(t, p)
			full = n == len(p)
			if err == io.EOF {
				r.flags |= flagFin
			}
			return n
		})
		s.in.credit -= n
		switch {
		case !ok:
			s.starve()
			return
		case err == io.EOF:
			s.in.over = true
		case err == errTrailers:
			s.in.over = true
			s.conn.putFields(record{typ: uint8(EvTrailers), flags: flagFin, id: s.id}, s.carrier.(*request).rs.Trailers())
		case err != nil:
			s.peerFailed(s.carrier.failed(err))
			return
		case !full || s.in.credit == 0:
			return
		}
	}
}

// readAll reads as much as there is, up to the size of p.
func (s *stream) readAll(t event.Turn, p []byte) (n int, err error) {
	for {
		m, err := s.carrier.read(t, p[n:])
		n += m
		if err != nil || m == 0 {
			return n, err
		}
	}
}

// peerFailed tells that the peer's half has ended with an error, nil for one that is told
// otherwise.
func (s *stream) peerFailed(why *failure) {
	if why == nil || s.in.over {
		return
	}
	s.in.over = true
	s.conn.put(why.record(EvReset, s.id))
	s.endIfOver()
}

// starve has the stream go on when there is room for events.
func (s *stream) starve() {
	s.queue()
	s.conn.await()
}

// queue has conn.resume deliver.
func (s *stream) queue() {
	if !s.starved {
		s.starved = true
		s.conn.starved = append(s.conn.starved, s)
	}
}

// over takes note that the stream of QUIC's has ended. Of what came on it the host may not
// have been told yet: it gives no credit, or what it is told first waits for insertions
// into a dynamic table.
func (s *stream) over() {
	s.gone = true
	s.endIfOver()
}

func (s *stream) endIfOver() {
	if s.gone && s.in.over {
		s.end(&none)
	}
}

// end tells that the stream is over in all directions.
func (s *stream) end(why *failure) {
	if s.ended {
		return
	}
	s.ended, s.in.over = true, true
	s.out.drop()
	delete(s.conn.streams, s.id)
	s.conn.port.count(offStreams, -1)
	s.conn.put(why.record(EvEnded, s.id))
}
