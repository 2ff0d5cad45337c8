package congestion

import (
	"math"
	"math/rand/v2"
	"time"
)

// bbr is BBR, version 3 (draft-ietf-ccwg-bbr). It models the path by the rate at which it
// delivers and the least round-trip time, and sends at that rate with little more in flight
// than their product:
//
//	Startup ──▶ Drain ──▶ ProbeBW: Down ──▶ Cruise ──▶ Refill ──▶ Up ──▶ Down …
//	   ▲                     ▲
//	   └──── ProbeRTT ───────┘   every few seconds, from any state
//
// The files bbr_*.go have its parts; sections are the draft's, and where a name is not the
// draft's own, the comment has that.
type bbr struct {
	state bbrState
	rand  *rand.Rand

	datagram      int    // C.SMSS
	initialWindow int    // C.InitialCwnd
	maxWindow     int    // bytes
	window        int    // C.cwnd
	priorWindow   int    // the last one that neither recovery nor ProbeRTT has cut
	rate          uint64 // C.pacing_rate, 0 before the first round trip was measured
	quantum       int    // C.send_quantum

	bbrRound
	bbrModel
	bbrFullPipe
	bbrProbe
	bbrMinRTT
	bbrLoss
	bbrUndo
	idleRestart bool
}

// bbrState is a state of the machine of Section 5.1.
type bbrState uint8

const (
	bbrStartup bbrState = iota
	bbrDrain
	bbrDown
	bbrCruise
	bbrRefill
	bbrUp
	bbrProbeRTT
)

// The gains and names of the states (Section 5.6.1).
var bbrStates = [...]struct {
	name           string
	pacing, window float64
}{
	bbrStartup:  {"startup", 2.77, 2},
	bbrDrain:    {"drain", 0.5, 2},
	bbrDown:     {"probe_bw_down", 0.9, 2},
	bbrCruise:   {"probe_bw_cruise", 1, 2},
	bbrRefill:   {"probe_bw_refill", 1, 2},
	bbrUp:       {"probe_bw_up", 1.25, 2.25},
	bbrProbeRTT: {"probe_rtt", 1, 0.5},
}

// Constants of Sections 2.4 to 2.7.
const (
	bbrLossThresh    = 0.02
	bbrBeta          = 0.7
	bbrHeadroom      = 0.15
	bbrPacingMargin  = 0.01
	bbrMinPipe       = 4 // packets
	bbrMaxQuantum    = 64 << 10
	bbrMinRTTFilter  = 10 * time.Second
	bbrProbeInterval = 5 * time.Second
	bbrProbeDuration = 200 * time.Millisecond
	bbrMaxDrain      = 3 // rounds
)

// No bound, and no sample.
const (
	noVolume = math.MaxInt
	noRate   = math.MaxUint64
	noRTT    = time.Duration(math.MaxInt64)
)

// bbrRound counts round trips by packets (Section 5.5.1).
type bbrRound struct {
	count    int
	start    bool   // the feedback at hand begins one
	roundEnd uint64 // BBR.next_round_delivered

	full, wasFull bool // the window was used up in this round, and in the one before
}

// NewBBR returns a BBR controller, version 3 (draft-ietf-ccwg-bbr), for a new path. It keeps
// queues short, and random losses of up to one percent slow it down little; beyond two
// percent it gives way, as the draft has it. Beside CUBIC it takes more than its share of a
// link with a shallow buffer, and less of one with a deep one. It is experimental, as the
// draft is.
func NewBBR(cfg Config) Controller {
	cfg = cfg.withDefaults()
	w := newWindow(cfg)
	b := &bbr{
		rand: cfg.Rand, datagram: cfg.MaxDatagramSize, maxWindow: cfg.MaxWindow,
		window: w.Window(), initialWindow: w.Window(),
	}
	if b.rand == nil {
		b.rand = rand.New(rand.NewPCG(1, 2))
	}
	b.minRTT, b.probeMinRTT = noRTT, noRTT
	b.minRTTAt, b.probeMinRTTAt, b.extraSince = cfg.Now, cfg.Now, cfg.Now
	b.inflightLong, b.ackedPerGrowth = noVolume, noVolume
	b.resetShortTerm()
	return b
}

// OnSent implements Controller: it handles the restart from idle (Section 5.4.1).
func (b *bbr) OnSent(s *Sent) {
	if s.InFlight+s.Bytes >= b.window {
		b.full = true
	}
	if s.InFlight != 0 || !s.AppLimited {
		return
	}
	b.idleRestart = true
	b.extraSince = s.Now
	if b.probing() {
		b.setRate(1)
	} else if b.state == bbrProbeRTT {
		b.checkProbeRTTDone(s.Now, 0)
	}
}

// OnFeedback implements Controller. Losses come before arrivals, which update the model by
// the rates that the losses belong to (Section 5.2).
func (b *bbr) OnFeedback(f *Feedback) {
	b.onLate(f)
	b.onLost(f)
	if f.Marked > 0 {
		b.onMarked(f)
	}
	if len(f.Acked) > 0 {
		b.updateModel(f)
		b.updateControl(f)
	}
	if f.Persistent { // as after an RTO: Section 5.6.4.4
		b.window = b.clampWindow(f.InFlight + b.datagram)
	}
}

// updateModel is UpdateModelAndState (Section 5.2.3).
func (b *bbr) updateModel(f *Feedback) {
	r := &f.Rate
	limited := b.limited(r)
	b.updateLatest(f)
	b.updateRound(f)
	b.updateMaxBW(r, limited)
	b.adaptToLoss()
	b.updateAggregation(f)
	b.checkFullPipe(r, limited)
	b.checkStartupDone(f)
	b.checkDrainDone(f)
	b.updateCycle(f, limited)
	b.updateMinRTT(f)
	b.checkProbeRTT(f)
	if b.lossRoundStart {
		b.bwLatest, b.inflightLatest = r.BytesPerSecond, r.Delivered
	}
	b.bw = min(b.maxBW(), b.bwShort)
}

// updateRound notices that a round trip has passed, by a packet that left after it began.
func (b *bbr) updateRound(f *Feedback) {
	if b.start = f.Rate.Packet.TotalDelivered >= b.roundEnd; b.start {
		b.startRound(f.TotalDelivered)
		b.count++
		b.roundsSinceUp++
		b.full, b.wasFull = false, b.full
	}
}

func (b *bbr) startRound(delivered uint64) { b.roundEnd = delivered }

// windowLimited is C.is_cwnd_limited.
func (b *bbr) windowLimited() bool { return b.full || b.wasFull }

// SetMaxDatagramSize implements Controller.
func (b *bbr) SetMaxDatagramSize(bytes int) {
	if b.count == 0 && b.window == b.initialWindow {
		b.window = b.window * bytes / b.datagram
		b.initialWindow = b.window
	}
	b.datagram = bytes
	b.window = b.clampWindow(b.window)
}

// Window implements Controller.
func (b *bbr) Window() int { return b.window }

// PacingRate implements Controller.
func (b *bbr) PacingRate() uint64 { return b.rate }

// SendQuantum implements Controller.
func (b *bbr) SendQuantum() int { return b.quantum }

// Metrics implements Controller.
func (b *bbr) Metrics() Metrics { return Metrics{State: bbrStates[b.state].name} }

// probing is IsInAProbeBWState.
func (b *bbr) probing() bool { return b.state >= bbrDown && b.state <= bbrUp }

// accelerating is IsProbingBW.
func (b *bbr) accelerating() bool {
	return b.state == bbrStartup || b.state == bbrRefill || b.state == bbrUp
}
