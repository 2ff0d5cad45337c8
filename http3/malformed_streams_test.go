package http3

import (
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// TestStreamErrorsAtClient has a server break the rules for streams that a client
// sees (RFC 9114, Sections 5.2, 6.1, 6.2 and 7.2; RFC 9204, Sections 4.2 and 6).
func TestStreamErrorsAtClient(t *testing.T) {
	uni := func(b string) func(*quic.Conn) {
		return func(qc *quic.Conn) { openControl(qc, []byte(b)) }
	}
	const settings = "\x00\x04\x00"
	for _, tt := range []struct {
		name  string
		begin func(*quic.Conn)
		code  h3.ErrorCode
	}{
		{"GOAWAY with a larger ID", uni(settings + "\x07\x01\x04\x07\x01\x08"), h3.IDError},
		{"GOAWAY with an ID that is no request's", uni(settings + "\x07\x01\x05"), h3.IDError},
		{"a setting twice", uni("\x00\x04\x04\x06\x01\x06\x01"), h3.SettingsError},
		{"a setting of HTTP/2", uni("\x00\x04\x02\x02\x01"), h3.SettingsError},
		{"control stream finished", func(qc *quic.Conn) { _ = openControl(qc, []byte(settings)).Close() }, h3.ClosedCriticalStream},
		{"encoder stream finished", func(qc *quic.Conn) { _ = openControl(qc, []byte("\x02")).Close() }, h3.ClosedCriticalStream},
		{"decoder stream finished", func(qc *quic.Conn) { _ = openControl(qc, []byte("\x03")).Close() }, h3.ClosedCriticalStream},
		{"second control stream", func(qc *quic.Conn) { uni(settings)(qc); uni(settings)(qc) }, h3.StreamCreationError},
		{"second encoder stream", func(qc *quic.Conn) { uni("\x02")(qc); uni("\x02")(qc) }, h3.StreamCreationError},
		{"second decoder stream", func(qc *quic.Conn) { uni("\x03")(qc); uni("\x03")(qc) }, h3.StreamCreationError},
		{"push stream", uni("\x01\x00"), h3.IDError},
		{"capacity beyond the limit", uni("\x02\x3f\xe2\x1f"), h3.ErrorCode(qpack.EncoderStreamError)},
		{"insertion of an unknown static name", uni("\x02\x3f\xe1\x1f\xff\x24\x00"), h3.ErrorCode(qpack.EncoderStreamError)},
		{"duplicate of nothing", uni("\x02\x3f\xe1\x1f\x00"), h3.ErrorCode(qpack.EncoderStreamError)},
		{"acknowledgment of nothing", uni("\x03\x80"), h3.ErrorCode(qpack.DecoderStreamError)},
		{"increment of 0", uni("\x03\x00"), h3.ErrorCode(qpack.DecoderStreamError)},
		{"increment of too much", uni("\x03\x01"), h3.ErrorCode(qpack.DecoderStreamError)},
		{"STOP_SENDING for the control stream", func(qc *quic.Conn) {
			if s, err := qc.AcceptUniStream(t.Context()); err == nil {
				s.CancelRead(uint64(h3.NoError))
			}
		}, h3.ClosedCriticalStream},
	} {
		ended, requested := make(chan error, maxAttempts), make(chan struct{}, maxAttempts)
		rs := serveRawControl(t, func(qc *quic.Conn) {
			go func() {
				<-requested // a GOAWAY before it would be the reason that the client tells
				tt.begin(qc)
				<-qc.Done()
				ended <- qc.Err()
			}()
		}, func(int64, *quic.Stream) { requested <- struct{}{} })
		_, _, err := rs.get(t)
		wantError(t, err, tt.code, false, true)
		wantRemoteClose(t, tt.name, wait(t, "the connection's end: "+tt.name, ended), tt.code)
	}
}

// TestGoAwayErrors sends GOAWAYs whose push IDs grow (RFC 9114, Section 5.2).
func TestGoAwayErrors(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := ts.dialRaw(t)
	if _, err := c.control.Write([]byte("\x07\x01\x05\x07\x01\x05\x07\x01\x06")); err != nil {
		t.Fatal(err)
	}
	c.wantClose("GOAWAY with a larger ID", h3.IDError)
}

// TestCriticalStreamsReset is TestMalformedControlStreams for resets instead of
// ends (RFC 9114, Section 6.2.1).
func TestCriticalStreamsReset(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, typ := range map[string]string{"encoder": "\x02", "decoder": "\x03"} {
		c := ts.dialRaw(t)
		s := c.uni([]byte(typ))
		readMessage(t, c.request(true, headers(getFields))) // the stream's type has arrived by then
		s.CancelWrite(uint64(h3.NoError))
		c.wantClose(name+" stream reset", h3.ClosedCriticalStream)
	}
}

// TestDecompressionErrors sends field sections that cannot be decoded (RFC 9204,
// Sections 2.2, 4.1 and 4.5), as headers and as trailers.
func TestDecompressionErrors(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		_, err := r.Body.Read(make([]byte, 1))
		wantError(t, err, h3.ErrorCode(qpack.DecompressionFailed), false, true)
	})
	for name, section := range map[string]string{
		"empty":                        "",
		"half a prefix":                "\x00",
		"static index 99":              "\x00\x00\xff\x24",
		"name of static index 99":      "\x00\x00\x5f\x54\x00",
		"entry without a table":        "\x00\x00\x80",
		"post-base entry":              "\x00\x00\x10",
		"name of a dynamic entry":      "\x00\x00\x40\x00",
		"name of a post-base entry":    "\x00\x00\x00\x00",
		"insert count without a table": "\x01\x00",
		"base below zero":              "\x00\x80",
		"integer that does not end":    "\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"integer cut short":            "\x00\x00\xff",
		"string cut short":             "\x00\x00\x51\x05ab",
		"name cut short":               "\x00\x00\x25ab",
		"Huffman padding too long":     "\x00\x00\x51\x82\x1f\xff",
		"Huffman padding of zeros":     "\x00\x00\x51\x81\x18",
		"Huffman EOS":                  "\x00\x00\x51\x84\xff\xff\xff\xff",
	} {
		for _, where := range []string{"headers", "trailers"} {
			message := frame(h3.FrameHeaders, section)
			if where == "trailers" {
				message = join(headers(postFields), message)
			}
			c := ts.dialRaw(t)
			c.request(true, message)
			c.wantClose(name+" in "+where, h3.ErrorCode(qpack.DecompressionFailed))
		}
	}
}
