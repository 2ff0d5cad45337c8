package engine_test

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Attack: what makes the endpoint want to send control frames, a thousand times, by a
// peer that acknowledges nothing: while nothing can be sent, and while it can. What waits
// is bounded, whatever the peer does, or the connection ends.
func TestAttackControlFrames(t *testing.T) {
	const (
		times   = 1000
		streams = 10 // that the peer may have open
		// once is how many frames there are one of at most: HANDSHAKE_DONE, MAX_DATA,
		// DATA_BLOCKED, and MAX_STREAMS and STREAMS_BLOCKED of two kinds.
		once = 7
	)
	type held = engine.Held
	tests := []struct {
		name    string
		trigger func(p *puppet, i uint64) []frame
		app     func(p *puppet, s *engine.Stream)
		held    func(h held) int
		most    int
	}{
		{"PATH_RESPONSE", func(*puppet, uint64) []frame { return []frame{pathChallenge("whoareyou")} }, nil,
			func(h held) int { return h.PathAnswers }, engine.MaxPathAnswers},
		{"RETIRE_CONNECTION_ID", func(_ *puppet, i uint64) []frame { return []frame{newConnID(i+1, i+1, peerID(i+1))} }, nil,
			func(h held) int { return h.Retiring }, engine.MaxRetiring + 1},
		{"NEW_CONNECTION_ID", func(_ *puppet, i uint64) []frame { return []frame{retireConnID(i + 1)} }, nil,
			func(h held) int { return h.LocalIDs }, engine.MaxLocalIDs},
		{"ACK", func(p *puppet, _ uint64) []frame { p.spaces[wire.AppSpace].next++; return []frame{ping()} }, nil,
			func(h held) int { return h.AckRanges }, engine.MaxAckRanges},
		{"CRYPTO, received", func(p *puppet, i uint64) []frame {
			return []frame{crypto(p.spaces[wire.AppSpace].cryptoOut+1+2*i, []byte{1})}
		}, nil, func(h held) int {
			return max(h.CryptoBytes, h.CryptoGaps*engine.MaxLateCryptoBuffer/(engine.MaxCryptoGaps+1))
		}, engine.MaxLateCryptoBuffer},
		{"MAX_DATA and MAX_STREAM_DATA", func(p *puppet, i uint64) []frame {
			return []frame{stream(p.theirs(false, i%streams), i/streams*100, string(make([]byte, 100)), false)}
		}, func(p *puppet, s *engine.Stream) {
			_, _ = s.Recv.Read(make([]byte, 1000))
			p.conn.StreamConsumed(p.now, s)
		}, nil, 0},
		{"MAX_STREAMS", func(p *puppet, i uint64) []frame { return []frame{resetStream(p.theirs(true, i), 1, 0)} },
			func(p *puppet, s *engine.Stream) {
				_, _ = s.Recv.Read(make([]byte, 1))
				p.conn.StreamConsumed(p.now, s)
			}, nil, 0},
		{"RESET_STREAM", func(p *puppet, i uint64) []frame { return []frame{stopSending(p.theirs(false, i), 1)} }, nil, nil, 0},
		{"STOP_SENDING", func(p *puppet, i uint64) []frame { return []frame{stream(p.theirs(true, i), 0, "?", false)} },
			func(p *puppet, s *engine.Stream) { p.conn.StopSending(p.now, s, 1) }, nil, 0},
		{"STREAM_DATA_BLOCKED", func(p *puppet, i uint64) []frame {
			id := p.theirs(false, i%streams)
			return []frame{stream(id, 0, "?", false), maxStreamData(id, i/streams)}
		}, func(p *puppet, s *engine.Stream) {
			_, _ = s.Send.Write(make([]byte, 10))
			p.conn.StreamWritten(s)
		}, nil, 0},
		{"DATA_BLOCKED", func(p *puppet, i uint64) []frame {
			id := p.theirs(false, i%streams)
			return []frame{stream(id, 0, "?", false), maxStreamData(id, 1<<20), maxData(i)}
		}, func(p *puppet, s *engine.Stream) {
			_, _ = s.Send.Write(make([]byte, 10))
			p.conn.StreamWritten(s)
		}, nil, 0},
		{"STREAMS_BLOCKED", func(_ *puppet, i uint64) []frame { return []frame{maxStreams(true, i%streams)} },
			func(p *puppet, _ *engine.Stream) { _, _ = p.conn.OpenStream(true) }, nil, 0},
		{"nothing but acknowledgments", func(*puppet, uint64) []frame { return []frame{ping(), newConnID(1, 0, peerID(1))} }, nil, nil, 0},
	}
	for _, tt := range tests {
		for _, sends := range []bool{false, true} {
			p := newServer(t, withStreams(streams, streams), withWindows(1000, 3000), func(p *puppet) {
				p.params.InitialMaxStreamDataBidiLocal, p.params.InitialMaxData, p.params.InitialMaxStreamsUni = 0, 0, 0
				p.params.ActiveConnIDLimit = 100
			})
			p.handshake()
			for i := range uint64(times) {
				if p.conn.Closed() != nil {
					break
				}
				frames := tt.trigger(p, i)
				if sends {
					p.send(wire.AppSpace, frames...)
				} else {
					p.queue(wire.AppSpace, frames...)
				}
				if tt.app != nil && p.conn.Closed() == nil {
					for _, id := range []wire.StreamID{p.theirs(false, i%streams), p.theirs(true, i)} {
						if s := p.conn.StreamByID(id); s != nil {
							tt.app(p, s)
						}
					}
				}
				h := p.conn.Held()
				if most := once + engine.MaxPathAnswers + engine.MaxRetiring + 1 + engine.MaxLocalIDs + 2*streams; h.Control > most {
					t.Fatalf("%s, sends %v: %d control frames wait after %d, want %d at most", tt.name, sends, h.Control, i+1, most)
				}
				if tt.held != nil && tt.held(h) > tt.most {
					t.Fatalf("%s, sends %v: %d are held after %d, want %d at most", tt.name, sends, tt.held(h), i+1, tt.most)
				}
			}
		}
	}
}
