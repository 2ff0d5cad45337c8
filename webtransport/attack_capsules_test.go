package webtransport

import (
	"context"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// TestAttackCapsulesPileUp: a peer that raises limits again and again, each by as
// little as can be, and does not take the answers, makes nothing pile up, whatever
// waits for the limits (as CVE-2024-22189 and CVE-2019-9515 for others' control
// frames).
func TestAttackCapsulesPileUp(t *testing.T) {
	const waiters, raises = 30, 1000
	for name, limit := range map[string]struct {
		raise h3.CapsuleType
		from  uint64
	}{
		"data":                  {wt.CapsuleMaxData, 10},
		"bidirectional streams": {wt.CapsuleMaxStreamsBidi, 1},
		"streams":               {wt.CapsuleMaxStreamsUni, waiters},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			settings := with(setting(wt.SettingDraft15, 1), datagramSettings, setting(wt.SettingMaxData, 10), setting(wt.SettingMaxStreamsUni, waiters), setting(wt.SettingMaxStreamsBidi, 1))
			c := ts.dialRawWith(settings, &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200})
			s, session := c.session(ts, wt.TokenNew)
			ctx, cancel := context.WithCancel(testContext(t))
			defer cancel()
			for range waiters {
				out, err := session.OpenUniStream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = out.Write(make([]byte, 1<<20)) }()
				go func() {
					for range waiters {
						_, _ = session.OpenStream(ctx)
					}
				}()
			}
			for i := range uint64(raises) {
				if _, err := s.Write(content(capsule(limit.raise, limit.from+1+i))); err != nil {
					t.Fatal(err)
				}
				session.unsent() // gives those who wait the time to ask for more
			}
			_, _ = s.Write(content(capsule(wt.CapsuleDrain)))
			wait(t, "the last capsule", session.Draining())
			if unsent := session.unsent(); unsent > 1000 {
				t.Errorf("%d bytes wait for the peer after %d capsules", unsent, raises)
			}
			_ = session.CloseWithError(0, "")
		})
	}
}

// unsent returns how much the session's tunnel keeps for the peer.
func (s *Session) unsent() int {
	unsent := make(chan int)
	event.Run(s.conn, func(turn event.Turn) { unsent <- s.tunnel.Unsent(turn) })
	return <-unsent
}

// TestDrainsCoalesce: an application that asks again and again, of a peer that does
// not read, makes nothing pile up either.
func TestDrainsCoalesce(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRawWith(browserSettings, &quic.Config{InitialStreamWindow: 1200, MaxStreamWindow: 1200})
	_, session := c.session(ts, wt.TokenOld)
	for range 1000 {
		session.Drain()
		session.unsent() // lets the loop have a turn
	}
	if unsent := session.unsent(); unsent > 100 {
		t.Errorf("%d bytes wait for the peer", unsent)
	}
}

// TestAttackTunnelUnsent: what others send on a tunnel that its peer does not read has
// a bound as well.
func TestAttackTunnelUnsent(t *testing.T) {
	ts := serve(t, nil, nil)
	_, session := ts.dialRaw(browserSettings).session(ts, wt.TokenOld)
	event.Run(session.conn, func(turn event.Turn) {
		for range 8 {
			session.tunnel.Send(turn, make([]byte, h3.MaxUnsent/2))
		}
	})
	wait(t, "the session's end", session.Context().Done())
}

// TestAttackCapsuleNotComplete: what is kept of a capsule that does not end counts for
// what all connections may hold, and a session for which there is no room is over.
func TestAttackCapsuleNotComplete(t *testing.T) {
	const size = 60_000
	b := append(h3.AppendFrameHeader(nil, h3.FrameType(h3.CapsuleDatagram), size+1), make([]byte, size)...)
	for _, limit := range []int64{16 << 20, 64 << 10} {
		tr, err := quic.NewTransport("127.0.0.1:0", &quic.TransportConfig{MaxBufferedBytes: limit})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tr.Close() })
		ts := &testServer{t: t, transport: tr, sessions: make(chan *Session, 1)}
		ts.start(nil, func(w http.ResponseWriter, r *http.Request) {
			if session, err := new(UpgradeConfig).Upgrade(w, r); err == nil {
				ts.sessions <- session
			}
		})
		c := ts.dialRaw(with(setting(wt.SettingDraft15, 1), datagramSettings, limitSettings))
		s, session := c.session(ts, wt.TokenNew)
		if _, err := s.Write(content(b)); err != nil {
			t.Fatal(err)
		}
		if limit < 1<<20 {
			wait(t, "the session's end", session.Context().Done())
			wantReset(t, "a capsule for which there is no room", s, h3.ExcessiveLoad)
			continue
		}
		if !eventually(func() bool { return tr.Stats().BufferedBytes >= size }) {
			t.Errorf("%d bytes are counted of a capsule of which %d are kept", tr.Stats().BufferedBytes, size)
		}
		_ = session.CloseWithError(0, "")
		_ = c.qc.CloseWithError(0, "")
		if !eventually(func() bool { return tr.Stats().BufferedBytes < size }) {
			t.Errorf("%d bytes are still counted", tr.Stats().BufferedBytes)
		}
	}
}
