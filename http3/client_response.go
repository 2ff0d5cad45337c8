package http3

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/godwit-quic/godwit/internal/h3"
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
	for {
		st.body.rs.HandleReadable(0)
		switch {
		case st.resp != nil:
			return st.resp, nil
		case st.failure != nil:
			st.distrust(st.failure)
			return nil, st.failure
		case st.body.paused != nil:
			return nil, st.body.paused
		}
		if err := st.body.awaitInsertions(); err != nil {
			return nil, err
		}
	}
}

// begin makes the response.
func (st *clientStream) begin(h *h3.ResponseHeader) {
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
	if isConnect(st.req) && h.Status/100 == 2 {
		resp.ContentLength = -1 // it is a tunnel (RFC 9110, Section 9.3.6)
	}
	if h.ContentLength < 0 && !allowsContent(h.Status) {
		resp.ContentLength = 0
	}
	if st.body.rs.Whole() {
		// The request is done, and a caller that forgets to close the body does no harm.
		st.body.finish(io.EOF)
		resp.Body = http.NoBody
	}
	if st.gunzip {
		decompress(resp)
	}
}

// statusLine returns what HTTP/1.1 would say: the code and its meaning.
func statusLine(code int) string {
	if code == http.StatusOK {
		return "200 OK"
	}
	return strconv.Itoa(code) + " " + http.StatusText(code)
}
