package webtransport

import (
	"bytes"
	"io"
	"testing"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
)

// limitedSettings are those of a client of draft 15 with flow control.
var limitedSettings = with(setting(wt.SettingDraft15, 1), datagramSettings, limitSettings)

// TestFlowControlCountsCancelled: what was sent on a stream counts for the session's
// limit whether it is read or not (draft 15, Section 5.4).
func TestFlowControlCountsCancelled(t *testing.T) {
	const limit, sent, read = 1000, 600, 100
	for name, cancel := range map[string]func(out *quic.Stream, in *ReceiveStream){
		"by a reset": func(out *quic.Stream, in *ReceiveStream) {
			out.CancelWrite(wt.ToHTTP(1))
			_, _ = io.ReadAll(in)
		},
		"by who reads":            func(_ *quic.Stream, in *ReceiveStream) { in.CancelRead(1) },
		"by who reads, at an end": func(out *quic.Stream, in *ReceiveStream) { _ = out.Close(); in.CancelRead(1) },
		"by both":                 func(out *quic.Stream, in *ReceiveStream) { out.CancelWrite(wt.ToHTTP(1)); in.CancelRead(1) },
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, &Config{MaxData: limit}, nil)
			c := ts.dialRaw(limitedSettings)
			s, session := c.session(ts, wt.TokenNew)
			out := c.uni(append(header(wt.TypeUni, s.ID()), make([]byte, sent)...))
			in, err := session.AcceptUniStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(in, make([]byte, read)); err != nil {
				t.Fatal(err)
			}
			cancel(out, in)
			want := content(capsule(wt.CapsuleMaxData, limit+sent))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("CONNECT stream has %x, %v, want %x", got, err, want)
			}
		})
	}
}

// TestAttackFlowControlCancelled: a reset hides nothing that is beyond the limit.
func TestAttackFlowControlCancelled(t *testing.T) {
	ts := serve(t, &Config{MaxData: 1000}, nil)
	c := ts.dialRaw(limitedSettings)
	s, session := c.session(ts, wt.TokenNew)
	out := c.uni(append(header(wt.TypeUni, s.ID()), make([]byte, 1001)...))
	in, err := session.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	out.CancelWrite(wt.ToHTTP(1))
	in.CancelRead(1)
	wantReset(t, "too much data", s, wt.CodeFlowControl)
	wait(t, "the session's end", session.Context().Done())
}

// TestFlowControlReturnsUnsent: what is written and never sent, as the stream is
// cancelled before the peer's window allows it, uses up nothing of the session's
// limit.
func TestFlowControlReturnsUnsent(t *testing.T) {
	const written = 4000 // a stream takes no more without the peer's leave
	for name, cancel := range map[string]func(out *SendStream, in *quic.Stream){
		"by who writes": func(out *SendStream, _ *quic.Stream) { out.CancelWrite(1) },
		"by who reads":  func(_ *SendStream, in *quic.Stream) { in.CancelRead(wt.ToHTTP(1)) },
		"after the end": func(out *SendStream, in *quic.Stream) { _ = out.Close(); in.CancelRead(wt.ToHTTP(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, nil)
			c := ts.dialRawWith(limitedSettings, &quic.Config{InitialStreamWindow: 2000, MaxStreamWindow: 2000})
			s, session := c.session(ts, wt.TokenNew)
			st := c.bidi(header(wt.SignalBidi, s.ID()))
			accepted, err := session.AcceptStream(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := accepted.Write(make([]byte, written)); err != nil {
				t.Fatal(err)
			}
			if sent := session.stats().Data.Used; sent != written {
				t.Fatalf("%d bytes are counted of %d", sent, written)
			}
			cancel(&accepted.SendStream, st)
			if !eventually(func() bool { return session.stats().Data.Used <= 2000 }) {
				t.Errorf("%d bytes are counted, but the window was 2000", session.stats().Data.Used)
			}
		})
	}
}
