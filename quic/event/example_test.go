package event_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http/httptest"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// exampleTLS returns what both ends need of TLS. A real server has a certificate that
// clients can verify.
func exampleTLS() (server, client *tls.Config) {
	pair := httptest.NewTLSServer(nil) // whose certificate serves here
	defer pair.Close()
	server = &tls.Config{Certificates: pair.TLS.Certificates, NextProtos: []string{"example"}}
	return server, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"example"}}
}

// upper is a Handler that answers each stream in upper case, without a
// goroutine for it.
type upper struct{}

func (u upper) HandleStream(event.Turn, event.Stream) event.StreamHandler { return u }

func (upper) HandleReadable(t event.Turn, s event.Stream) {
	buf := make([]byte, 1024)
	for {
		n, err := t.Read(s, buf)
		if err == io.EOF {
			t.WriteLast(s, nil)
		}
		if n == 0 || err != nil {
			return
		}
		for i, b := range buf[:n] {
			if 'a' <= b && b <= 'z' {
				buf[i] = b - 'a' + 'A'
			}
		}
		t.Write(s, buf[:n]) // a short answer fits
	}
}

func (upper) HandleEnd(t event.Turn, s event.Stream, end event.End) {
	if end.Kind == event.StreamEnded {
		t.Release(s) // its memory serves the next stream
	}
}

func (upper) HandleWritable(event.Turn, event.Stream) {}
func (upper) HandleClose(event.Turn, error)           {}

// A server whose connections need no goroutines.
func ExampleListen() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	newHandler := func(event.Turn) event.Handler { return upper{} }
	ln, err := event.Listen("127.0.0.1:0", nil, serverTLS, nil, newHandler)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Transport().Close()

	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	stream, err := conn.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stream.WriteLast([]byte("godwit"))
	answer, err := io.ReadAll(stream)
	fmt.Printf("%s %v\n", answer, err)
	// Output: GODWIT <nil>
}
