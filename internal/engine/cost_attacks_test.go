package engine_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// costs are the attacks whose cost TestCosts counts. Each is a sequence of about
// length packets, frames or calls, in the order that is worst for what it is aimed
// at, and long enough that a square would show.
var costs = []struct {
	name   string
	length int // of the shorter run
	attack func(t testing.TB, n int)
}{
	{"acks of every other packet, the oldest first", 1500, ackEveryOther(func([]wire.PacketNumber) {})},
	{"acks of every other packet, the newest first", 1500, ackEveryOther(slices.Reverse[[]wire.PacketNumber])},
	{"acks of every other packet, from the middle", 1500, ackEveryOther(fromMiddle)},
	{"acks of every other packet, at random", 1500, ackEveryOther(shuffle)},
	{"acks of every other packet, of many streams", 1500, ackManyStreams},
	{"acks of every other packet of an upload", 1500, ackUpload},
	{"acks of packets that counted as lost", 2000, ackLost},
	{"the same ack again", 1000, ackAgain},
	{"packets with every other number", 1000, skippedNumbers},
	{"packets in descending order", 1000, descendingNumbers},
	{"bytes with gaps, the first byte last", 800, gaps(slices.Reverse[[]uint64])},
	{"bytes with gaps, filled again", 800, filledGaps},
	{"bytes with gaps, at random", 800, gaps(shuffle)},
	{"handshake bytes one by one", 500, cryptoBytes},
	{"packets while streams wait for the connection's window", 1000, blockedStreams(ping())},
	{"a window opened byte by byte to many streams", 1000, blockedStreams(nil)},
	{"windows of streams opened byte by byte", 1000, streamWindows},
	{"streams opened and reset", 1000, openAndReset},
	{"streams opened all at once", 1000, openAtOnce},
	{"streams stopped", 1000, stopStreams},
	{"priorities of streams with data", 1000, reprioritize},
	{"events in small batches", 1000, manyEvents},
	{"new connection IDs", 1000, newIDs},
	{"retired connection IDs", 500, retireIDs},
	{"path challenges", 1000, challengePaths},
	{"addresses", 1000, changeAddresses},
	{"datagrams", 1500, floodDatagrams},
	{"initial packets of strangers", 500, strangers("")},
	{"initial packets with tokens", 500, strangers("a token that nobody sealed, as long as a real one")},
	{"key updates", 500, updateKeys},
}

// many makes room for n streams, and for n packets in flight both ways.
func many(n int) func(*puppet) {
	return func(p *puppet) {
		p.params.InitialMaxData = 1 << 40
		p.params.InitialMaxStreamDataBidiLocal = 1 << 40
		p.params.InitialMaxStreamDataBidiRemote = 1 << 40
		p.params.MaxDatagramFrameSize = 1 << 14
		p.config.MaxBidiStreams = 1 << 20
		p.config.InitialStreamWindow, p.config.InitialConnWindow = 1<<30, 1<<30
		p.config.InitialCongestionWindow = n + 100
		p.config.MaxCongestionWindow = 1 << 30
		p.config.Datagrams = true
	}
}

// costServer returns a server that has completed its handshake.
func costServer(t testing.TB, n int, options ...func(*puppet)) *puppet {
	p := newServer(t, append([]func(*puppet){many(n)}, options...)...)
	p.handshake()
	return p
}

// pollBlindly polls everything and looks at nothing, which would cost steps, too.
func (p *puppet) pollBlindly() {
	if at := p.conn.Deadline(); !at.After(p.now) {
		p.conn.HandleDeadline(p.now)
	}
	for range 1000 {
		if _, ok := p.conn.PollTransmit(p.now, p.buf, 64); !ok {
			break
		}
	}
	var events [16]engine.Event
	for n := p.conn.PollEvents(events[:]); n > 0; n = p.conn.PollEvents(events[:]) {
		for _, e := range events[:n] {
			if e.Kind == engine.EventStreamOpened {
				p.events = append(p.events, e)
			}
		}
	}
}

// say sends one packet with these frames and looks at no answer.
func (p *puppet) say(frames ...frame) {
	p.queue(wire.AppSpace, frames...)
	p.pollBlindly()
}

// inFlight makes the endpoint have n packets on their way, of one stream or of
// many, and returns their numbers.
func inFlight(p *puppet, n, streams int) (numbers []wire.PacketNumber) {
	before := p.largest(wire.AppSpace)
	size := 1100 * n / streams
	for i := range streams {
		p.queue(wire.AppSpace, stream(wire.NewStreamID(p.side, false, uint64(i)), 0, "go", true))
	}
	p.pollBlindly()
	for _, e := range p.events {
		if _, err := e.Stream.Send.WriteLast(make([]byte, size)); err != nil {
			p.fatal("%v", err)
		}
		p.conn.StreamWritten(e.Stream)
	}
	return flying(p, before, n)
}

// flying sends what the endpoint has to send, and returns the numbers of the packets
// after before, about n.
func flying(p *puppet, before wire.PacketNumber, n int) (numbers []wire.PacketNumber) {
	p.poll()
	for range 200 { // the pacer's time
		p.now = p.now.Add(time.Millisecond)
		p.poll()
	}
	for _, r := range p.spaces[wire.AppSpace].received {
		for pn := r.Largest; pn >= r.Smallest && pn > before; pn-- {
			numbers = append(numbers, pn)
		}
	}
	slices.Reverse(numbers)
	if len(numbers) < n*9/10 {
		p.fatal("only %d packets are in flight, want %d", len(numbers), n)
	}
	return numbers
}

func fromMiddle[T any](list []T) {
	var out []T
	for i, j := len(list)/2-1, len(list)/2; j < len(list); i, j = i-1, j+1 {
		out = append(out, list[j])
		if i >= 0 {
			out = append(out, list[i])
		}
	}
	copy(list, out)
}

func shuffle[T any](list []T) {
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// everyOther returns every second number.
func everyOther(numbers []wire.PacketNumber) (out []wire.PacketNumber) {
	for i := 1; i < len(numbers); i += 2 {
		out = append(out, numbers[i])
	}
	return out
}

// ackInOrder acknowledges single packets, as many ranges in a packet as fit.
func ackInOrder(p *puppet, numbers []wire.PacketNumber) {
	for group := range slices.Chunk(numbers, 400) {
		ranges := []wire.PacketRange{}
		for _, pn := range slices.Backward(slices.Sorted(slices.Values(group))) {
			ranges = append(ranges, wire.PacketRange{Smallest: pn, Largest: pn})
		}
		p.say(ack(ranges...))
	}
	p.wantOpen()
}

func ackEveryOther(order func([]wire.PacketNumber)) func(testing.TB, int) {
	return func(t testing.TB, n int) {
		p := costServer(t, n)
		numbers := everyOther(inFlight(p, n, 1))
		order(numbers)
		ackInOrder(p, numbers)
	}
}

func ackManyStreams(t testing.TB, n int) {
	p := costServer(t, n)
	ackInOrder(p, everyOther(inFlight(p, n, n/10)))
}

// ackUpload is ackEveryOther by a server.
func ackUpload(t testing.TB, n int) {
	p := newClient(t, many(n))
	p.handshake()
	before := p.largest(wire.AppSpace)
	s, err := p.conn.OpenStream(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send.WriteLast(make([]byte, 1100*n)); err != nil {
		t.Fatal(err)
	}
	p.conn.StreamWritten(s)
	ackInOrder(p, everyOther(flying(p, before, n)))
}

// ackLost acknowledges the last packet, so that the others count as lost, and then
// those.
func ackLost(t testing.TB, n int) {
	p := costServer(t, n)
	numbers := inFlight(p, n, 1)
	last := len(numbers) - 1
	p.say(ack(wire.PacketRange{Smallest: numbers[last], Largest: numbers[last]}))
	ackInOrder(p, everyOther(numbers[:last]))
}

func ackAgain(t testing.TB, n int) {
	p := costServer(t, n)
	numbers := inFlight(p, n, 1)
	f := ack(wire.PacketRange{Smallest: numbers[2], Largest: numbers[2]}, wire.PacketRange{Smallest: numbers[0], Largest: numbers[0]})
	for range n {
		p.say(f)
	}
	p.wantOpen()
}

func skippedNumbers(t testing.TB, n int) {
	p := costServer(t, n)
	for range n {
		p.spaces[wire.AppSpace].next++
		p.say(ping())
	}
	p.wantOpen()
}

func descendingNumbers(t testing.TB, n int) {
	p := costServer(t, n)
	for i := range n {
		p.deliver(p.packetNumbered(wire.AppSpace, wire.PacketNumber(10+2*(n-i)), ping()))
		p.pollBlindly()
	}
	p.wantOpen()
}

// gaps sends single bytes that do not touch, of as many streams as needed.
func gaps(order func([]uint64)) func(testing.TB, int) {
	return func(t testing.TB, n int) {
		p := costServer(t, n)
		for first := 0; first < n; first += streambuf.MaxGaps {
			var offsets []uint64
			for i := range min(n-first, streambuf.MaxGaps) {
				offsets = append(offsets, 1+2*uint64(i))
			}
			order(offsets)
			for _, off := range offsets {
				p.queue(wire.AppSpace, stream(wire.NewStreamID(p.side, false, uint64(first/streambuf.MaxGaps)), off, "x", false))
			}
		}
		p.pollBlindly()
		p.wantOpen()
	}
}

func filledGaps(t testing.TB, n int) {
	p := costServer(t, n)
	const each = 200
	for first := range n / each {
		id := wire.NewStreamID(p.side, false, uint64(first))
		for i := range uint64(each) {
			p.queue(wire.AppSpace, stream(id, 1+2*i, "x", false))
		}
		for i := range uint64(each) {
			p.queue(wire.AppSpace, stream(id, 2*i, "x", false))
		}
	}
	p.pollBlindly()
	p.wantOpen()
}

// cryptoBytes sends a session ticket's bytes one by one to a client.
func cryptoBytes(t testing.TB, n int) {
	p := newClient(t)
	p.handshake()
	message := append([]byte{'T', byte(n >> 8), byte(n)}, make([]byte, n)...)
	off := p.spaces[wire.AppSpace].cryptoOut
	for i, b := range message {
		p.say(crypto(off+uint64(i), []byte{b}))
	}
	if err := p.conn.Closed(); err != nil {
		t.Logf("ended with %v", err)
	}
}

// blockedStreams makes n streams have data that waits for the connection's window,
// and sends n packets: of f, or of MAX_DATA frames that let one byte go.
func blockedStreams(f frame) func(testing.TB, int) {
	return func(t testing.TB, n int) {
		const window = 100
		p := costServer(t, n, func(p *puppet) { p.params.InitialMaxData = window })
		openAndAnswer(p, n)
		for i := range n {
			if f != nil {
				p.say(f)
			} else {
				p.say(maxData(window + uint64(i)))
			}
		}
		p.wantOpen()
	}
}

// openAndAnswer makes n streams of the puppet's have 1000 bytes to send each.
func openAndAnswer(p *puppet, n int) {
	p.events = nil
	for i := range n {
		p.queue(wire.AppSpace, stream(wire.NewStreamID(p.side, false, uint64(i)), 0, "go", true))
	}
	p.pollBlindly()
	for _, e := range p.events {
		if _, err := e.Stream.Send.WriteLast(make([]byte, 1000)); err != nil {
			p.fatal("%v", err)
		}
		p.conn.StreamWritten(e.Stream)
	}
	p.pollBlindly()
	if len(p.events) != n {
		p.fatal("%d streams were opened, want %d", len(p.events), n)
	}
}

func streamWindows(t testing.TB, n int) {
	p := costServer(t, n, func(p *puppet) { p.params.InitialMaxStreamDataBidiLocal = 0 })
	openAndAnswer(p, n)
	for i := range n {
		p.say(maxStreamData(wire.NewStreamID(p.side, false, uint64(i)), 1))
	}
	p.wantOpen()
}

func openAndReset(t testing.TB, n int) {
	p := costServer(t, n)
	for i := range n {
		id := wire.NewStreamID(p.side, false, uint64(i))
		p.say(stream(id, 0, "x", false), resetStream(id, 1, 1))
	}
	p.wantOpen()
}

func openAtOnce(t testing.TB, n int) {
	p := costServer(t, n)
	p.say(stream(wire.NewStreamID(p.side, false, uint64(n)), 0, "x", true))
	p.wantOpen()
}

func stopStreams(t testing.TB, n int) {
	p := costServer(t, n)
	openAndAnswer(p, n)
	for i := range n {
		p.say(stopSending(wire.NewStreamID(p.side, false, uint64(i)), 1))
	}
	p.wantOpen()
}

// reprioritize changes the urgency of streams with data again and again, as a peer
// can with PRIORITY_UPDATE frames.
func reprioritize(t testing.TB, n int) {
	p := costServer(t, n, func(p *puppet) { p.params.InitialMaxData = 100 })
	openAndAnswer(p, n)
	for i := range 4 * n {
		p.conn.SetPriority(p.events[n-1-i%n].Stream, engine.Urgency(i/n%2), true)
	}
	p.pollBlindly()
	p.wantOpen()
}

// manyEvents has every stream tell of something in one turn.
func manyEvents(t testing.TB, n int) {
	p := costServer(t, n)
	openAndAnswer(p, n)
	for range 4 {
		for i := range n {
			p.queue(wire.AppSpace, resetStream(wire.NewStreamID(p.side, false, uint64(i)), 1, 2),
				stopSending(wire.NewStreamID(p.side, false, uint64(i)), 1))
		}
		p.pollBlindly()
	}
	p.wantOpen()
}

func newIDs(t testing.TB, n int) {
	p := costServer(t, n)
	for i := range uint64(n) {
		p.send(wire.AppSpace, newConnID(i+1, i+1, fmt.Sprintf("%08d", i)), p.ackFrame(wire.AppSpace))
		p.frames = nil
	}
	p.wantOpen()
}

func retireIDs(t testing.TB, n int) {
	p := costServer(t, n)
	for i := range uint64(n) {
		p.say(retireConnID(i + 1))
	}
	p.wantOpen()
}

func challengePaths(t testing.TB, n int) {
	p := costServer(t, n)
	for range n {
		p.say(pathChallenge("1"), pathChallenge("2"), pathChallenge("3"))
	}
	p.wantOpen()
}

func changeAddresses(t testing.TB, n int) {
	p := costServer(t, n)
	for i := range n {
		p.path.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
		p.say(ping())
	}
	p.wantOpen()
}

func floodDatagrams(t testing.TB, n int) {
	p := costServer(t, n)
	for range n {
		p.queue(wire.AppSpace, datagramFrame("x"), datagramFrame("y"))
	}
	p.pollBlindly()
	p.wantOpen()
}

// strangers sends Initial packets of as many clients, which are never heard of again.
func strangers(token string) func(testing.TB, int) {
	return func(t testing.TB, n int) {
		p := newServer(t, func(p *puppet) { withLimits(p, n/2, n) })
		for i := range n {
			dst := connID(fmt.Sprintf("stranger%d", i))
			sealer, _ := protect.NewInitial(wire.Version1, dst.Bytes(), wire.ClientSide)
			p.sealers[wire.InitialSpace], p.remote, p.token = sealer, dst, []byte(token)
			p.endpoint.HandleDatagram(p.now, engine.Datagram{Data: p.packet(wire.InitialSpace, ping()), Path: p.path})
			for {
				if _, ok := p.endpoint.PollTransmit(p.buf); !ok {
					break
				}
			}
		}
	}
}

func updateKeys(t testing.TB, n int) {
	p := costServer(t, n)
	for range n {
		_ = p.keys.Update()
		p.send(wire.AppSpace, ping())
		p.frames = nil
	}
	p.wantOpen()
}
