package attack

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

var handshakeRows = []Row{
	{Name: "handshakes-2000", Class: "Accept/Initial flood", run: handshakes(2000),
		Does: "begins 2,000 handshakes a second from one address, answers each Retry and completes none"},
	{Name: "handshakes-3000", Class: "Accept/Initial flood", run: handshakes(3000),
		Does: "the same at 3,000 a second"},
	{Name: "initials-8000", Class: "Accept/Initial flood", run: initials(40_000, 8_000),
		Does: "sends 8,000 Initial packets at once, each from an address of its own, and answers nothing"},
	{Name: "initials-200000", Class: "Accept/Initial flood", run: initials(50_000, 200_000),
		Does: "the same 200,000 times"},
	{Name: "initials-steady", Class: "Accept/Initial flood", run: initials(2_000, 1<<30),
		Does: "sends 2,000 Initial packets a second, each from an address of its own"},
	{Name: "invented-tokens", Class: "token parsing", run: inventedTokens,
		Does: "sends 5,000 Initial packets a second with tokens of its invention, of all kinds and lengths, each from an address of its own"},
	{Name: "partial-hellos", Class: "Pre-handshake leak", run: partialHellos,
		Does: "sends 2,000 halves of a hello a second, each from an address of its own"},
	{Name: "amplification", Class: "amplification", run: amplification,
		Does: "sends an Initial packet once, twice, with garbage in its datagram and with garbage after it, and counts what comes"},
	{Name: "conn-churn", Class: "connection churn", run: churn(nil),
		Does: "opens connections one after the other, asks for something on each and is gone"},
	{Name: "violations", Class: "connection churn", run: churn(frame(h3.FrameData, []byte("x"))),
		Does: "opens connections and breaks a rule of HTTP/3 on each"},
	{Name: "violations-log-unread", Class: "logging", LogUnread: true, run: churn(frame(h3.FrameData, []byte("x"))),
		Does: "the same, while nobody reads the server's log"},
}

func handshakes(rate int) func(a *attacker) error {
	return func(a *attacker) error {
		k, err := a.newKnocker()
		if err != nil {
			return err
		}
		a.stray = func(b []byte, _ netip.Addr) { k.handle(b, a.from) }
		a.begun()
		n := a.repeat(rate, func(int) bool { k.knock(a.from, a.randomID(), nil, nil); return true })
		a.notef("%d begun, %d Retries answered, %d Initial packets back", n, k.retries, k.answers)
		return nil
	}
}

// inventedTokens has the server open tokens that nobody made.
func inventedTokens(a *attacker) error {
	k, err := a.newKnocker()
	if err != nil {
		return err
	}
	a.stray = func([]byte, netip.Addr) { k.answers++ }
	a.begun()
	n := a.repeat(5_000, func(i int) bool {
		token := a.garbage(1 + i%protect.MaxTokenLen)
		if i%3 > 0 {
			copy(token, []byte{'g', 'w', '1', byte(i%3 - 1)}) // a NEW_TOKEN frame's, and a Retry packet's
		}
		k.knock(stranger(i), a.randomID(), token, nil)
		return true
	})
	a.notef("%d Initial packets, %d datagrams back", n, k.answers)
	return nil
}

// stranger returns one of 65,536 addresses.
func stranger(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 66, byte(i >> 8), byte(i)}) }

func initials(rate, most int) func(a *attacker) error {
	return func(a *attacker) error {
		k, err := a.newKnocker()
		if err != nil {
			return err
		}
		a.stray = func([]byte, netip.Addr) { k.answers++ }
		a.begun()
		n := a.repeat(rate, func(i int) bool {
			k.knock(stranger(i), a.randomID(), nil, nil)
			return i+1 < most
		})
		a.pause(time.Second)
		a.notef("%d begun, %d datagrams back", n, k.answers)
		return nil
	}
}

func partialHellos(a *attacker) error {
	k, err := a.newKnocker()
	if err != nil {
		return err
	}
	half := wire.AppendCrypto(nil, wire.Crypto{Data: k.crypto[8:200]})
	a.stray = func([]byte, netip.Addr) { k.answers++ }
	a.begun()
	n := a.repeat(2000, func(i int) bool { k.knock(stranger(i), a.randomID(), nil, half); return true })
	a.notef("%d begun, %d datagrams back", n, k.answers)
	return nil
}

// most is how many times more than it received a server may send to an address
// that it has not validated (RFC 9000, Section 8.1).
const most = 3.0

func amplification(a *attacker) error {
	k, err := a.newKnocker()
	if err != nil {
		return err
	}
	// Each way has an address of its own, by which what comes back is told apart.
	ways := []struct {
		name string
		send func(from netip.Addr) (sent int)
	}{
		{"once", func(from netip.Addr) int {
			k.knock(from, a.randomID(), nil, nil)
			return wire.MinUDPPayloadSize
		}},
		{"twice", func(from netip.Addr) int {
			id := a.randomID()
			k.knock(from, id, nil, nil)
			k.knock(from, id, nil, nil)
			return 2 * wire.MinUDPPayloadSize
		}},
		{"coalesced garbage", func(from netip.Addr) int {
			id := a.randomID()
			b := append(bytes.Clone(k.initial(&id, nil, nil)), a.garbage(200)...)
			k.a.handshakes++
			a.sock.queue(from, b)
			return len(b)
		}},
		{"small garbage after", func(from netip.Addr) int {
			id := a.randomID()
			k.knock(from, id, nil, nil)
			sent := wire.MinUDPPayloadSize
			for range 10 { // Handshake packets of the same connection, that do not open
				b := append([]byte{0xe3, 0, 0, 0, 1, localIDLen}, id.Bytes()...)
				b = append(b, 0, 0x40, 30) // no source ID, and 30 bytes
				b = append(b, a.garbage(30)...)
				a.sock.queue(from, b)
				sent += len(b)
			}
			return sent
		}},
		{"half a hello", func(from netip.Addr) int {
			k.knock(from, a.randomID(), nil, wire.AppendCrypto(nil, wire.Crypto{Data: k.crypto[8:200]}))
			return wire.MinUDPPayloadSize
		}},
	}
	sent := make([]int, len(ways))
	back := make([]int, len(ways))
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 67, 0, byte(i + 1)}) }
	a.stray = func(b []byte, to netip.Addr) {
		if i := int(to.As4()[3]) - 1; i >= 0 && i < len(back) {
			back[i] += len(b)
		}
	}
	a.begun()
	for i, w := range ways {
		sent[i] = w.send(addr(i))
		a.poll(0)
	}
	a.pause(a.target.Duration) // several PTOs, of a second and its doubles
	worst := 0.0
	for i, w := range ways {
		factor := float64(back[i]) / float64(sent[i])
		worst = max(worst, factor)
		if factor > most {
			a.brokenf("%s: %d bytes were answered by %d, %.2f times as many", w.name, sent[i], back[i], factor)
		}
	}
	a.notef("at most %.2f times", worst)
	if back[0] == 0 {
		return errNoHandshake
	}
	return nil
}

// garbage returns random bytes.
func (a *attacker) garbage(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(a.rand.Uint32())
	}
	return b
}

// churn opens connections one after the other, as fast as one attacker can but no
// more than a thousand a second; each sends what is given as a request, or a
// request.
func churn(request []byte) func(a *attacker) error {
	return func(a *attacker) error {
		if request == nil {
			request = getRequest("/hello")
		}
		a.begun()
		opened, refused := 0, 0
		var last error
		a.repeat(1000, func(int) bool {
			c, err := a.begin(dialing{})
			if err == nil {
				err = a.await(c)
			}
			if err != nil {
				refused++
				last = err
				return true
			}
			opened++
			if s, ok := c.open(false); ok {
				s.write(request, true)
			}
			a.poll(time.Millisecond)
			c.end() // without a word
			return true
		})
		a.notef("%d connections", opened)
		if refused > 0 {
			a.notef("%d connections, %d refused: %v", opened, refused, last)
		}
		if opened == 0 {
			return last
		}
		return nil
	}
}
