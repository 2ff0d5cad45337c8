package port

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// readToReset reads a stream up to its reset, and returns the bytes and the code.
func (h *host) readToReset(conn uint32) (content []byte, code uint64) {
	h.t.Helper()
	id := h.want(EvStream, conn).id
	for {
		g := h.event()
		switch {
		case g.conn != conn || g.id != id:
			h.later = append(h.later, g)
		case g.Event == EvData:
			content = append(content, g.payload...)
			h.do(CmdCredit, 0, conn, id, le64(uint64(len(g.payload))))
		case g.Event == EvReset:
			return content, g.failure().code
		default:
			h.t.Fatalf("event %d of the stream", g.Event)
		}
	}
}

// TestCommit: what was committed arrives in spite of a reset
// (draft-ietf-quic-reliable-stream-reset), also when the stream was not open yet.
func TestCommit(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, _ := h.sessionPair(client, server)
	kept := noise(7, 200<<10)
	send := func(conn, id uint32) {
		h.do(CmdWrite, 0, conn, id, kept[:100<<10])
		h.do(CmdCommit, 0, conn, id, nil)
		h.do(CmdWrite, 0, conn, id, kept[100<<10:])
		h.do(CmdCommit, 0, conn, id, nil)
		h.do(CmdWrite, 0, conn, id, noise(8, 50<<10))
		h.do(CmdReset, 0, conn, id, le64(9))
		h.do(CmdReset, 0, conn, id, le64(10)) // means nothing any more
		h.do(CmdWrite, flagFin, conn, id, []byte("nor this"))
	}
	check := func(conn uint32) {
		t.Helper()
		if got, code := h.readToReset(conn); code != 9 || !bytes.HasPrefix(got, kept) {
			t.Errorf("%d bytes and code %d", len(got), code)
		}
	}
	id := h.handle()
	h.do(CmdOpen, flagUni, client, id, inSession(ours))
	h.want(EvOpened, client)
	send(client, id)
	check(server)
	h.want(EvEnded, client)

	early := h.handle()
	h.do(CmdSession, 0, client, early, appendFields(nil, pairs(":authority", "localhost", ":path", "/")))
	id = h.handle()
	h.do(CmdOpen, flagUni, client, id, inSession(early))
	send(client, id)
	h.do(CmdAccept, 0, server, h.want(EvSession, server).id, appendFields(nil, nil))
	check(server)

	raw, peer := h.pair()
	id = h.handle()
	h.do(CmdOpen, flagUni, raw, id, inSession(0))
	send(raw, id)
	check(peer)
}

// TestOpenNow: a stream that the peer does not allow ends at once, instead of waiting.
func TestOpenNow(t *testing.T) {
	h := open(t, Config{})
	try := func(client uint32, session []byte) {
		t.Helper()
		for n := 0; ; n++ {
			id := h.handle()
			h.do(CmdOpen, flagUni|flagNow, client, id, session)
			g := h.event()
			for g.id != id || g.conn != client {
				g = h.event()
			}
			if g.Event == EvOpened && n < 200 {
				continue
			}
			if n == 0 || n == 200 || g.Event != EvEnded || g.failure().kind != ErrLimit {
				t.Fatalf("event %d after %d streams", g.Event, n)
			}
			return
		}
	}
	raw, _ := h.pair("max_uni_streams", "5")
	try(raw, inSession(0))
	client, server := h.wtPair()
	ours, _ := h.sessionPair(client, server)
	try(client, inSession(ours))
}

// TestAbandonedStreams: of streams that were reset before the peer allowed them, a session
// keeps nothing.
func TestAbandonedStreams(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, _ := h.sessionPair(client, server)
	openNow := func() (id uint32, ok bool) {
		id = h.handle()
		h.do(CmdOpen, flagUni|flagNow, client, id, inSession(ours))
		for g := h.event(); ; g = h.event() {
			if g.conn == client && g.id == id {
				return id, g.Event == EvOpened
			}
		}
	}
	var ids []uint32
	for id, ok := openNow(); ok; id, ok = openNow() {
		ids = append(ids, id)
	}
	for range 3 {
		id := h.handle()
		h.do(CmdOpen, flagUni, client, id, inSession(ours))
		h.do(CmdReset, 0, client, id, le64(1))
		if g := h.want(EvEnded, client); g.id != id {
			t.Fatalf("stream %d has ended", g.id)
		}
	}
	for _, id := range ids {
		h.do(CmdReset, 0, client, id, le64(1))
		h.want(EvEnded, client)
	}
	last, ok := openNow()
	for n := 0; !ok; last, ok = openNow() { // until there is credit, which those before it have been offered
		if n++; n == int(patience/time.Millisecond) {
			t.Fatal("there is no credit")
		}
		time.Sleep(time.Millisecond)
	}
	h.do(CmdReset, 0, client, last, le64(1))
	h.want(EvEnded, client)
	left := make(chan int)
	c := h.port.find(client).(*conn)
	event.Run(c.q, func(event.Turn) { left <- len(c.http.wt.sessions[ours].streams) })
	if n := <-left; n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

func exportOf(length uint32, label, context string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, length)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(label)))
	return append(append(b, label...), context...)
}

// TestExport: both ends get the same keying material, other sessions other
// (draft-ietf-webtrans-http3, Section 4.8).
func TestExport(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, theirs := h.sessionPair(client, server)
	other, _ := h.sessionPair(client, server)
	ask := func(conn, id uint32, payload []byte) string {
		t.Helper()
		h.do(CmdExport, 0, conn, id, payload)
		g := h.want(EvExported, conn)
		if g.id != id {
			t.Errorf("of session %d, not %d", g.id, id)
		}
		return string(g.payload)
	}
	seen := map[string]bool{}
	for _, payload := range [][]byte{exportOf(32, "a", "bc"), exportOf(32, "ab", "c"), exportOf(32, "", ""), exportOf(maxExport, "a", "bc")} {
		mine := ask(client, ours, payload)
		if len(mine) != int(binary.LittleEndian.Uint32(payload)) || mine != ask(server, theirs, payload) || mine == ask(client, other, payload) || seen[mine] {
			t.Errorf("%d bytes for %q", len(mine), payload)
		}
		seen[mine] = true
	}
	for _, bad := range [][]byte{nil, exportOf(0, "a", ""), exportOf(maxExport+1, "a", ""), exportOf(9, string(make([]byte, 256)), ""), exportOf(9, "", string(make([]byte, 256))), exportOf(9, "abc", "")[:9]} {
		h.do(CmdExport, 0, client, ours, bad)
		if g := h.want(EvError, client); g.failure().kind != ErrCommand || g.id != ours || g.aux != uint16(CmdExport) {
			t.Errorf("%q: %+v", bad, g.failure())
		}
	}
}
