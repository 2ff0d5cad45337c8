package port

import (
	"strconv"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic/event"
)

// NewRequest returns the memory of a request.
func (h *httpConn) NewRequest(s h3.Stream) *h3.RequestStream { return &s.(*h3Stream).request.rs }

// Admit says whether there is room for another request.
func (h *httpConn) Admit(*h3.RequestStream) h3.Admission {
	if h.port.ev.backlog() > maxBusyBacklog {
		return h3.Busy
	}
	return h3.Admit
}

// HandleRequest has a request answered whose header is complete and well-formed.
func (h *httpConn) HandleRequest(_ monotime.Time, rs *h3.RequestStream, head *h3.RequestHeader) {
	x := rs.App.(*request)
	switch {
	case head.Protocol != "" && h.wt != nil && wt.IsToken(head.Protocol):
		h.wt.request(x, head)
		return
	case head.Protocol != "":
		rs.Answer(501) // RFC 9220, Section 3
		return
	case h.listener.routes.serve(x, head):
		return
	}
	x.stream = h.newStream(h.newID(), x)
	x.stream.remote, x.stream.isOpen = true, true
	r := record{typ: uint8(EvRequest), id: x.stream.id}
	if rs.Whole() {
		r.flags, x.stream.in.over = flagFin, true
	}
	h.putFields(r, appendHead(nil, head))
	x.stream.deliver(h.turn)
}

// appendHead appends the fields of a request.
func appendHead(fields []qpack.Field, head *h3.RequestHeader) []qpack.Field {
	for _, f := range []qpack.Field{
		{Name: ":method", Value: head.Method}, {Name: ":scheme", Value: head.Scheme},
		{Name: ":authority", Value: head.Host}, {Name: ":path", Value: head.Path}, {Name: ":protocol", Value: head.Protocol},
	} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return append(fields, head.Fields...)
}

// HandleLargeSection has a large header section decoded in a goroutine.
func (h *httpConn) HandleLargeSection(_ *h3.RequestStream, s *h3.LargeSection) {
	h.port.start(func() {
		if h.listener == nil {
			s.DecodeResponse()
		} else {
			s.DecodeRequest()
		}
		event.Run(h.q, func(t event.Turn) {
			h.turn = t
			h.machine.HandleDecoded(now(t), s)
			h.settle(t)
		})
	})
}

// respond answers a request.
func (h *httpConn) respond(t event.Turn, r *record, x *request) {
	fields, content, err := consumeFields(nil, r.payload)
	failed := checkFields(fields)
	switch {
	case err != nil || len(fields) == 0 || fields[0].Name != ":status":
		failed = fault(ErrCommand, "a response begins with :status")
	case x.begun:
		failed = fault(ErrCommand, "the response has begun already")
	case failed == nil && !isStatus(fields[0].Value, 200, 999):
		failed = fault(ErrCommand, "invalid :status %q", fields[0].Value)
	}
	if failed != nil {
		h.complain(r, failed)
		return
	}
	if x.stream.out.over {
		return
	}
	x.begun = true
	fin := r.has(flagFin)
	if len(content) == 0 {
		if x.rs.SendHeaders(fields, fin) == nil && fin {
			x.answered = true
			x.stream.out.drop()
		}
		return
	}
	if fin && x.sendWhole(fields, content) {
		return
	}
	if x.rs.SendHeaders(fields, false) == nil {
		x.stream.out.free += len(content)
		x.stream.write(t, content, fin)
	}
}

// sendWhole sends all of a response at once, if there is room for it.
func (x *request) sendWhole(fields []qpack.Field, content []byte) bool {
	if x.rs.Unsent() > 0 || len(content) > smallLast && x.below.Room() < len(content)+len(fields)*256 {
		return false
	}
	h := x.http
	b := x.rs.AppendHeaders(h.scratch[:0], fields)
	b = append(h3.AppendFrameHeader(b, h3.FrameData, uint64(len(content))), content...)
	if cap(b) <= maxScratch {
		h.scratch = b
	}
	_, err := x.below.Write(b, true)
	x.answered = err == nil
	x.stream.out.drop()
	return true
}

// maxScratch is the size beyond which memory for responses is not used again.
const maxScratch = 64 << 10

// isStatus reports whether a text is a status from low to high.
func isStatus(text string, low, high int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && len(text) == 3 && n >= low && n <= high && n != 101 // RFC 9114, Section 4.5
}

// inform sends an interim response.
func (h *httpConn) inform(r *record, x *request) {
	fields, _, err := consumeFields(nil, r.payload)
	failed := checkFields(fields)
	switch {
	case err != nil || len(fields) == 0 || fields[0].Name != ":status" || !isStatus(fields[0].Value, 100, 199):
		failed = fault(ErrCommand, "an interim response begins with a :status from 100 to 199, and not 101")
	case x.begun || h.isClient:
		failed = fault(ErrCommand, "it is too late for an interim response, or no request to answer")
	}
	if failed != nil {
		h.complain(r, failed)
		return
	}
	if !x.stream.out.over {
		_ = x.rs.SendHeaders(fields, false) // the client may be gone
	}
}
