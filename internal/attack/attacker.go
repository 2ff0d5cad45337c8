package attack

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Target is what a row attacks, and for how long.
type Target struct {
	// Server is the address that the server listens on.
	Server netip.AddrPort
	// Duration is how long the attack may go on; rows that have their end in
	// themselves take less.
	Duration time.Duration
	// Slower is how many times slower than written the rows repeat what they do, for
	// an attack that goes on beside other things; 0 is for once.
	Slower int
	// Begun, if set, is called when preparations are over, such as a download's
	// growth: what the server spends from then on is the attack's.
	Begun func()
}

// Report is what an attacker did and saw.
type Report struct {
	// Packets and Bytes were sent since the attack began, and PacketsBack and
	// BytesBack came in answer.
	Packets, Bytes, PacketsBack, BytesBack int
	// Handshakes and Streams are how many of each were begun since, and Fields how
	// many header fields were sent, compressed or not.
	Handshakes, Streams, Fields int
	// Note says what became of the attack.
	Note string
	// Broken are rules that the server was seen to break.
	Broken []string
}

// Allowance is how much CPU time an attack may cost a server: about ten times what a
// packet of PING frames costs on a machine that is quiet (4 µs), a request (5 µs) and a
// header field (0.2 µs), twice what a handshake does (0.4 ms), and what the server
// needs to carry on with others. What costs more than that is a lever.
func (r *Report) Allowance(elapsed time.Duration) time.Duration {
	return 100*time.Millisecond + elapsed/50 +
		time.Duration(r.Packets)*50*time.Microsecond +
		time.Duration(r.Handshakes)*time.Millisecond +
		time.Duration(r.Streams)*50*time.Microsecond +
		time.Duration(r.Fields)*2*time.Microsecond
}

// attacker is who carries out a row: a goroutine with a socket.
type attacker struct {
	target Target
	until  time.Time
	from   netip.Addr // where it sends from, unless a row says otherwise
	sock   *socket
	rand   *rand.Rand
	conns  map[wire.ConnectionID]*conn
	// touched are those for which something came in this poll.
	touched []*conn
	// stray, when set, sees datagrams that belong to no connection.
	stray func(b []byte, to netip.Addr)

	handshakes, streams, fields int
	before                      Report // counts when the attack began
	note                        string
	broken                      []string
}

// attackerAddr is where attacks come from.
var attackerAddr = netip.MustParseAddr("127.0.0.66")

// Run carries out the row's attack. The error says why it did not take place.
func (r *Row) Run(t Target) (Report, error) {
	t.Duration *= time.Duration(max(r.Times, 1))
	sock, err := listen(t.Server)
	if err != nil {
		return Report{}, err
	}
	defer sock.Close()
	a := &attacker{
		target: t, until: time.Now().Add(t.Duration), from: attackerAddr, sock: sock,
		rand: newRand(), conns: make(map[wire.ConnectionID]*conn),
	}
	err = r.run(a)
	a.sock.flush()
	for _, c := range a.conns {
		c.tls.Close()
	}
	report := a.counts()
	report.Packets -= a.before.Packets
	report.Bytes -= a.before.Bytes
	report.PacketsBack -= a.before.PacketsBack
	report.BytesBack -= a.before.BytesBack
	report.Handshakes -= a.before.Handshakes
	report.Streams -= a.before.Streams
	report.Fields -= a.before.Fields
	report.Note, report.Broken = a.note, a.broken
	return report, err
}

// attackers counts the attackers of this process.
var attackers atomic.Uint64

// newRand returns a source of connection IDs and garbage, the same in each process.
// Each attacker has one of its own: with the IDs of one before, it would find the
// connections that a server remembers.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, attackers.Add(1))) }

func (a *attacker) counts() Report {
	return Report{
		Packets: a.sock.packets, Bytes: a.sock.bytes, PacketsBack: a.sock.packetsBack, BytesBack: a.sock.bytesBack,
		Handshakes: a.handshakes, Streams: a.streams, Fields: a.fields,
	}
}

// begun ends the preparations: the attack's time and counts begin.
func (a *attacker) begun() {
	a.sock.flush()
	a.before = a.counts()
	a.until = time.Now().Add(a.target.Duration)
	if a.target.Begun != nil {
		a.target.Begun()
	}
}

// notef says what became of the attack.
func (a *attacker) notef(format string, args ...any) { a.note = fmt.Sprintf(format, args...) }

// brokenf says which rule the server broke.
func (a *attacker) brokenf(format string, args ...any) {
	a.broken = append(a.broken, fmt.Sprintf(format, args...))
}

// over reports whether the attack's time has passed.
func (a *attacker) over() bool { return !time.Now().Before(a.until) }

// poll sends what is queued, reads what comes within d, and acknowledges it.
func (a *attacker) poll(d time.Duration) {
	a.touched = a.touched[:0]
	_ = a.sock.receive(d, func(b []byte, to netip.Addr) { // an attacker's socket does not fail
		inv, ok := wire.ParseInvariant(b, localIDLen)
		if !ok {
			return
		}
		if id, ok := wire.NewConnectionID(inv.DstID); ok && a.conns[id] != nil {
			c := a.conns[id]
			c.read(b)
			if !slices.Contains(a.touched, c) {
				a.touched = append(a.touched, c)
			}
			return
		}
		if a.stray != nil {
			a.stray(b, to)
		}
	})
	for _, c := range a.touched {
		c.acknowledge()
	}
	for _, c := range a.conns {
		if len(c.unacked) > 0 {
			c.resend()
		}
	}
	a.sock.flush()
}

// pause reads what comes for as long as d.
func (a *attacker) pause(d time.Duration) {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		a.poll(min(left, 50*time.Millisecond))
	}
}

// batch is after how many steps of repeat what came is read, at the latest.
const batch = 64

// repeat calls f so many times a second, or the target's Slower times slower, until the attack's time is over or f returns
// false. Between the calls it reads what comes. It returns how many calls there
// were.
func (a *attacker) repeat(rate int, f func(i int) bool) int {
	start := time.Now()
	period := time.Second * time.Duration(max(a.target.Slower, 1))
	for i := 0; ; i++ {
		due := start.Add(time.Duration(i) * period / time.Duration(rate))
		if i%batch == 0 {
			a.poll(0)
		}
		for ahead := time.Until(due); ahead > time.Millisecond; ahead = time.Until(due) {
			a.poll(ahead)
		}
		if a.over() || !f(i) {
			a.poll(0)
			return i
		}
	}
}

// eachConn is repeat over connections: f gets the live ones in turn.
func (a *attacker) eachConn(rate int, conns []*conn, f func(c *conn) bool) int {
	return a.repeat(rate, func(i int) bool {
		for range conns {
			c := conns[i%len(conns)]
			i++
			if c.alive() {
				return f(c)
			}
		}
		return false
	})
}

// dialMany opens connections, some at a time.
func (a *attacker) dialMany(n int, d dialing) ([]*conn, error) {
	const atOnce = 20
	var all []*conn
	for len(all) < n {
		var some []*conn
		for range min(atOnce, n-len(all)) {
			c, err := a.begin(d)
			if err != nil {
				return all, err
			}
			some = append(some, c)
		}
		if err := a.await(some...); err != nil {
			return all, fmt.Errorf("connection %d: %w", len(all)+1, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// alive returns how many of the connections the server has not closed.
func alive(conns []*conn) (n int) {
	for _, c := range conns {
		if c.alive() {
			n++
		}
	}
	return n
}

// ends says how the connections ended.
func ends(conns []*conn) string {
	for _, c := range conns {
		if !c.alive() {
			return fmt.Sprintf("%d of %d connections closed, %s", len(conns)-alive(conns), len(conns), c.failed())
		}
	}
	return fmt.Sprintf("%d connections open", len(conns))
}
