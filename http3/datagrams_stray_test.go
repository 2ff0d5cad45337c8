package http3

import (
	"io"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestStrayDatagramAtServer: a request that is not for a tunnel ends when a datagram comes for
// it (RFC 9297, Section 2), and no other does.
func TestStrayDatagramAtServer(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		close(begun)
		<-r.Context().Done()
		_, err := r.Body.Read(make([]byte, 1))
		ended <- err
	}, enableTunnels)
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, &quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(uint64(h3.NoError), "")
	c := &rawConn{t: t, qc: qc}
	s := c.request(false, headers(postFields))
	wait(t, "the handler", begun)
	if err := qc.SendDatagram(append(h3.AppendQuarterID(nil, s.ID()), "stray"...)); err != nil {
		t.Fatal(err)
	}
	wantReset(t, "a request without datagrams", s, h3.DatagramError)
	wantError(t, wait(t, "the handler's end", ended), h3.DatagramError, false, false)
	readMessage(t, c.request(true, headers(getFields)))
}

// TestStrayDatagramAtClient: so does a client's request, before and after its response has
// begun.
func TestStrayDatagramAtClient(t *testing.T) {
	more := make(chan struct{})
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		id := uint64(0) // of the first request
		if r.URL.Path == "/late" {
			id = 4
			w.(http.Flusher).Flush()
			<-more
		}
		if err := RequestConn(r).SendDatagram(append(h3.AppendQuarterID(nil, id), "stray"...)); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	}, enableTunnels)
	ts.transport.EnableDatagrams = true
	_, err := ts.transport.RoundTrip(mustRequest(t, ts.url))
	wantError(t, err, h3.DatagramError, false, false)
	resp, err := ts.transport.RoundTrip(mustRequest(t, ts.url+"/late"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	close(more)
	_, err = io.ReadAll(resp.Body)
	wantError(t, err, h3.DatagramError, false, false)
}
