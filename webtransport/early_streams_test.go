package webtransport

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
)

// maxBuffered is how many streams may wait for sessions to come.
const maxBuffered = 32

// TestAttackEarlyStreams: streams without a session wait within a bound, and others
// are refused with the code for that.
func TestAttackEarlyStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	const id = 400 // of a request that has not been sent
	for i := range 2 * maxBuffered {
		s := c.bidi(append(header(wt.SignalBidi, id), "data"...))
		if i >= maxBuffered {
			wantReset(t, "stream without a session", s, wt.CodeBufferedStreamRejected)
			wantStop(t, "stream without a session", s, wt.CodeBufferedStreamRejected)
		}
	}
	// The connection is as good as before.
	s, session := c.session(ts, wt.TokenOld)
	c.uni(append(header(wt.TypeUni, s.ID()), "hello"...))
	if _, err := session.AcceptUniStream(testContext(t)); err != nil {
		t.Error(err)
	}
}

// TestEarlyStreams: streams and datagrams that overtake their session wait for it.
func TestEarlyStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	s := c.bidi(nil) // nothing of it is sent yet
	bidi, uni := c.bidi(append(header(wt.SignalBidi, s.ID()), "bidi"...)), c.uni(append(header(wt.TypeUni, s.ID()), "uni"...))
	_, _ = bidi.Close(), uni.Close()
	if err := c.qc.SendDatagram(append(h3.AppendQuarterID(nil, s.ID()), "datagram"...)); err != nil {
		t.Fatal(err)
	}
	wait(t, "the streams' arrival", uni.Context().Done())
	_, _ = s.Write(request(wt.TokenOld))
	session := ts.accept()
	b, err := session.AcceptStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	u, err := session.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	d, err := session.ReceiveDatagram(testContext(t))
	if err != nil || string(d) != "datagram" || readAll(t, b) != "bidi" || readAll(t, u) != "uni" {
		t.Errorf("datagram %q, %v, or streams differ", d, err)
	}
}

// waitParked waits until n streams of a session's connection, reset or not, wait for
// sessions.
func waitParked(t testing.TB, session *Session, n int, reset bool) {
	t.Helper()
	parked := func() int {
		stats := session.hub.stats()
		if reset {
			return stats.BufferedResets
		}
		return stats.BufferedStreams - stats.BufferedResets
	}
	if !eventually(func() bool { return parked() == n }) {
		t.Fatalf("%d streams wait for a session, want %d", parked(), n)
	}
}

// TestEarlyResets: streams that were reset before their session was there tell it
// with which code, unless others need their room.
func TestEarlyResets(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	_, other := c.session(ts, wt.TokenOld)
	s := c.bidi(nil) // nothing of it is sent yet
	bidi, uni := c.bidi(header(wt.SignalBidi, s.ID())), c.uni(header(wt.TypeUni, s.ID()))
	waitParked(t, other, 2, false)
	bidi.CancelWrite(wt.ToHTTP(41))
	uni.CancelWrite(wt.ToHTTP(42))
	waitParked(t, other, 2, true)
	_, _ = s.Write(request(wt.TokenOld))
	session := ts.accept()
	b, err := session.AcceptStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Read(make([]byte, 1))
	wantStreamError(t, "bidirectional stream", err, 41, true)
	u, err := session.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Read(make([]byte, 1))
	wantStreamError(t, "unidirectional stream", err, 42, true)

	const later = 400 // of a request that has not been sent
	for i := range maxBuffered {
		unsent := c.uni(header(wt.TypeUni, later))
		waitParked(t, other, 1, false)
		unsent.CancelWrite(0)
		waitParked(t, other, i+1, true)
	}
	c.uni(header(wt.TypeUni, later))
	waitParked(t, other, 1, false)
	waitParked(t, other, maxBuffered-1, true)
}

// TestAttackRejectedStreams: what waits for a session goes when that is refused.
func TestAttackRejectedStreams(t *testing.T) {
	ts := serve(t, nil, nil)
	c := ts.dialRaw(browserSettings)
	s := c.bidi(nil)
	waiting := c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...))
	_, _ = s.Write(request(wt.TokenOld, "origin=https://elsewhere.example"))
	if r := readResponse(t, s); r.status != "403" {
		t.Errorf("status %s", r.status)
	}
	wantReset(t, "stream of a refused session", waiting, wt.CodeSessionGone)
}
