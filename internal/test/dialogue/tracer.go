package dialogue

import (
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// tracer prints what a connection does.
type tracer struct {
	talk *talk
	side wire.Side

	version uint32
}

// Trace implements quictrace.Tracer.
func (t *tracer) Trace(_ time.Duration, e quictrace.Event) {
	switch e := e.(type) {
	case *quictrace.PacketSent:
		t.say("sends %v %d: %s", sim.PacketName(e.Type), e.Number, sim.DescribeFrames(e.Frames))
	case *quictrace.PacketDropped:
		t.say("drops %d bytes: %s %s", e.Size, e.Trigger, e.Detail)
	case *quictrace.PacketBuffered:
		t.say("keeps %d bytes for which it has no keys yet", e.Size)
	case *quictrace.PacketLost:
		t.say("has lost %v %d: %s", sim.PacketName(e.Type), e.Number, e.Trigger)
	case *quictrace.KeyDiscarded:
		if !e.Server { // one of the two that go together
			t.say("forgets the keys of %v", sim.PacketName(e.Type))
		}
	case *quictrace.VersionInformation:
		if e.Chosen != t.version {
			t.version = e.Chosen
			t.say("uses %v", wire.Version(e.Chosen))
		}
	case *quictrace.ConnectionStateUpdated:
		switch e.New {
		case quictrace.StateAttempted:
		case quictrace.StateClosed:
			t.say("has forgotten the connection")
		default:
			t.say("is %s", strings.ReplaceAll(string(e.New), "_", " "))
		}
	}
}

func (t *tracer) say(format string, args ...any) {
	t.talk.say(t.talk.run.Now(), t.side, format, args...)
}
