package http3

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// ignoreStop hides that the server reads no more of the request: it may have
// answered nevertheless (RFC 9114, Section 4.1).
func ignoreStop(err error) error {
	if err == nil {
		return nil
	}
	var stream *quic.StreamError
	if errors.As(err, &stream) && stream.Remote {
		return nil
	}
	return err
}

// readResponse waits for the header of the final response. Errors are those of
// the stream or of package h3.
func (st *clientStream) readResponse() (*http.Response, error) {
	sc := getScratch()
	defer sc.release()
	first := true
	for interim := 0; ; { // bytes of interim responses
		n, err := st.stream.Read(sc.buf[:])
		if n > 0 && first && st.trace.GotFirstResponseByte != nil {
			st.trace.GotFirstResponseByte()
		}
		first = first && n == 0
		for b := sc.buf[:n]; len(b) > 0; {
			piece, used, err := st.body.reader.Next(b)
			if err != nil {
				st.punish(err)
				return nil, err
			}
			b = b[used:]
			if piece.Kind != h3.PieceHeaders {
				continue
			}
			header, err := st.parseHeader(sc, piece.Bytes)
			if err != nil {
				st.punish(err)
				return nil, err
			}
			st.decideUpload(header.Status)
			if header.Status >= 200 {
				return st.begin(&header, b), nil
			}
			if st.trace.Got1xxResponse == nil { // else the hook has its own mind
				interim += fieldsSize(sc.fields)
			}
			if interim > st.conn.maxHeader {
				return nil, errInterim
			}
			if err := traceInterim(st.trace, &header); err != nil {
				return nil, err
			}
			st.body.reader.Interim()
		}
		if err == io.EOF {
			err := st.body.reader.Finish()
			st.punish(err)
			return nil, err
		}
		if err != nil {
			return nil, err
		}
	}
}

// errInterim is the error of a request to which a server sends interim responses without
// end: as in net/http, all of them together must not be larger than a header section.
var errInterim = &h3.StreamError{Code: h3.ExcessiveLoad, Reason: "too many 1xx responses"}

// fieldsSize is the size of a field section as RFC 9114, Section 4.2.2, counts it.
func fieldsSize(fields []qpack.Field) (n int) {
	for _, f := range fields {
		n += f.Size()
	}
	return n
}

func (st *clientStream) parseHeader(sc *scratch, section []byte) (h3.ResponseHeader, error) {
	fields, err := st.body.decode(sc, section)
	if err != nil {
		return h3.ResponseHeader{}, err
	}
	return h3.ParseResponse(fields)
}

// begin makes the response, given what was read beyond its header.
func (st *clientStream) begin(h *h3.ResponseHeader, rest []byte) *http.Response {
	header := make(http.Header, len(h.Fields))
	addFields(header, h.Fields, nil)
	resp := &http.Response{
		Status:        statusLine(h.Status),
		StatusCode:    h.Status,
		Proto:         "HTTP/3.0",
		ProtoMajor:    3,
		Header:        header,
		Body:          (*responseBody)(st),
		ContentLength: h.ContentLength,
		Trailer:       takeTrailerNames(header),
		Request:       st.req,
		TLS:           st.conn.tls,
	}
	st.resp = resp
	expected := h.ContentLength
	if isConnect(st.req) && h.Status/100 == 2 {
		expected, resp.ContentLength = -1, -1 // it is a tunnel (RFC 9110, Section 9.3.6)
	}
	if st.req.Method == http.MethodHead || !allowsContent(h.Status) {
		expected = 0
	}
	st.body.reader.ExpectLength(expected)
	st.body.pending = append([]byte(nil), rest...)
	if h.ContentLength < 0 && !allowsContent(h.Status) {
		resp.ContentLength = 0
	}
	if len(rest) == 0 && st.isOver() {
		resp.Body = http.NoBody
	}
	if st.gunzip {
		decompress(resp)
	}
	return resp
}

// isOver looks, without waiting, whether the response ends with its header, as
// it does when it has no content: then the request is done, and a caller that
// forgets to close the body does no harm.
func (st *clientStream) isOver() bool {
	var buf [256]byte
	n, err := st.stream.TryRead(buf[:])
	st.body.pending = append(st.body.pending, buf[:n]...)
	if err != io.EOF || st.body.reader.Finish() != nil {
		return false // what it is instead, reading the body shows
	}
	st.body.finish(io.EOF)
	return true
}

// statusLine returns what HTTP/1.1 would say: the code and its meaning.
func statusLine(code int) string {
	if code == http.StatusOK {
		return "200 OK"
	}
	return strconv.Itoa(code) + " " + http.StatusText(code)
}
