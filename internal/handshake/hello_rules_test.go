package handshake

import (
	"bytes"
	"math"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// What is where in a ClientHello of crypto/tls over QUIC, whose session ID is empty (RFC 8446,
// Section 4.1.2).
const (
	helloSessionLen = messageHeader + versionAndRandom
	helloSuites     = helloSessionLen + 1 + 2
)

// answered gives a hello to a new server.
func answered(t *testing.T, hello []byte) *end {
	t.Helper()
	serverConfig, clientConfig := testConfigs(t)
	client, server := newPair(t, serverConfig, clientConfig)
	t.Cleanup(client.Close)
	t.Cleanup(server.Close)
	s := newEnd(server)
	s.err = s.finish(server.HandleData(wire.InitialLevel, hello))
	if s.err == nil {
		s.poll()
	}
	return s
}

// replaced returns b with some bytes, which it must have once, replaced.
func replaced(t *testing.T, b, old, by []byte) []byte {
	t.Helper()
	if n := bytes.Count(b, old); n != 1 || len(old) != len(by) {
		t.Fatalf("%x is %d times in %x", old, n, b)
	}
	return bytes.Replace(b, old, by, 1)
}

// parametersExtension begins the extension with n bytes of transport parameters, and
// anotherExtension one that nobody knows.
func parametersExtension(n int) []byte { return []byte{0, extParameters, 0, byte(n)} }
func anotherExtension(n int) []byte    { return []byte{0x7a, 0x7a, 0, byte(n)} }

// TestNoCompatibilityMode: clients do not ask for TLS 1.3's compatibility mode (RFC 9001,
// Section 8.4).
func TestNoCompatibilityMode(t *testing.T) {
	if n := clientHello(t, "parameters")[helloSessionLen]; n != 0 {
		t.Errorf("a session ID of %d bytes", n)
	}
}

// TestUnknownSuiteOffered: a hello may offer suites that the server does not have (RFC 9001,
// Section 5.3).
func TestUnknownSuiteOffered(t *testing.T) {
	hello := clientHello(t, "parameters")
	hello[helloSuites], hello[helloSuites+1] = 0x13, 0x0f
	if s := answered(t, hello); s.err != nil || len(s.out) == 0 {
		t.Errorf("the server answers with %d messages, %v", len(s.out), s.err)
	}
}

// TestOlderVersionOffered: who has no TLS 1.3 is refused (RFC 9001, Section 4.2).
func TestOlderVersionOffered(t *testing.T) {
	hello := replaced(t, clientHello(t, "parameters"), []byte{0, 43, 0, 3, 2, 3, 4}, []byte{0, 43, 0, 3, 2, 3, 3})
	s := answered(t, hello)
	wantAlert(t, s.err, 70) // protocol_version
	if len(s.secrets) > 0 {
		t.Errorf("%d secrets", len(s.secrets))
	}
}

// TestMissingParameters: both ends refuse who sends no transport parameters (RFC 9001, Section
// 8.2).
func TestMissingParameters(t *testing.T) {
	const missingExtension = 109
	const params = "parameters"
	hello := replaced(t, clientHello(t, params), parametersExtension(len(params)), anotherExtension(len(params)))
	wantAlert(t, answered(t, hello).err, missingExtension)

	c, s := halfway(t, nil)
	for i := range s.out {
		if s.out[i].Level == wire.HandshakeLevel {
			n := len(s.params)
			s.out[i].Data = replaced(t, s.out[i].Data, parametersExtension(n), anotherExtension(n))
			break
		}
	}
	s.deliver(c, math.MaxInt)
	wantAlert(t, c.err, missingExtension)
}

// halfway makes a handshake up to the server's answer. protocols are the server's, if not nil.
func halfway(t *testing.T, protocols []string) (c, s *end) {
	t.Helper()
	serverConfig, clientConfig := testConfigs(t)
	if protocols != nil {
		serverConfig.NextProtos = protocols
	}
	client, server := newPair(t, serverConfig, clientConfig)
	c, s = newEnd(client), newEnd(server)
	t.Cleanup(client.Close)
	t.Cleanup(server.Close)
	c.err = c.finish(client.Start(wire.Version1, []byte("parameters of the client")))
	c.poll()
	c.deliver(s, math.MaxInt)
	if s.err != nil || len(s.out) < 2 {
		t.Fatalf("the server answers with %d messages, %v", len(s.out), s.err)
	}
	return c, s
}

// TestALPNUnanswered: a client refuses a server that chooses no protocol, or one that was not
// offered (RFC 9001, Section 8.1).
func TestALPNUnanswered(t *testing.T) {
	const noApplicationProtocol = 120
	c, s := halfway(t, []string{})
	s.deliver(c, math.MaxInt)
	wantAlert(t, c.err, noApplicationProtocol)

	c, s = halfway(t, nil)
	for i := range s.out {
		if s.out[i].Level == wire.HandshakeLevel {
			s.out[i].Data = replaced(t, s.out[i].Data, []byte{0, 16, 0, 5, 0, 3, 2, 'h', '3'}, []byte{0, 16, 0, 5, 0, 3, 2, 'h', '9'})
			break
		}
	}
	s.deliver(c, math.MaxInt)
	wantAlert(t, c.err, noApplicationProtocol)
}

// TestTicketEarlyDataSize: tickets that permit early data have the only size that QUIC allows
// (RFC 9001, Section 4.6.1).
func TestTicketEarlyDataSize(t *testing.T) {
	p := newEarlyPair(t)
	client, err := NewClient(p.client, "localhost", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	c, s := newEnd(client), newEnd(p.srv.NewConn())
	t.Cleanup(s.conn.Close)
	s.version, s.params = p.version, wire.AppendTransportParameters(nil, &p.params)
	c.err = c.finish(client.Start(p.version, []byte("parameters of the client")))
	c.poll()
	var tickets []byte
	for c.err == nil && s.err == nil && len(c.out)+len(s.out) > 0 {
		c.deliver(s, math.MaxInt)
		for _, e := range s.out {
			if e.Level == wire.OneRTTLevel {
				tickets = append(tickets, e.Data...)
			}
		}
		s.deliver(c, math.MaxInt)
	}
	if !bytes.Contains(tickets, []byte{0, extEarlyData, 0, 4, 0xff, 0xff, 0xff, 0xff}) {
		t.Errorf("the server's tickets are %x, %v, %v", tickets, c.err, s.err)
	}
}
