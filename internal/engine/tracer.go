package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// tracer tells a quictrace.Tracer what its connection does. A connection that nobody
// observes has none, and pays with comparisons with nil. Events that are frequent are made
// in place, so that they cost no memory.
type tracer struct {
	to         quictrace.Tracer
	begun, now monotime.Time // when the connection began, and of the last event

	// What was told last:
	state      quictrace.State
	metrics    quictrace.RecoveryMetricsUpdated
	congestion string
	ecn        quictrace.ECNState
	mtu        int
	localID    wire.ConnectionID // where the peer's packets go
	remoteID   wire.ConnectionID // where those of this end go

	sent      quictrace.PacketSent
	received  quictrace.PacketReceived
	leaving   quictrace.UDPDatagramsSent
	arriving  quictrace.UDPDatagramsReceived
	halfState quictrace.StreamStateUpdated
}

// tell tells of an event.
func (t *tracer) tell(now monotime.Time, e quictrace.Event) {
	t.now = now
	t.to.Trace(now.Sub(t.begun), e)
}

// Tracer returns who is told what happens on the connection, nil for nobody. Others may
// tell it of what they do on top.
func (c *Conn) Tracer() quictrace.Tracer {
	if c.tracer == nil {
		return nil
	}
	return c.tracer.to
}

// startTrace makes the connection's tracer and tells it how the connection begins.
func (c *Conn) startTrace(now monotime.Time) {
	if c.config.NewTracer == nil {
		return
	}
	original := c.hs.originalDstID
	to := c.config.NewTracer(quictrace.Info{Server: c.side == wire.ServerSide, OriginalID: original.Bytes()})
	if to == nil {
		return
	}
	p := c.paths.Current
	c.tracer = &tracer{to: to, begun: now, localID: c.ids.local[0].id, remoteID: p.Peer.ID}
	c.tracer.tell(now, &quictrace.ConnectionStarted{
		Local: p.Local, Remote: p.Remote, LocalID: c.tracer.localID.Bytes(), RemoteID: c.tracer.remoteID.Bytes(),
	})
	if c.side == wire.ClientSide {
		c.traceState(now, quictrace.StateAttempted)
	}
	c.traceVersion(now, nil)
	c.tracer.tell(now, &quictrace.RecoveryParametersSet{
		ReorderingThreshold:           recovery.PacketThreshold,
		TimeThreshold:                 recovery.TimeThreshold,
		TimerGranularity:              recovery.Granularity,
		InitialRTT:                    recovery.InitialRTT,
		MaxDatagramSize:               minDatagramSize,
		InitialCongestionWindow:       p.Controller.Window(),
		MinimumCongestionWindow:       minCongestionWindow,
		PersistentCongestionThreshold: recovery.PersistentThreshold,
	})
}

// minCongestionWindow is what RFC 9002, Section 7.2, recommends, in bytes.
const minCongestionWindow = 2 * minDatagramSize

// traceVersion tells of the present version; theirs are the peer's if they are known.
func (c *Conn) traceVersion(now monotime.Time, theirs []wire.Version) {
	if c.tracer == nil {
		return
	}
	client, server := c.config.Versions, theirs
	if c.side == wire.ServerSide {
		client, server = server, client
	}
	c.tracer.tell(now, &quictrace.VersionInformation{
		Chosen: uint32(c.version), Client: versionNumbers(client), Server: versionNumbers(server),
	})
}

func versionNumbers(versions []wire.Version) (numbers []uint32) {
	for _, v := range versions {
		numbers = append(numbers, uint32(v))
	}
	return numbers
}

func (c *Conn) traceState(now monotime.Time, state quictrace.State) {
	if t := c.tracer; t != nil {
		old := t.state
		t.state = state
		t.tell(now, &quictrace.ConnectionStateUpdated{Old: old, New: state})
	}
}

// traceParameters tells of the transport parameters of this end, or the peer's if remote.
func (c *Conn) traceParameters(now monotime.Time, p *wire.TransportParameters, remote bool) {
	if c.tracer == nil {
		return
	}
	c.tracer.tell(now, &quictrace.ParametersSet{
		Remote:                          remote,
		OriginalDestinationConnectionID: optionalID(p.OriginalDstID),
		InitialSourceConnectionID:       optionalID(p.InitialSrcID),
		RetrySourceConnectionID:         optionalID(p.RetrySrcID),
		DisableActiveMigration:          p.DisableActiveMigration,
		MaxIdleTimeout:                  p.MaxIdleTimeout,
		MaxUDPPayloadSize:               p.MaxUDPPayloadSize,
		AckDelayExponent:                uint64(p.AckDelayExponent),
		MaxAckDelay:                     p.MaxAckDelay,
		ActiveConnectionIDLimit:         p.ActiveConnIDLimit,
		InitialMaxData:                  p.InitialMaxData,
		InitialMaxStreamDataBidiLocal:   p.InitialMaxStreamDataBidiLocal,
		InitialMaxStreamDataBidiRemote:  p.InitialMaxStreamDataBidiRemote,
		InitialMaxStreamDataUni:         p.InitialMaxStreamDataUni,
		InitialMaxStreamsBidi:           p.InitialMaxStreamsBidi,
		InitialMaxStreamsUni:            p.InitialMaxStreamsUni,
		MaxDatagramFrameSize:            p.MaxDatagramFrameSize,
		GreaseQUICBit:                   p.GreaseQUICBit,
		ResetStreamAt:                   p.ResetStreamAt,
	})
}

// optionalID returns the bytes of an ID, nil if it is not there.
func optionalID(id wire.OptionalID) []byte {
	if !id.Set {
		return nil
	}
	return append([]byte{}, id.Bytes()...)
}

// traceMetrics tells of what acknowledgments, losses and probe timeouts change.
func (c *Conn) traceMetrics(now monotime.Time) {
	t := c.tracer
	if t == nil {
		return
	}
	p := c.paths.Current
	m := quictrace.RecoveryMetricsUpdated{
		MinRTT: p.RTT.Min, SmoothedRTT: p.RTT.Smoothed, LatestRTT: p.RTT.Latest, RTTVariance: p.RTT.Var,
		CongestionWindow: p.Controller.Window(), BytesInFlight: p.InFlight(),
	}
	if m != t.metrics {
		t.metrics = m
		t.tell(now, &t.metrics)
	}
	if mtu := p.MTU.Size(); mtu != t.mtu {
		t.tell(now, &quictrace.MTUUpdated{Old: t.mtu, New: mtu})
		t.mtu = mtu
	}
	if state := p.Controller.Metrics().State; state != t.congestion {
		t.tell(now, &quictrace.CongestionStateUpdated{Old: t.congestion, New: state})
		t.congestion = state
	}
	if ecn := c.ecnState(p); ecn != t.ecn {
		t.tell(now, &quictrace.ECNStateUpdated{Old: t.ecn, New: ecn})
		t.ecn = ecn
	}
}

// ecnState names the state of ECN on a path (RFC 9000, Appendix A.4).
func (c *Conn) ecnState(p *path.Path) quictrace.ECNState {
	switch {
	case p.Mark() == path.NotECT:
		return quictrace.ECNFailed
	case c.ecn.ect0+c.ecn.ce > 0:
		return quictrace.ECNCapable
	}
	return quictrace.ECNTesting
}
