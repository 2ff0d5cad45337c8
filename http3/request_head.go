package http3

import (
	"net/http"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3event"
	"github.com/godwit-quic/godwit/quic/event"
)

// requestHead is the header section of a request.
type requestHead struct {
	h3.RequestHeader
	header  http.Header // of the fields; nil until collect
	special specialFields
}

// collect makes the http.Header, whose values may be kept in values.
func (h *requestHead) collect(values []string) {
	if h.header == nil {
		h.header = make(http.Header, len(h.Fields))
		h.special = addFields(h.header, h.Fields, values)
		h.Fields = nil // the scratch's
	}
}

// HandleLargeSection has a worker decode a header section that is too large for the event
// loop.
func (c *serverConn) HandleLargeSection(rs *h3.RequestStream, s *h3.LargeSection) {
	c.countHandlers(1)
	c.woke = true
	c.workers.run(largeHeader{rs.App.(*exchange), s})
}

// largeHeader is a job: a header section to be read in a worker's goroutine. The
// loop goes on with the request when it has been.
type largeHeader struct {
	exchange *exchange
	section  *h3.LargeSection
}

func (l largeHeader) serve() {
	c := l.exchange.conn
	var head *requestHead
	if h := l.section.DecodeRequest(); h != nil {
		head = &requestHead{RequestHeader: *h}
		head.collect(nil)
	}
	if !event.Run(c.qc, func(t event.Turn) { l.done(t, head) }) {
		c.countHandlers(-1) // the connection has ended meanwhile
	}
}

// done goes on with the request, on the loop's goroutine.
func (l largeHeader) done(t event.Turn, head *requestHead) {
	c := l.exchange.conn
	c.handlerDone()
	c.turn = t
	l.exchange.aside = head
	c.machine.HandleDecoded(h3event.Now(t), l.section)
	c.await(t)
}
