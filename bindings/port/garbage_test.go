package port

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// TestGarbage: whatever a host writes, as long as records are whole, the port lives.
func TestGarbage(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []string
	}{
		{"quic", []string{"max_streams", "3"}},
		{"h3", []string{"protocol", "h3", "max_streams", "3"}},
		{"webtransport", []string{"protocol", "h3", "webtransport", "1", "max_streams", "6"}},
	} {
		for seed := range uint64(5) {
			t.Run(tt.name, func(t *testing.T) {
				h := open(t, Config{})
				client, server := h.pair(tt.options...)
				r := rand.New(rand.NewPCG(seed, 1))
				ids := []uint32{0, 1, 2, 3, 4, peers}
				for range 1000 {
					conn := client
					if r.IntN(2) == 0 {
						conn = server
					}
					h.write(Command(3+r.IntN(19)), uint8(r.IntN(32)), uint16(r.IntN(8)), conn, ids[r.IntN(len(ids))], garbage(r))
					if r.IntN(8) != 0 {
						continue
					}
					h.commit()
					for g, ok := h.poll(); ok; g, ok = h.poll() {
						if g.id >= peers && len(ids) < 40 {
							ids = append(ids, g.id)
						}
						if g.Event == EvClosed && g.id == 0 && (g.conn == client || g.conn == server) {
							client, server = h.pair(tt.options...)
						}
					}
					if atomic.LoadUint32(h.mem.u32(offState)) == stateFailed {
						t.Fatalf("seed %d: %s", seed, h.mem[offReplyText:offReplyText+*h.mem.u32(offReplyLength)])
					}
				}
			})
		}
	}
}

// garbage returns a payload of some kind.
func garbage(r *rand.Rand) []byte {
	switch r.IntN(5) {
	case 0:
		return nil
	case 1:
		return le64(r.Uint64() >> r.IntN(64))
	case 2:
		return le64(uint64(r.IntN(5)))[:4]
	case 3:
		b := make([]byte, r.IntN(100))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	all := pairs(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", ":status", "200", "a", "b", ":protocol", "webtransport", ":subprotocol", "x", "content-length", "3", ":method", "HEAD", ":status", "103")
	fields := []qpack.Field{}
	switch r.IntN(3) {
	case 0:
		fields = append(fields, all[:4]...)
	case 1:
		fields = append(fields, all[4])
	}
	for range r.IntN(3) {
		fields = append(fields, all[r.IntN(len(all))])
	}
	return append(appendFields(nil, fields), make([]byte, r.IntN(3)*r.IntN(6000))...)
}

// TestBrokenRecord: a record that is not whole fails the port, whose loop then sleeps
// until the host closes it.
func TestBrokenRecord(t *testing.T) {
	for _, length := range []uint32{1 << 20, 1<<32 - 1, DefaultRing - headerSize + 1} {
		h := open(t, Config{})
		h.listen("alpn", "a")
		ring := h.mem.ring(offCommands, offCommandSize)
		r := record{typ: uint8(CmdClose), conn: 1}
		r.putHeader(ring[h.head:], length)
		h.head += headerSize
		h.commit()
		<-h.replied
		if state := atomic.LoadUint32(h.mem.u32(offState)); state != stateFailed {
			t.Fatalf("length %d: state %d", length, state)
		}
		if l := h.port.reader.Load(); l != nil && !l.Park() {
			t.Errorf("length %d: the loop of the failed port does not sleep", length)
		}
	}
}
