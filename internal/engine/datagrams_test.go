package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestDatagramTrains: DATAGRAM frames that fill packets alike leave in one train,
// though the packets are shorter than they might be, and none is lost for that.
func TestDatagramTrains(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sizes []int
		want  []int // datagrams in each train
	}{
		{"alike", []int{900, 900, 900, 900}, []int{4}},
		{"the last is shorter", []int{900, 900, 700}, []int{3}},
		{"one is shorter", []int{900, 700, 900, 900}, []int{2, 2}},
		{"one is longer", []int{900, 901, 900}, []int{1, 2}},
		{"two in a packet", []int{500, 500, 500, 500, 500, 500}, []int{6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, engine.Config{Datagrams: true})
			p.exchange()
			client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
			for _, n := range tt.sizes {
				if err := client.conn.Datagrams().Out.Send(make([]byte, n)); err != nil {
					t.Fatal(err)
				}
			}
			var trains, arrived []int
			for len(arrived) < len(tt.sizes) {
				if !p.sendTrain(client, server) {
					t.Fatalf("%d of %d datagrams arrived", len(arrived), len(tt.sizes))
				}
				received := server.conn.PollDatagrams()
				for _, b := range received {
					arrived = append(arrived, len(b))
				}
				trains = append(trains, len(received))
			}
			if !slices.Equal(trains, tt.want) || !slices.Equal(arrived, tt.sizes) {
				t.Errorf("trains of %v datagrams, want %v; sizes %v, want %v", trains, tt.want, arrived, tt.sizes)
			}
		})
	}
}

// TestTrainWithAcknowledgment: an ACK frame, which leaves the first packet of a train less
// room for datagrams than the others have, does not end the train.
func TestTrainWithAcknowledgment(t *testing.T) {
	p := newPair(t, engine.Config{Datagrams: true, DatagramBurst: -1})
	p.exchange()
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	for range 3 { // each in a packet of its own
		if err := client.conn.Datagrams().Out.Send(make([]byte, 900)); err != nil {
			t.Fatal(err)
		}
	}
	p.sendTrain(client, server)
	const n = 100
	for range n {
		if err := server.conn.Datagrams().Out.Send(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	before := client.conn.Stats().BytesInFlight
	p.sendTrain(server, client)
	if arrived := client.conn.ReceivedDatagrams(); arrived != n {
		t.Errorf("%d of %d datagrams left in the first train", arrived, n)
	}
	if after := client.conn.Stats().BytesInFlight; before == 0 || after != 0 {
		t.Errorf("%d bytes are in flight, %d before: the train has no acknowledgment", after, before)
	}
}

// TestDatagramFrameLimit: no DATAGRAM frame is longer than the peer takes (RFC 9221, Section
// 3).
func TestDatagramFrameLimit(t *testing.T) {
	const limit = 100
	p := newServer(t, func(p *puppet) { p.config.Datagrams = true; p.params.MaxDatagramFrameSize = limit })
	p.handshake()
	out := &p.conn.Datagrams().Out
	most := out.Limit()
	if err := out.Send(make([]byte, most+1)); err == nil {
		t.Error("more is taken than fits")
	}
	if err := out.Send(make([]byte, most)); err != nil {
		t.Fatal(err)
	}
	p.poll()
	found := 0
	for _, f := range p.frames {
		if f.kind()&^1 != wire.FrameDatagram {
			continue
		}
		if found++; len(f.frame) > limit || len(f.frame) < limit-1 {
			t.Errorf("a DATAGRAM frame of %d bytes, where %d are allowed", len(f.frame), limit)
		}
	}
	if found != 1 {
		t.Errorf("%d DATAGRAM frames", found)
	}
}

// TestDatagramsWaitForWindow: DATAGRAM frames wait for the congestion window (RFC 9221,
// Section 5.4).
func TestDatagramsWaitForWindow(t *testing.T) {
	p := newPair(t, engine.Config{Datagrams: true, DatagramBurst: -1})
	p.exchange()
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	const n = 300
	for range n {
		if err := client.conn.Datagrams().Out.Send(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 * n {
		if p.sendTrain(client, server) {
			server.conn.PollDatagrams()
			continue
		}
		at := client.conn.Deadline()
		if !at.After(p.now) || at.Sub(p.now) > time.Millisecond {
			break // it does not wait for the pacer
		}
		p.now = at
		client.conn.HandleDeadline(p.now)
	}
	stats, packet := client.conn.Stats(), 1200 // which may begin while there is room
	if waiting := client.conn.Datagrams().Out.Len(); waiting == 0 || waiting == n || stats.BytesInFlight >= stats.CongestionWindow+packet {
		t.Errorf("%d of %d datagrams wait, %d bytes are in flight, the window is %d", waiting, n, stats.BytesInFlight, stats.CongestionWindow)
	}
}

// TestPollDatagrams: datagrams come in order, until they are polled, as parts of what was
// received, and do not reach into what is behind them. The event tells of them once.
func TestPollDatagrams(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.config.Datagrams = true; p.params.MaxDatagramFrameSize = 65535 })
	p.handshake()
	p.events = nil
	p.send(wire.AppSpace, datagramFrame("one"), datagramFrame(""))
	p.send(wire.AppSpace, datagramFrame("three"))
	if n := p.conn.ReceivedDatagrams(); n != 3 {
		t.Fatalf("%d datagrams wait", n)
	}
	list := p.conn.PollDatagrams()
	for i, want := range []string{"one", "", "three"} {
		if string(list[i]) != want || len(list[i]) != cap(list[i]) {
			t.Errorf("datagram %d is %q, with room for %d bytes", i, list[i], cap(list[i]))
		}
	}
	if len(list) != 3 || len(p.conn.PollDatagrams()) != 0 {
		t.Errorf("%d datagrams, or they come again", len(list))
	}
	p.send(wire.AppSpace, datagramFrame("four"))
	if list = p.conn.PollDatagrams(); len(list) != 1 || string(list[0]) != "four" {
		t.Errorf("%q", list)
	}
}

// datagramTrains lets a client send the datagrams that wait, in time, and returns how
// many arrive in each train, and how long that took. refill is called before each.
func datagramTrains(t *testing.T, p *pair, refill func()) (trains []int, took time.Duration) {
	t.Helper()
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	start := p.now
	for refill(); client.conn.Datagrams().Out.Len() > 0; refill() {
		if !p.sendTrain(client, server) {
			if p.sendTrain(server, client) {
				continue // acknowledgments
			}
			at := client.conn.Deadline()
			if !at.After(p.now) || at.Sub(p.now) > time.Millisecond {
				t.Fatalf("%d datagrams wait, the deadline is %v away", client.conn.Datagrams().Out.Len(), at.Sub(p.now))
			}
			p.now = at
			client.conn.HandleDeadline(p.now)
			continue
		}
		trains = append(trains, len(server.conn.PollDatagrams()))
	}
	return trains, p.now.Sub(start)
}

// TestDatagramBursts: who sends few datagrams sends a few of them at a time, as
// receivers keep few of what they read at once; who sends many does not wait.
func TestDatagramBursts(t *testing.T) {
	const size = 100
	for _, tt := range []struct {
		name  string
		burst int // as configured
		count int
		most  int           // datagrams in a train
		took  time.Duration // at least
	}{
		{"few", 0, 8, 8, 0},
		{"more than a burst", 0, 20, 8, 300 * time.Microsecond},
		{"smaller bursts", 3, 20, 3, 425 * time.Microsecond},
		{"no limit", -1, 20, 20, 0},
		{"bulk", 0, 500, 500, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, engine.Config{Datagrams: true, DatagramBurst: tt.burst})
			p.exchange()
			for round := range 10 {
				fill := func() {
					for range tt.count {
						if err := p.ends[wire.ClientSide].conn.Datagrams().Out.Send(make([]byte, size)); err != nil {
							t.Fatal(err)
						}
					}
				}
				fill()
				trains, took := datagramTrains(t, p, func() {})
				arrived := 0
				for _, n := range trains {
					arrived += n
				}
				if arrived != tt.count || slices.Max(trains) > tt.most || took < tt.took || took > 2*tt.took {
					t.Fatalf("round %d: trains of %v datagrams in %v, want %d in trains of %d in %v", round, trains, took, tt.count, tt.most, tt.took)
				}
				p.now = p.now.Add(time.Millisecond)
				p.exchange()
			}
		})
	}
}

// TestDatagramsInBulk: when datagrams come faster than a few at a time can leave, they
// leave as they come after a short time.
func TestDatagramsInBulk(t *testing.T) {
	p := newPair(t, engine.Config{Datagrams: true})
	p.exchange()
	queue := p.ends[wire.ClientSide].conn.Datagrams()
	left := 5000
	trains, took := datagramTrains(t, p, func() {
		for ; queue.Out.Len() < 20 && left > 0; left-- {
			_ = queue.Out.Send(make([]byte, 100))
		}
		p.exchangeFrom(wire.ServerSide)
	})
	if slices.Max(trains) <= 8 || took > 60*time.Millisecond {
		t.Errorf("5000 datagrams take %v, in trains of up to %d", took, slices.Max(trains))
	}
}

// exchangeFrom lets one side send what it has to.
func (p *pair) exchangeFrom(side wire.Side) {
	for p.sendTrain(p.ends[side], p.ends[side.Peer()]) {
	}
}
