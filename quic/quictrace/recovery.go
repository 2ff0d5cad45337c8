package quictrace

import "time"

// RecoveryParametersSet says what loss detection and congestion control go by. It comes
// once, when the connection begins (RFC 9002, Appendixes A.2 and B.2).
type RecoveryParametersSet struct {
	ReorderingThreshold           int           // in packets
	TimeThreshold                 float64       // in round trips
	TimerGranularity              time.Duration // a millisecond
	InitialRTT                    time.Duration
	MaxDatagramSize               int     // in bytes, in the beginning
	InitialCongestionWindow       int     // in bytes
	MinimumCongestionWindow       int     // in bytes
	LossReductionFactor           float64 // 0 for controllers that have none
	PersistentCongestionThreshold int     // in probe timeouts
}

// Name implements Event.
func (*RecoveryParametersSet) Name() string { return "quic:recovery_parameters_set" }

// RecoveryMetricsUpdated says how the path in use looks, when one of these has changed.
type RecoveryMetricsUpdated struct {
	// The round-trip times are 0 before there is a sample (RFC 9002, Section 5).
	MinRTT, SmoothedRTT, LatestRTT, RTTVariance time.Duration

	CongestionWindow, BytesInFlight int // in bytes
}

// Name implements Event.
func (*RecoveryMetricsUpdated) Name() string { return "quic:recovery_metrics_updated" }

// CongestionStateUpdated says that the congestion controller has come to a state, which
// has a name of its own: "slow_start", "congestion_avoidance", "recovery".
type CongestionStateUpdated struct {
	Old string // empty at first
	New string
}

// Name implements Event.
func (*CongestionStateUpdated) Name() string { return "quic:congestion_state_updated" }

// ECNState is what is known of marks for congestion on the path in use (RFC 9000,
// Appendix A.4).
type ECNState string

// The states of marks for congestion.
const (
	ECNTesting ECNState = "testing"
	ECNFailed  ECNState = "failed"
	ECNCapable ECNState = "capable"
)

// ECNStateUpdated says that ECN has come to a state.
type ECNStateUpdated struct {
	Old ECNState // empty at first
	New ECNState
}

// Name implements Event.
func (*ECNStateUpdated) Name() string { return "quic:ecn_state_updated" }
