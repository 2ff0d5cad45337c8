package port

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/leak"
)

// patience bounds every wait of a test; only a failing one gets near it.
const patience = 20 * time.Second

// host is a port's other side, as a program in C is: it writes commands and reads events
// in the memory that both share.
type host struct {
	t       testing.TB
	port    *Port
	mem     memory
	head    uint32 // of the commands
	tail    uint32 // of the events
	known   uint32 // up to where there are events
	woken   chan struct{}
	replied chan struct{}
	next    uint32 // handle
	later   []got  // events that somebody else waits for
	keep    bool   // events are not consumed
}

// got is an event.
type got struct {
	Event
	flags   uint8
	aux     uint16
	conn    uint32
	id      uint32
	payload []byte
}

func (g got) fin() bool { return g.flags&flagFin != 0 }

func (g got) failure() failure {
	return failure{
		kind: ErrorKind(binary.LittleEndian.Uint32(g.payload)), frame: binary.LittleEndian.Uint32(g.payload[4:]),
		code: binary.LittleEndian.Uint64(g.payload[8:]), remote: g.flags&flagRemote != 0, text: string(g.payload[16:]),
	}
}

func (g got) fields(t testing.TB) map[string]string {
	t.Helper()
	list, _, err := consumeFields(nil, g.payload)
	if err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]string)
	for _, f := range list {
		if old, twice := fields[f.Name]; twice {
			f.Value = old + ", " + f.Value
		}
		fields[f.Name] = f.Value
	}
	return fields
}

func (h *host) Wake() {
	select {
	case h.woken <- struct{}{}:
	default: // it was looked without waiting for this
	}
}

func (h *host) Replied() { h.replied <- struct{}{} }

// open opens a port, which is closed with the test.
func open(t testing.TB, conf Config) *host {
	t.Helper()
	leak.Check(t)
	h := openUnwatched(t, conf)
	t.Cleanup(h.close)
	return h
}

func openUnwatched(t testing.TB, conf Config) *host {
	t.Helper()
	size, err := Size(conf.Commands, conf.Events)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, size/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
	h := &host{t: t, mem: mem, woken: make(chan struct{}, 1), replied: make(chan struct{}, 4)}
	if h.port, err = New(mem, conf, h); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) close() {
	h.port.Close()
	h.port.Released()
}

// write writes a command, for commit.
func (h *host) write(typ Command, flags uint8, aux uint16, conn, id uint32, payload []byte) {
	h.t.Helper()
	ring := h.mem.ring(offCommands, offCommandSize)
	size := recordSize(uint32(len(payload)))
	for deadline := time.Now().Add(patience); ; {
		free := uint32(len(ring)) - (h.head - atomic.LoadUint32(h.mem.u32(offCommandTail)))
		at := h.head & uint32(len(ring)-1)
		run := uint32(len(ring)) - at
		switch {
		case run >= size && free >= size:
			r := record{typ: uint8(typ), flags: flags, aux: aux, conn: conn, id: id}
			r.putHeader(ring[at:], uint32(len(payload)))
			copy(ring[at+headerSize:], payload)
			h.head += size
			return
		case run < size && free >= run:
			filler := record{typ: skip}
			filler.putHeader(ring[at:], run-headerSize)
			h.head += run
			continue
		case time.Now().After(deadline):
			h.t.Fatal("the command ring stays full")
		}
		h.commit()
		runtime.Gosched()
	}
}

// commit shows the engine what was written.
func (h *host) commit() {
	atomic.StoreUint32(h.mem.u32(offCommandHead), h.head)
	h.kick()
}

// kick wakes the engine if it sleeps.
func (h *host) kick() {
	if how := atomic.SwapUint32(h.mem.u32(offAsleep), awake); how != awake {
		h.port.bells[how-1].ring()
	}
}

// do writes a command and commits it.
func (h *host) do(typ Command, flags uint8, conn, id uint32, payload []byte) {
	h.t.Helper()
	h.write(typ, flags, 0, conn, id, payload)
	h.commit()
}

// poll returns an event, if there is one now.
func (h *host) poll() (g got, ok bool) {
	ring := h.mem.ring(offEvents, offEventSize)
	for {
		if h.tail == h.known {
			atomic.StoreUint32(h.mem.u32(offWoken), 0)
			if h.known = atomic.LoadUint32(h.mem.u32(offEventHead)); h.tail == h.known {
				return got{}, false
			}
		}
		at := h.tail & uint32(len(ring)-1)
		r, n := consumeRecord(ring[at:])
		if n == 0 {
			h.t.Fatal("no whole event where one should be")
		}
		h.tail += n
		if r.typ != skip {
			g = got{Event(r.typ), r.flags, r.aux, r.conn, r.id, append([]byte(nil), r.payload...)}
		}
		if !h.keep {
			h.consume()
		}
		if r.typ != skip {
			return g, true
		}
	}
}

// consume gives the memory of all events that were returned back.
func (h *host) consume() {
	size := *h.mem.u32(offEventSize)
	atomic.StoreUint32(h.mem.u32(offEventTail), h.tail)
	starved := h.mem.u32(offStarved)
	free := size - (atomic.LoadUint32(h.mem.u32(offEventHead)) - h.tail)
	if free >= size/2 && atomic.CompareAndSwapUint32(starved, 1, 0) {
		h.kick()
	}
}

// event waits for the next event.
func (h *host) event() got {
	h.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		if g, ok := h.poll(); ok {
			return g
		}
		select {
		case <-h.woken:
		case <-timeout.C:
			buf := make([]byte, 1<<20)
			h.t.Fatalf("no event\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

// want waits for an event of a type, of a connection unless that is 0, and keeps others
// for later.
func (h *host) want(typ Event, conn uint32) got {
	h.t.Helper()
	for i, g := range h.later {
		if g.Event == typ && (conn == 0 || g.conn == conn) {
			h.later = append(h.later[:i:i], h.later[i+1:]...)
			return g
		}
	}
	for {
		g := h.event()
		if g.Event == typ && (conn == 0 || g.conn == conn) {
			return g
		}
		h.later = append(h.later, g)
	}
}

func (h *host) handle() uint32 {
	h.next++
	return h.next
}

// pairs makes fields of names and values.
func pairs(text ...string) (fields []qpack.Field) {
	for i := 0; i < len(text); i += 2 {
		fields = append(fields, qpack.Field{Name: text[i], Value: text[i+1]})
	}
	return fields
}

func le64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// listen listens, and returns the handle and the address.
func (h *host) listen(options ...string) (handle uint32, address string) {
	h.t.Helper()
	handle, text, err := h.tryListen(options...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.want(EvListening, handle)
	address, _, _ = strings.Cut(text, " ")
	return handle, address
}

func (h *host) tryListen(options ...string) (handle uint32, text string, err error) {
	h.t.Helper()
	handle = h.handle()
	if !slices.Contains(options, "address") {
		options = append([]string{"address", "127.0.0.1:0"}, options...)
	}
	h.do(CmdListen, flagCall, handle, 0, appendFields(nil, pairs(options...)))
	select {
	case <-h.replied:
	case <-time.After(patience):
		h.t.Fatal("no reply")
	}
	if conn := *h.mem.u32(offReplyConn); conn != handle {
		h.t.Errorf("the reply to %d says that it is to %d", handle, conn)
	}
	text = string(h.mem[offReplyText : offReplyText+*h.mem.u32(offReplyLength)])
	if kind := ErrorKind(*h.mem.u32(offReplyKind)); kind != OK {
		return handle, "", fmt.Errorf("kind %d: %s", kind, text)
	}
	return handle, text, nil
}

// connect begins a connection.
func (h *host) connect(address string, options ...string) (handle uint32) {
	h.t.Helper()
	handle = h.handle()
	h.do(CmdConnect, 0, handle, 0, appendFields(nil, pairs(append([]string{"address", address, "insecure", "1"}, options...)...)))
	return handle
}

// pair makes a connection from the port to itself, and returns both ends.
func (h *host) pair(options ...string) (client, server uint32) {
	h.t.Helper()
	options = append([]string{"alpn", "test"}, options...)
	_, address := h.listen(options...)
	client = h.connect(address, options...)
	server = h.want(EvAccepted, 0).conn
	h.want(EvConnected, client)
	return client, server
}
