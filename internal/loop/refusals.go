package loop

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
)

// refuser is a Socket that tells what ICMP says: see udp.Socket.
type refuser interface {
	WatchRefusals(on bool) error
	Refusals() []netip.AddrPort
}

// watchAnswer notes that a connection waits for the first answer. As long as one does,
// the loop looks at what ICMP says, which is not authentic: it counts only for them.
func (l *Loop) watchAnswer(c *Conn) {
	c.unanswered = true
	if l.unanswered++; l.unanswered == 1 {
		l.watchRefusals(true)
	}
}

// noteAnswer ends watchAnswer: what ICMP says of the peer does not count any more.
func (l *Loop) noteAnswer(c *Conn) {
	if !c.unanswered {
		return
	}
	c.unanswered = false
	if l.unanswered--; l.unanswered == 0 {
		l.watchRefusals(false)
	}
}

func (l *Loop) watchRefusals(on bool) {
	if r, ok := l.sock.(refuser); ok {
		_ = r.WatchRefusals(on) // without, the handshake times out
	}
}

// takeRefusals tells the connections at whose destination nobody listens.
func (l *Loop) takeRefusals() {
	if l.unanswered == 0 {
		return
	}
	r, ok := l.sock.(refuser)
	if !ok {
		return
	}
	refused := r.Refusals()
	if len(refused) == 0 {
		return
	}
	for c := l.conns.head; c != nil; c = c.next {
		remote := c.Path().Remote
		if c.unanswered && slices.Contains(refused, remote) {
			c.handler.HandleUnreachable(&net.OpError{
				Op: "dial", Net: "udp", Addr: net.UDPAddrFromAddrPort(remote),
				Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
			})
			l.noteAnswer(c) // nothing further is of interest
			c.touch()
		}
	}
}
