package interop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	qhttp3 "github.com/quic-go/quic-go/http3"
	qwt "github.com/quic-go/webtransport-go"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/webtransport"
)

// wtLimits are limits for webtransport-go that make it use flow control of
// sessions, small enough to be reached.
var wtLimits = &qwt.Config{MaxIncomingStreams: 20, MaxIncomingUniStreams: 20, MaxIncomingData: 1 << 20}

// eachWTConfig runs a test with and without flow control of sessions at
// webtransport-go's side.
func eachWTConfig(t *testing.T, test func(t *testing.T, conf *qwt.Config)) {
	t.Run("flow control", func(t *testing.T) { test(t, wtLimits) })
	t.Run("none", func(t *testing.T) { test(t, nil) })
}

// TestWebTransportGoClient has webtransport-go's client talk to our server.
func TestWebTransportGoClient(t *testing.T) {
	eachWTConfig(t, func(t *testing.T, conf *qwt.Config) {
		serverTLS, clientTLS := tlsConfigs(t)
		sessions := make(chan *webtransport.Session, 1)
		srv := &http3.Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s, err := webtransport.Upgrade(w, r); err == nil {
				sessions <- s
				serveOurs(s)
			}
		})}
		webtransport.Enable(srv, nil)
		ln, err := srv.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = srv.Serve(ln) }()
		t.Cleanup(func() { _ = srv.Close() })

		// On a connection of its own making, Transport closes that along with the
		// session, and what it had to say is lost.
		qc, err := quic.DialAddr(timeout(t), ln.Addr().String(), clientTLS,
			&quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = qc.CloseWithError(0x100, "") })
		cc, err := (&qwt.Transport{Config: conf}).NewClientConn(qc)
		if err != nil {
			t.Fatal(err)
		}
		_, client, err := cc.Dial(timeout(t), "https://"+ln.Addr().String()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		server := <-sessions
		if server.Draft() != webtransport.Draft15 || server.FlowControlled() != (conf != nil) {
			t.Errorf("%v, flow control %v", server.Draft(), server.FlowControlled())
		}
		for _, size := range sizes {
			st, err := client.OpenStreamSync(timeout(t))
			if err != nil {
				t.Fatal(err)
			}
			echoThrough(t, st, content(size))
		}
		for i := range 60 { // beyond the limit of streams at a time
			st, err := client.OpenUniStreamSync(timeout(t))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprint(st, i)
			_ = st.Close()
			back, err := client.AcceptUniStream(timeout(t))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(back); err != nil || string(b) != fmt.Sprint(i) {
				t.Fatalf("stream %d: %q, %v", i, b, err)
			}
		}
		_ = client.SendDatagram([]byte("ping"))
		if b, err := client.ReceiveDatagram(timeout(t)); err != nil || string(b) != "ping" {
			t.Errorf("datagram %q, %v", b, err)
		}
		st, err := client.OpenStreamSync(timeout(t))
		if err != nil {
			t.Fatal(err)
		}
		st.CancelWrite(1<<32 - 1) // at once, so that only the header must arrive
		_, err = io.ReadAll(st)
		var reset *qwt.StreamError
		if !errors.As(err, &reset) || reset.ErrorCode != 1<<32-1 || !reset.Remote {
			t.Errorf("reset: %v", err)
		}
		_ = client.CloseWithError(77, "enough")
		<-server.Context().Done()
		var closed *webtransport.SessionError
		if err := context.Cause(server.Context()); !errors.As(err, &closed) || closed.Code != 77 || closed.Reason != "enough" || !closed.Remote {
			t.Errorf("closed with %v", err)
		}
	})
}

// serveOurs sends everything back: a reset with its code.
func serveOurs(s *webtransport.Session) {
	go func() {
		for {
			p, err := s.ReceiveDatagram(context.Background())
			if err != nil {
				return
			}
			_ = s.SendDatagram(p)
		}
	}()
	go func() {
		for {
			in, err := s.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go func() {
				if out, err := s.OpenUniStream(context.Background()); err == nil {
					_, _ = io.Copy(out, in)
					_ = out.Close()
				}
			}()
		}
	}()
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			_, err := io.Copy(st, st)
			var reset *webtransport.StreamError
			if errors.As(err, &reset) {
				st.CancelWrite(reset.Code)
			}
			_ = st.Close()
		}()
	}
}

// TestWebTransportGoServer has our client talk to webtransport-go's server.
func TestWebTransportGoServer(t *testing.T) {
	eachWTConfig(t, func(t *testing.T, conf *qwt.Config) {
		url, clientTLS, ends := serveWebTransportGo(t, conf)
		d := &webtransport.Dialer{TLSClientConfig: clientTLS}
		client, _, err := d.Dial(timeout(t), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if client.Draft() != webtransport.Draft15 || client.FlowControlled() != (conf != nil) {
			t.Errorf("%v, flow control %v", client.Draft(), client.FlowControlled())
		}
		for _, size := range sizes {
			st, err := client.OpenStream(timeout(t))
			if err != nil {
				t.Fatal(err)
			}
			echoThrough(t, st, content(size))
		}
		for i := range 60 {
			st, err := client.OpenStream(timeout(t))
			if err != nil {
				t.Fatal(err)
			}
			echoThrough(t, st, []byte(fmt.Sprint(i)))
		}
		_ = client.SendDatagram([]byte("ping"))
		if b, err := client.ReceiveDatagram(timeout(t)); err != nil || string(b) != "ping" {
			t.Errorf("datagram %q, %v", b, err)
		}
		st, err := client.OpenStream(timeout(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte("x"))
		if _, err := st.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		st.CancelWrite(1234)
		_, err = io.ReadAll(st)
		var reset *webtransport.StreamError
		if !errors.As(err, &reset) || reset.Code != 1234 || !reset.IsApplication || !reset.Remote {
			t.Errorf("reset: %v", err)
		}
		_ = client.CloseWithError(78, "goodbye")
		var closed *qwt.SessionError
		if err := <-ends; !errors.As(err, &closed) || closed.ErrorCode != 78 || closed.Message != "goodbye" || !closed.Remote {
			t.Errorf("closed with %v", err)
		}
	})
}

// serveWebTransportGo starts webtransport-go's server, which sends everything back,
// and returns where it is and how its sessions end.
func serveWebTransportGo(t *testing.T, conf *qwt.Config) (url string, client *tls.Config, ends <-chan error) {
	t.Helper()
	serverTLS, clientTLS := tlsConfigs(t)
	ended := make(chan error, 1)
	h3 := &qhttp3.Server{TLSConfig: serverTLS}
	srv := &qwt.Server{H3: h3, Config: conf}
	h3.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, err := srv.Upgrade(w, r); err == nil {
			ended <- serveTheirs(s)
		}
	})
	qwt.ConfigureHTTP3Server(h3)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(conn) }()
	t.Cleanup(func() {
		_ = srv.Close()
		_ = conn.Close()
	})
	return "https://" + conn.LocalAddr().String() + "/", clientTLS, ended
}

// serveTheirs sends everything back and returns how the session ended.
func serveTheirs(s *qwt.Session) error {
	go func() {
		for {
			p, err := s.ReceiveDatagram(context.Background())
			if err != nil {
				return
			}
			_ = s.SendDatagram(p)
		}
	}()
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return err
		}
		go func() {
			_, err := io.Copy(st, st)
			var reset *qwt.StreamError
			if errors.As(err, &reset) {
				st.CancelWrite(reset.ErrorCode)
			}
			_ = st.Close()
			_ = st.SetReadDeadline(time.Now()) // nothing is read any more
		}()
	}
}
