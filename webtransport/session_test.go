package webtransport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// randomBytes returns n bytes that differ from offset to offset.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b) // never fails
	return b
}

// echo answers every stream of a session until it ends.
func echo(s *Session) {
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(st, st) // the client checks what comes back
			_ = st.Close()
		}()
	}
}

func TestStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	if client.Draft() != Draft15 || server.Draft() != Draft15 || !client.FlowControlled() || !server.FlowControlled() {
		t.Errorf("drafts %v, %v, flow control %v, %v", client.Draft(), server.Draft(), client.FlowControlled(), server.FlowControlled())
	}
	for name, ends := range map[string][2]*Session{"client": {client, server}, "server": {server, client}} {
		opener, acceptor := ends[0], ends[1]
		go echo(acceptor)
		for _, size := range []int{0, 1, 1200, 64 << 10, 8 << 20} {
			data := randomBytes(size)
			st, err := opener.OpenStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = st.Write(data)
				_ = st.Close()
			}()
			if got := readAll(t, st); got != string(data) {
				t.Errorf("%s opens: echo of %d bytes has %d, or differs", name, size, len(got))
			}
		}
	}
}

func TestUniStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	for _, ends := range [][2]*Session{{client, server}, {server, client}} {
		for _, data := range []string{"", "x", strings.Repeat("data", 100_000)} {
			st, err := ends[0].OpenUniStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = io.WriteString(st, data)
				_ = st.Close()
			}()
			r, err := ends[1].AcceptUniStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, r); got != data {
				t.Errorf("%d bytes arrived, %d were sent", len(got), len(data))
			}
		}
	}
}

func TestManyStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	go echo(server)
	var all sync.WaitGroup
	for i := range 300 { // more than may be open at a time
		all.Go(func() {
			st, err := client.OpenStream(testContext(t))
			if err != nil {
				t.Error(err)
				return
			}
			text := fmt.Sprint("stream ", i)
			_, _ = io.WriteString(st, text)
			_ = st.Close()
			if got, err := io.ReadAll(st); err != nil || string(got) != text {
				t.Errorf("%q, %v, want %q", got, err, text)
			}
		})
	}
	all.Wait()
	if !eventually(func() bool { return client.known() == 0 && server.known() == 0 }) {
		t.Errorf("%d and %d streams are remembered", client.known(), server.known())
	}
}

// known returns how many streams a session knows.
func (s *Session) known() int { return s.stats().Streams }

// stats returns the machine's figures.
func (s *Session) stats() wt.SessionStats {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.machine.Stats()
}

// stats returns the machine's figures.
func (h *hub) stats() wt.Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.machine.Stats()
}

func TestDatagrams(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	for _, ends := range [][2]*Session{{client, server}, {server, client}} {
		for _, size := range []int{0, 1, 1000, ends[0].MaxDatagramSize()} {
			data := randomBytes(size)
			if err := ends[0].SendDatagram(data); err != nil {
				t.Fatal(err)
			}
			got, err := ends[1].ReceiveDatagram(testContext(t))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v, want %d", len(got), err, size)
			}
		}
		var tooLarge *quic.DatagramTooLargeError
		if err := ends[0].SendDatagram(make([]byte, 1<<16)); !errors.As(err, &tooLarge) {
			t.Errorf("a datagram of 64 KiB: %v", err)
		}
	}
}

// TestDatagramCapsules: datagrams may come in capsules, from intermediaries that have
// no other way (RFC 9297, Section 3.5). Those that are too long are dropped.
func TestDatagramCapsules(t *testing.T) {
	ts := serve(t, nil, nil)
	s, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
	long := make([]byte, 1<<16)
	_, _ = s.Write(content(
		h3.AppendCapsule(nil, h3.CapsuleDatagram, []byte("one")),
		h3.AppendCapsule(nil, h3.CapsuleDatagram, long),
		h3.AppendCapsule(nil, h3.CapsuleDatagram, nil),
		h3.AppendCapsule(nil, h3.CapsuleDatagram, long[1:]),
	))
	for _, want := range []string{"one", "", string(long[1:])} {
		if got, err := session.ReceiveDatagram(testContext(t)); err != nil || string(got) != want {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
}

func TestStreamCodes(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	for _, ends := range [][2]*Session{{client, server}, {server, client}} {
		for _, code := range []uint32{0, 1, 29, 30, 255, 256, 1<<32 - 1} {
			st, err := ends[0].OpenStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(st, "begin")
			other, err := ends[1].AcceptStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			st.CancelWrite(code)
			st.CancelRead(code)
			_, err = io.ReadAll(other)
			wantStreamError(t, "reset", err, code, true)
			wait(t, "STOP_SENDING", other.Context().Done())
			_, err = other.Write([]byte("x"))
			wantStreamError(t, "stop", err, code, true)
			_, err = st.Write([]byte("x"))
			wantStreamError(t, "own reset", err, code, false)
		}
	}
}

func TestResetKeepsTheHeader(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	for i := range uint32(20) {
		st, err := client.OpenStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		st.CancelWrite(i) // at once: the header may not have been sent
		other, err := server.AcceptStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(other)
		wantStreamError(t, "reset at once", err, i, true)
		other.CancelWrite(0)
	}
}

func TestClose(t *testing.T) {
	ts := serve(t, nil, nil)
	for _, fromServer := range []bool{false, true} {
		client, server := ts.pair(nil)
		closer, other := client, server
		if fromServer {
			closer, other = server, client
		}
		st, err := closer.OpenStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(st, "never finished")
		accepted, err := other.AcceptStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadAll(accepted)
			read <- err
		}()
		_ = closer.CloseWithError(1<<32-1, "the reason")
		_ = closer.CloseWithError(1, "too late")
		wantSessionError(t, closer, SessionError{Code: 1<<32 - 1, Reason: "the reason"})
		wantSessionError(t, other, SessionError{Code: 1<<32 - 1, Reason: "the reason", Remote: true})
		if err := wait(t, "the reader", read); err == nil {
			t.Error("a stream that was not finished has an end")
		}
		for _, s := range []*Session{client, server} {
			var closed *SessionError
			if _, err := s.OpenStream(testContext(t)); !errors.As(err, &closed) {
				t.Errorf("OpenStream after the end: %v", err)
			}
			if _, err := s.AcceptUniStream(testContext(t)); !errors.As(err, &closed) {
				t.Errorf("AcceptUniStream after the end: %v", err)
			}
			if _, err := s.ReceiveDatagram(testContext(t)); !errors.As(err, &closed) {
				t.Errorf("ReceiveDatagram after the end: %v", err)
			}
			if err := s.SendDatagram([]byte("x")); !errors.As(err, &closed) {
				t.Errorf("SendDatagram after the end: %v", err)
			}
		}
		wait(t, "the connection's end", client.QUIC().Done())
	}
}

func TestReasonIsCut(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	_ = client.CloseWithError(7, strings.Repeat("x", 1023)+"ä")
	wantSessionError(t, server, SessionError{Code: 7, Reason: strings.Repeat("x", 1023), Remote: true})
}

func TestManySessions(t *testing.T) {
	ts := serve(t, nil, nil)
	d := ts.dialer()
	d.ShareConnections = true
	defer d.Close()
	var clients, servers []*Session
	for range 5 {
		client, server := ts.pair(d)
		clients, servers = append(clients, client), append(servers, server)
		go echo(server)
	}
	if clients[0].QUIC() != clients[4].QUIC() {
		t.Error("sessions do not share a connection")
	}
	for i, c := range clients {
		_ = c.SendDatagram([]byte{byte(i)})
		if p, err := servers[i].ReceiveDatagram(testContext(t)); err != nil || len(p) != 1 || p[0] != byte(i) {
			t.Errorf("session %d got %v, %v", i, p, err)
		}
	}
	_ = clients[0].CloseWithError(1, "")
	wantSessionError(t, servers[0], SessionError{Code: 1, Remote: true})
	for _, c := range clients[1:] {
		st, err := c.OpenStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(st, "hello")
		_ = st.Close()
		if got := readAll(t, st); got != "hello" {
			t.Errorf("%q", got)
		}
	}
}

func TestDrain(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	server.Drain()
	wait(t, "the client to learn", client.Draining())
	client.Drain()
	wait(t, "the server to learn", server.Draining())
	st, err := client.OpenUniStream(testContext(t)) // the session goes on
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(st, "still here")
	_ = st.Close()
	r, err := server.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, r); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestShutdownDrains(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	done := make(chan error, 1)
	go func() { done <- ts.Shutdown(testContext(t)) }()
	wait(t, "the client to learn", client.Draining())
	wait(t, "the server to learn", server.Draining())
	_ = client.CloseWithError(0, "as you wish")
	wantSessionError(t, server, SessionError{Reason: "as you wish", Remote: true})
	if err := wait(t, "Shutdown", done); err != nil {
		t.Error(err)
	}
}

func TestLateRead(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	st, err := client.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(st, "the last words")
	_ = st.Close()
	wait(t, "delivery", st.Context().Done())
	_ = client.CloseWithError(3, "")
	wantSessionError(t, server, SessionError{Code: 3, Remote: true})
	r, err := server.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, r); got != "the last words" {
		t.Errorf("%q", got)
	}
}

func TestExporter(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	a, err := client.ExportKeyingMaterial("label", []byte("context"), 32)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := server.ExportKeyingMaterial("label", []byte("context"), 32)
	c, _ := server.ExportKeyingMaterial("label", []byte("other"), 32)
	if !bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Errorf("%x, %x, %x", a, b, c)
	}
	state := client.QUIC().ConnectionState()
	const wtContext = "\x00\x00\x00\x00\x00\x00\x00\x00\x05label\x07context" // of session 0
	if d, err := state.ExportKeyingMaterial("EXPORTER-WebTransport", []byte(wtContext), 32); err != nil || !bytes.Equal(a, d) {
		t.Errorf("%x, %v, want that of TLS, %x", a, err, d)
	}
}

// TestDatagramTooLarge: the error counts as this package does, so that a datagram of
// the size that it names can be sent.
func TestDatagramTooLarge(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	for _, session := range []*Session{client, server} {
		const size = 1 << 16
		var tooLarge *quic.DatagramTooLargeError
		if err := session.SendDatagram(make([]byte, size)); !errors.As(err, &tooLarge) || tooLarge.Size != size {
			t.Fatalf("a datagram of %d bytes: %v", size, err)
		}
		if err := session.SendDatagram(make([]byte, tooLarge.Max)); err != nil {
			t.Errorf("a datagram of the %d bytes that were said to be possible: %v", tooLarge.Max, err)
		}
	}
}
