package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestRemoteAddrAfterRebinding: a request has the address that its client has at the
// time, and not that of the connection's first request.
func TestRemoteAddrAfterRebinding(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr, " ", RequestConn(r).RemoteAddr())
	})
	client, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	nat := startNAT(t, ts.addr)
	qc, err := client.Dial(testContext(t), nat.inside.LocalAddr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &rawConn{t: t, qc: qc}
	c.uni([]byte{0x00, 0x04, 0x00})
	get := func() string { return readMessage(t, c.request(true, headers(getFields))).content }
	first := nat.rebind()
	if got, want := get(), first+" "+first; got != want {
		t.Errorf("addresses %s, want %s", got, want)
	}
	second := nat.rebind()
	// The server takes the new address when a packet has come from it.
	if !eventually(func() bool { return strings.HasSuffix(get(), " "+second) }) {
		t.Fatalf("addresses %s, want %s", get(), second)
	}
	if got, want := get(), second+" "+second; got != want {
		t.Errorf("addresses %s, want %s", got, want)
	}
}

// nat passes datagrams between a client and a server from a port that changes.
type nat struct {
	t       *testing.T
	inside  net.PacketConn
	server  net.Addr
	outside chan net.PacketConn // the present one
	client  chan net.Addr
}

func startNAT(t *testing.T, server string) *nat {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	n := &nat{t: t, server: addr, outside: make(chan net.PacketConn, 1), client: make(chan net.Addr, 1)}
	n.inside = n.listen()
	n.client <- nil
	n.outside <- nil
	n.rebind()
	go func() {
		buf := make([]byte, 1<<16)
		for {
			size, from, err := n.inside.ReadFrom(buf)
			if err != nil {
				return
			}
			<-n.client
			n.client <- from
			out := <-n.outside
			n.outside <- out
			_, _ = out.WriteTo(buf[:size], n.server)
		}
	}()
	return n
}

func (n *nat) listen() net.PacketConn {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = c.Close() })
	return c
}

// rebind takes another port to the outside and returns its address.
func (n *nat) rebind() string {
	<-n.outside
	out := n.listen()
	n.outside <- out
	go func() {
		buf := make([]byte, 1<<16)
		for {
			size, _, err := out.ReadFrom(buf)
			if err != nil {
				return
			}
			client := <-n.client
			n.client <- client
			_, _ = n.inside.WriteTo(buf[:size], client)
		}
	}()
	return out.LocalAddr().String()
}

// TestCauseOfCancellation: the cause of a request's context is context.Canceled, for
// those who look for that as net/http has it, and says more.
func TestCauseOfCancellation(t *testing.T) {
	causes := make(chan error, 1)
	running := make(chan struct{}, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		running <- struct{}{}
		if r.Header.Get("X-Read") != "" {
			_, _ = io.ReadAll(r.Body)
		}
		<-r.Context().Done()
		causes <- context.Cause(r.Context())
	})
	want := func(what string, code h3.ErrorCode, wholeConn bool) {
		t.Helper()
		err := wait(t, what, causes)
		var e *Error
		if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Code != ErrorCode(code) || !e.Remote || e.WholeConn != wholeConn {
			t.Errorf("%s: %v (%T)", what, err, err)
		}
	}
	c := ts.dialRaw(t)
	for what, fields := range map[string]string{"without content": getFields, "with content": postFields, "with content being read": postFields + " x-read=1"} {
		s := c.request(what == "without content", headers(fields))
		wait(t, "the handler", running)
		s.CancelRead(uint64(h3.RequestCancelled))
		if what != "without content" {
			s.CancelWrite(uint64(h3.RequestCancelled))
		}
		want(what, h3.RequestCancelled, false)
	}
	c.request(true, headers(getFields))
	wait(t, "the handler", running)
	_ = c.qc.CloseWithError(uint64(h3.InternalError), "")
	want("the connection's end", h3.InternalError, true)
}

// TestHeaderValueCount: a header, a trailer and what the Trailer field announces have a
// limit to their number of fields.
func TestHeaderValueCount(t *testing.T) {
	read := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}, func(s *Server) { s.MaxHeaderValueCount = 10 })
	c := ts.dialRaw(t)
	status := func(fields string) string {
		return readMessage(t, c.request(true, headers(getFields+fields))).fields[0].Value
	}
	for fields, want := range map[string]string{
		strings.Repeat(" x-a=1", 10):       "200",
		strings.Repeat(" x-a=1", 11):       "431",
		" x-a=" + strings.Repeat("1,", 20): "200",
		" trailer=a,b,c,d,e,f,g,h,i,j":     "200",
		" trailer=a,b,c,d,e,f,g,h,i,j,k":   "431",
	} {
		if got := status(fields); got != want {
			t.Errorf("%q: status %s, want %s", fields, got, want)
		}
		if want == "200" {
			<-read
		}
	}
	for _, n := range []int{10, 11} {
		s := c.request(true, join(headers(postFields), frame(h3.FrameData, "x"), headers(strings.Repeat(" x-a=1", n))))
		err := wait(t, "the handler", read)
		if (err != nil) != (n > 10) {
			t.Errorf("%d trailers: %v", n, err)
		}
		if n > 10 {
			wantError(t, err, h3.ExcessiveLoad, false, false)
			wantReset(t, "too many trailers", s, h3.ExcessiveLoad)
		}
	}
}
