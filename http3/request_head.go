package http3

import (
	"bytes"
	"net/http"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// requestHead is the header section of a request.
type requestHead struct {
	h3.RequestHeader
	header  http.Header // of the fields; nil until collect
	special specialFields
}

// readHead decodes and checks a header section that may have maxSize bytes, as
// SETTINGS_MAX_FIELD_SECTION_SIZE counts them.
func (x *exchange) readHead(sc *scratch, section []byte, maxSize int, head *requestHead) error {
	fields, err := x.body.decodeUpTo(sc, section, min(maxSize, x.body.reader.MaxSection()))
	if err != nil {
		return err
	}
	if head.RequestHeader, err = h3.ParseRequest(fields); err != nil {
		return err
	}
	return x.conn.checkCount(len(head.Fields))
}

// collect makes the http.Header, whose values may be kept in values.
func (h *requestHead) collect(values []string) {
	if h.header == nil {
		h.header = make(http.Header, len(h.Fields))
		h.special = addFields(h.header, h.Fields, values)
		h.Fields = nil // the scratch's
	}
}

// readAside has a worker read a header section that is too large for the event loop.
func (x *exchange) readAside(t *quic.Turn, section, rest []byte) {
	x.headerArrived(t)
	x.waited = true
	x.blocked = &blockedHeader{bytes.Clone(section), bytes.Clone(rest)}
	x.holdHeader(t, len(section)+len(rest)) // for as long as it takes to decode it
	x.conn.countHandlers(1)
	x.conn.woke = true
	x.conn.workers.run(largeHeader{x, x.blocked})
}

// largeHeader is a job: a header section to be read in a worker's goroutine. The
// loop goes on with the request when it has been.
type largeHeader struct {
	exchange *exchange
	header   *blockedHeader
}

func (l largeHeader) serve() {
	x := l.exchange
	sc := getScratch()
	defer sc.release()
	var head requestHead
	err := x.readHead(sc, l.header.section, x.body.reader.MaxSection(), &head)
	if err == nil {
		head.collect(nil)
	}
	if !x.conn.qc.Run(func(t *quic.Turn) { l.done(t, &head, err) }) {
		x.conn.countHandlers(-1) // the connection has ended meanwhile
	}
}

// done goes on with the request, on the loop's goroutine.
func (l largeHeader) done(t *quic.Turn, head *requestHead, err error) {
	x := l.exchange
	x.conn.handlerDone()
	if x.blocked != l.header {
		return // the request was given up
	}
	x.blocked = nil
	switch {
	case err == qpack.ErrBlocked: // more was evicted than is allowed
		x.park(t, l.header.section, l.header.rest)
	case err != nil:
		x.refuse(t, err)
	default:
		sc := getScratch()
		defer sc.release()
		x.accept(t, sc, head, l.header.rest)
	}
}
