package webtransport

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// simSession has a session of one end to be looked at in virtual time.
func simSession(t *testing.T, s *simScenario, test func(t *testing.T, w *simWorld, client, server *Session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newSimWorld(t, s, 1)
		defer w.close()
		ends := w.open(t.Context())[0].ends
		test(t, w, ends[0].session, ends[1].session)
	})
}

// until returns how long it takes for the session to end, and why it did.
func until(s *Session) (time.Duration, error) {
	start := time.Now()
	<-s.Context().Done()
	return time.Since(start), context.Cause(s.Context())
}

const simIdle = 20 * time.Second

// TestIdleSession: the session of a page that was closed, which its browser still
// acknowledges what is sent in, is closed after the time set.
func TestIdleSession(t *testing.T) {
	simSession(t, &simScenario{idle: simIdle}, func(t *testing.T, _ *simWorld, client, server *Session) {
		go func() {
			for server.SendDatagram([]byte("anybody there?")) == nil {
				time.Sleep(time.Second)
			}
		}()
		took, err := until(server)
		want := SessionError{Reason: "nothing was received for 20s"}
		var closed *SessionError
		if !errors.As(err, &closed) || *closed != want || took < simIdle-time.Second || took > simIdle {
			t.Errorf("ended after %v with %v, want %v with %v", took, err, simIdle, &want)
		}
		want.Remote = true
		wantSessionError(t, client, want)
	})
}

// TestIdleSessionIsNot: whatever the peer sends keeps a session.
func TestIdleSessionIsNot(t *testing.T) {
	for name, send := range map[string]func(client, server *Session) error{
		"a datagram": func(client, server *Session) error {
			if err := client.SendDatagram(nil); err != nil {
				return err
			}
			_, err := server.ReceiveDatagram(server.Context())
			return err
		},
		"a stream": func(client, server *Session) error {
			_, err := client.OpenUniStream(client.Context())
			return err
		},
		"data": func(client, server *Session) error {
			out, err := client.OpenUniStream(client.Context())
			if err != nil {
				return err
			}
			in, err := server.AcceptUniStream(server.Context())
			if err != nil {
				return err
			}
			for i := range 3 {
				time.Sleep(time.Duration(i) * simIdle / 4)
				if _, err := out.Write([]byte{1}); err != nil {
					return err
				}
				if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
					return err
				}
			}
			return nil
		},
		"a capsule": func(client, _ *Session) error {
			client.Drain()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			simSession(t, &simScenario{idle: simIdle}, func(t *testing.T, _ *simWorld, client, server *Session) {
				for range 5 {
					if err := send(client, server); err != nil {
						t.Fatal(err)
					}
					time.Sleep(simIdle * 3 / 4)
				}
				if took, _ := until(server); took < simIdle/8 || took > simIdle/2 {
					t.Errorf("ended %v after the last, want %v", took+simIdle*3/4, simIdle)
				}
			})
		})
	}
}

// TestSilentPeer: a peer that is gone without a word is noticed by the transport.
func TestSilentPeer(t *testing.T) {
	simSession(t, &simScenario{}, func(t *testing.T, w *simWorld, client, server *Session) {
		w.network.Drop(func(_, _ netip.AddrPort, _ []byte) bool { return true })
		for _, s := range []*Session{client, server} {
			took, err := until(s)
			if !errors.As(err, new(*quic.IdleTimeoutError)) || took > 2*time.Minute {
				t.Errorf("ended after %v with %v", took, err)
			}
		}
	})
}
