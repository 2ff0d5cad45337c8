package dialogue

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// tracer prints what a connection does.
type tracer struct {
	engine.NopTracer
	talk *talk
	side wire.Side

	version wire.Version
}

// PacketSent implements engine.Tracer.
func (t *tracer) PacketSent(now monotime.Time, p engine.OpenPacket) {
	t.talk.say(now, t.side, "sends %v %d: %s", p.Level, p.Number, sim.DescribeFrames(p.Frames))
}

// PacketDropped implements engine.Tracer.
func (t *tracer) PacketDropped(now monotime.Time, size int, trigger engine.DropTrigger, detail string) {
	t.talk.say(now, t.side, "drops %d bytes: %s %s", size, trigger, detail)
}

// PacketBuffered implements engine.Tracer.
func (t *tracer) PacketBuffered(now monotime.Time, size int) {
	t.talk.say(now, t.side, "keeps %d bytes for which it has no keys yet", size)
}

// PacketLost implements engine.Tracer.
func (t *tracer) PacketLost(now monotime.Time, space wire.Space, pn wire.PacketNumber, trigger engine.LossTrigger, _ bool) {
	t.talk.say(now, t.side, "has lost %v %d: %s", space, pn, trigger)
}

// KeysDiscarded implements engine.Tracer.
func (t *tracer) KeysDiscarded(now monotime.Time, level wire.Level, _ uint64) {
	t.talk.say(now, t.side, "forgets the keys of %v", level)
}

// VersionKnown implements engine.Tracer.
func (t *tracer) VersionKnown(now monotime.Time, chosen wire.Version, _, _ []wire.Version) {
	if chosen != t.version {
		t.version = chosen
		t.talk.say(now, t.side, "uses %v", chosen)
	}
}

// StateUpdated implements engine.Tracer.
func (t *tracer) StateUpdated(now monotime.Time, state string) {
	if state != engine.TracedAttempted {
		t.talk.say(now, t.side, "is %s", strings.ReplaceAll(state, "_", " "))
	}
}

// Released implements engine.Tracer.
func (t *tracer) Released(now monotime.Time) { t.talk.say(now, t.side, "has forgotten the connection") }
