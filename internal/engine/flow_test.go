package engine

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// A window moves when half of it is consumed, and doubles when that took less
// than two round trips since it moved last.
func TestRecvWindow(t *testing.T) {
	const rtt = 100 * time.Millisecond
	w := recvWindow{max: 1000, window: 1000}
	steps := []struct {
		at          time.Duration
		consumed    uint64
		moves       bool
		max, window uint64
	}{
		{time.Second, 499, false, 1000, 1000},
		{time.Second, 500, true, 1500, 1000},                         // the first time it only moves
		{time.Second + rtt, 999, false, 1500, 1000},                  // not half yet
		{time.Second + 199*time.Millisecond, 1000, true, 3000, 2000}, // fast: doubles
		{3 * time.Second, 2000, true, 4000, 2000},                    // slow: moves
		{3 * time.Second, 2999, false, 4000, 2000},
		{3*time.Second + rtt, 3500, true, 6500, 3000}, // up to the limit
		{3*time.Second + rtt, 5500, true, 8500, 3000},
	}
	for i, s := range steps {
		w.consumed = s.consumed
		if got := w.grant(monotime.Time(s.at), rtt, 3000); got != s.moves || w.max != s.max || w.window != s.window {
			t.Fatalf("step %d: moves %v, %+v", i, got, w)
		}
	}
}

// Without a round-trip time nothing grows.
func TestRecvWindowWithoutRTT(t *testing.T) {
	w := recvWindow{max: 100, window: 100}
	for i := range monotime.Time(50) {
		w.consumed = w.max
		if !w.grant(i+1, 0, 1000) || w.window != 100 {
			t.Fatalf("%+v", w)
		}
	}
}

// The connection's limit counts what all streams received, and says so in the
// error; credit given up moves the limit as much.
func TestConnFlow(t *testing.T) {
	var f connFlow
	f.init(Config{InitialConnWindow: 1000, MaxConnWindow: 4000}.WithDefaults(), new(streambuf.Pool))
	if err := f.receive(1000); err != nil {
		t.Fatal(err)
	}
	if err := f.receive(1); err == nil || err.Code != wire.FlowControlError {
		t.Fatal(err)
	}
	f.forgo(0)
	if f.update.isSet() {
		t.Fatal("nothing given up is told")
	}
	f.forgo(300)
	if !f.update.due() || f.recv.max != 1300 || f.recv.window != 1000 {
		t.Fatalf("%+v", f.recv)
	}
	if err := f.receive(300); err != nil {
		t.Fatal(err)
	}
}

// MAX_DATA only raises, and ends DATA_BLOCKED.
func TestConnFlowRaise(t *testing.T) {
	var f connFlow
	f.raise(100)
	f.sent = 40
	f.blocked.set()
	f.raise(50)
	if f.credit() != 60 || !f.blocked.isSet() {
		t.Fatalf("credit %d", f.credit())
	}
	f.raise(101)
	if f.credit() != 61 || f.blocked.isSet() {
		t.Fatalf("credit %d", f.credit())
	}
}

// TestConnWindowBesideUnread: data that the application does not read yet fills more
// than half of the connection's window, and what it reads of another stream still
// opens the window, however much that is.
func TestConnWindowBesideUnread(t *testing.T) {
	for _, unread := range []uint64{500, 600, 900, 950} {
		unread <<= 10
		const window = 1000 << 10
		var f connFlow
		f.init(Config{InitialConnWindow: window, MaxConnWindow: window}.WithDefaults(), new(streambuf.Pool))
		c := &Conn{config: Config{InitialConnWindow: window, MaxConnWindow: window}.WithDefaults()}
		c.paths.Use(0, c.newPath(0, path.Addrs{}))
		if err := f.receive(unread); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			n := min(f.left(), 10_000)
			if n == 0 {
				t.Fatalf("with %d bytes unread the window is shut", unread)
			}
			if err := f.receive(n); err != nil {
				t.Fatal(err)
			}
			if f.account.AddRead(n); f.account.ReportDue() {
				f.collect(0, c)
			}
		}
		if f.recv.max > f.recv.consumed+window {
			t.Fatalf("%d bytes are granted beyond the window", f.recv.max-f.recv.consumed-window)
		}
	}
}

// What was read before others left their data unread is given back as well, once the
// peer has used up what it was granted: also if it is less than half of the window.
func TestConnWindowUnreadAfterReading(t *testing.T) {
	const window = 1000 << 10
	for _, read := range []uint64{10 << 10, 100 << 10, 300 << 10, 400 << 10} {
		config := Config{InitialConnWindow: window, MaxConnWindow: window}.WithDefaults()
		var f connFlow
		f.init(config, new(streambuf.Pool))
		c := &Conn{config: config}
		c.paths.Use(0, c.newPath(0, path.Addrs{}))
		if err := f.receive(read); err != nil {
			t.Fatal(err)
		}
		f.account.AddRead(read)
		f.collect(0, c)
		const unread = 900 << 10
		for range unread / 10_000 {
			if err := f.receive(10_000); err != nil {
				t.Fatalf("with %d bytes read, of which none is in the window any more: %v", read, err)
			}
		}
	}
}

// TestSmallConnWindow: the smallest windows do not shut when the engine learns with new
// data what was read, and what is read of that data is too little to be reported.
func TestSmallConnWindow(t *testing.T) {
	for _, window := range []uint64{1200, 3000, 5000, 8000} {
		config := Config{InitialConnWindow: window, MaxConnWindow: window}.WithDefaults()
		var f connFlow
		f.init(config, new(streambuf.Pool))
		c := &Conn{config: config}
		c.paths.Use(0, c.newPath(0, path.Addrs{}))
		for round := range 100 {
			first := f.left()*3/4 + 1
			for _, n := range []uint64{first, f.left() - first} {
				if err := f.receive(n); err != nil {
					t.Fatal(err)
				}
				f.account.AddRead(n) // and the loop is told when the next has come
			}
			if f.account.ReportDue() {
				f.collect(0, c)
			}
			if f.left() == 0 {
				t.Fatalf("round %d: a window of %d bytes is shut, with %d consumed and %d read", round, window, f.recv.consumed, f.account.Unreported())
			}
		}
	}
}

// TestLargestConnWindow: a window as large as any may be moves no further, as no frame
// could say that.
func TestLargestConnWindow(t *testing.T) {
	config := Config{InitialStreamWindow: wire.MaxVarint}.WithDefaults()
	var f connFlow
	f.init(config, new(streambuf.Pool))
	c := &Conn{config: config}
	c.paths.Use(0, c.newPath(0, path.Addrs{}))
	f.forgo(1000)
	f.widen(1, c, wire.MaxVarint)
	f.consume(1, c, wire.MaxVarint-1000)
	f.relieve()
	if f.recv.max != wire.MaxVarint {
		t.Errorf("the limit is %#x, want %#x", f.recv.max, uint64(wire.MaxVarint))
	}
}
