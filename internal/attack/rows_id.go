package attack

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/wire"
)

var idRows = []Row{
	{Name: "new-ids", Class: "NEW_CONNECTION_ID flood", run: newIDs(false),
		Does: "issues connection IDs, each of which retires all before, and acknowledges what comes"},
	{Name: "new-ids-unacked", Class: "NEW_CONNECTION_ID flood", run: newIDs(true),
		Does: "the same, and acknowledges nothing"},
	{Name: "retire-ids", Class: "RETIRE_CONNECTION_ID loop", run: retireIDs,
		Does: "retires each of the server's connection IDs as soon as it has the next"},
	{Name: "path-churn", Class: "Path/4-tuple churn", run: pathChurn,
		Does: "sends every packet of a connection from another of 200 addresses"},
	{Name: "path-churn-validated", Class: "Path/4-tuple churn", run: pathChurnAnswered,
		Does: "does the same, answers each PATH_CHALLENGE and keeps a download going"},
}

func newIDs(mute bool) func(a *attacker) error {
	return func(a *attacker) error {
		var conns []*conn
		a.begun()
		seq := uint64(0)
		n := a.repeat(20_000, func(int) bool {
			if len(conns) == 0 || !conns[len(conns)-1].alive() {
				c, err := a.dial(dialing{})
				if err != nil || len(conns) == 50 {
					return false
				}
				c.mute = mute
				conns, seq = append(conns, c), 0
				a.stray = func(b []byte, _ netip.Addr) { // what comes to the new IDs
					c.read(b)
					c.acknowledge()
				}
			}
			c := conns[len(conns)-1]
			b := c.payload[:0]
			for len(b) < maxPayload-60 {
				seq++
				b = wire.AppendNewConnectionID(b, &wire.NewConnectionIDFrame{
					Seq: seq, RetirePriorTo: seq, ID: a.randomID(), Token: wire.ResetToken(a.garbage(16)),
				})
			}
			c.payload = b
			c.send(b)
			return true
		})
		a.notef("%d packets; %s", n, ends(conns))
		if len(conns) == 0 {
			return errNoHandshake
		}
		return nil
	}
}

func retireIDs(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	// The newest ID is used, and all others are given up.
	retired := 0
	var due []uint64
	var newest uint64
	c.onFrame = func(t wire.FrameType, body []byte) {
		var f wire.NewConnectionIDFrame
		if t != wire.FrameNewConnectionID || wire.ConsumeNewConnectionID(body, &f) < 0 || f.Seq <= newest {
			return
		}
		due = append(due, newest)
		c.remote, newest = f.ID, f.Seq
	}
	a.begun()
	a.eachConn(2000, []*conn{c}, func(c *conn) bool {
		b := wire.AppendPing(c.payload[:0])
		for _, seq := range due {
			b = wire.AppendRetireConnectionID(b, seq)
			retired++
		}
		due = due[:0]
		c.payload = b
		c.send(b)
		return true
	})
	a.notef("%d IDs retired; %s", retired, ends([]*conn{c}))
	return nil
}

// elsewhere returns one of 200 addresses of an attacker that moves.
func elsewhere(i int) netip.Addr { return netip.AddrFrom4([4]byte{127, 68, 0, byte(i%200 + 1)}) }

func pathChurn(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	a.begun()
	n := 0
	a.eachConn(50_000, []*conn{c}, func(c *conn) bool {
		n++
		c.from = elsewhere(n)
		c.send(wire.AppendPing(nil))
		return true
	})
	a.notef("%d packets, %d bytes back; %s", n, a.sock.bytesBack, ends([]*conn{c}))
	return nil
}

func pathChurnAnswered(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	var challenges []wire.PathData
	c.onFrame = func(t wire.FrameType, body []byte) {
		if t == wire.FramePathChallenge && len(challenges) < 1000 {
			challenges = append(challenges, wire.PathData(body[:8]))
		}
	}
	a.begun()
	c.get(download)
	n := 0
	a.eachConn(5_000, []*conn{c}, func(c *conn) bool {
		n++
		c.from = elsewhere(n)
		b := wire.AppendPing(c.payload[:0])
		for ; len(challenges) > 0 && len(b) < maxPayload-9; challenges = challenges[1:] {
			b = wire.AppendPathResponse(b, challenges[0])
		}
		c.payload = b
		c.send(b)
		return true
	})
	a.notef("%d packets; %s", n, ends([]*conn{c}))
	return nil
}
