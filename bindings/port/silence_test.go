package port

import (
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wt"
)

// silentTime is how long a handshake may take, in milliseconds, where a peer that says
// nothing of HTTP/3 is to be given up.
const silentTime = "1000"

// A session with a server that never sends SETTINGS fails when a handshake would have.
func TestSilentServer(t *testing.T) {
	h := open(t, Config{})
	_, address := h.listen("alpn", "h3")
	client := h.connect(address, "protocol", "h3", "webtransport", "1", "handshake_timeout", silentTime)
	id := h.handle()
	h.do(CmdSession, 0, client, id, appendFields(nil, pairs(":authority", "localhost", ":path", "/")))
	if g := h.want(EvEnded, client); g.id != id || g.failure().kind != ErrHandshakeTimeout {
		t.Errorf("%d ended: %+v", g.id, g.failure())
	}
}

// silentClient returns both ends of a connection whose client has never sent SETTINGS, and
// has asked for a session on the stream with the handle 1.
func silentClient(h *host) (client, server uint32) {
	_, address := h.listen("protocol", "h3", "webtransport", "1", "handshake_timeout", silentTime)
	client = h.connect(address, "alpn", "h3")
	server = h.want(EvAccepted, 0).conn
	h.want(EvConnected, client)
	section := qpack.AppendFieldSection(nil, pairs(":method", "CONNECT", ":protocol", wt.TokenOld, ":scheme", "https", ":authority", "localhost", ":path", "/"))
	h.do(CmdOpen, 0, client, 1, make([]byte, 8))
	h.do(CmdWrite, 0, client, 1, append(h3.AppendFrameHeader(nil, h3.FrameHeaders, uint64(len(section))), section...))
	// A request that the host is told of comes behind it.
	section = qpack.AppendFieldSection(nil, pairs(":method", "GET", ":scheme", "https", ":authority", "localhost", ":path", "/"))
	h.do(CmdOpen, 0, client, 2, make([]byte, 8))
	h.do(CmdWrite, flagFin, client, 2, append(h3.AppendFrameHeader(nil, h3.FrameHeaders, uint64(len(section))), section...))
	h.want(EvRequest, server)
	return client, server
}

// The request of a client that never sends SETTINGS is rejected likewise, and the host
// hears nothing of it.
func TestSilentClient(t *testing.T) {
	h := open(t, Config{})
	client, server := silentClient(h)
	if g := h.want(EvReset, client); g.id != 1 || g.failure().code != uint64(h3.RequestRejected) {
		t.Errorf("reset of %d with %+v", g.id, g.failure())
	}
	h.hearsNothing(server)
}

// Of a session that was given up before the host was told of it, nothing is told.
func TestUntoldSession(t *testing.T) {
	h := open(t, Config{})
	client, server := silentClient(h)
	h.write(CmdReset, 0, 0, client, 1, le64(uint64(h3.RequestCancelled)))
	h.do(CmdStop, 0, client, 1, le64(uint64(h3.RequestCancelled)))
	h.want(EvEnded, client)
	h.hearsNothing(server)
}

// hearsNothing fails the test if there is an event of a connection but for the answer to a
// command.
func (h *host) hearsNothing(conn uint32) {
	h.t.Helper()
	h.do(CmdStats, 0, conn, 0, nil)
	h.want(EvStats, conn)
	for _, g := range h.later {
		if g.conn == conn {
			h.t.Errorf("event %d of %d", g.Event, g.id)
		}
	}
}

// The method of a request may be anywhere among the fields that begin with a colon.
func TestMethodIsNoFirstField(t *testing.T) {
	h := open(t, Config{})
	client, server, _ := h.h3Pair()
	h.do(CmdRequest, flagFin, client, 1, appendFields(nil, pairs(":authority", "HEAD", ":path", "/", ":scheme", "https", ":method", "GET")))
	request := h.want(EvRequest, server)
	h.do(CmdRespond, flagFin, server, request.id, append(appendFields(nil, pairs(":status", "200")), "hello"...))
	h.want(EvResponse, client)
	if content, _ := h.body(client, 1); string(content) != "hello" {
		t.Errorf("%q", content)
	}
}

// Why a port has failed stays what the host is told, though somebody else replies at the
// same time.
func TestFailureStays(t *testing.T) {
	h := open(t, Config{})
	h.port.call(1)
	var both sync.WaitGroup
	both.Go(func() { h.port.reply(1, OK, 0, "listening") })
	both.Go(func() { h.port.fail("broken") })
	both.Wait()
	h.port.reply(1, OK, 0, "listening")
	text := string(h.mem[offReplyText : offReplyText+*h.mem.u32(offReplyLength)])
	if kind := ErrorKind(*h.mem.u32(offReplyKind)); kind != ErrPort || text != "broken" {
		t.Errorf("kind %d: %s", kind, text)
	}
}
