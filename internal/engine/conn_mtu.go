package engine

import (
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// blackHoleAfter is the number of probe timeouts in a row, with full-sized packets in
// flight, after which the path in use is taken to have shrunk.
const blackHoleAfter = 3

// datagramSize returns the size of a full datagram in bytes.
func (c *Conn) datagramSize() int { return c.paths.Current.MTU.Size() }

// sizeChanged tells everybody who reckons with the size of datagrams on a path.
func (c *Conn) sizeChanged(e *path.Estimates) {
	if e.Controller != nil {
		e.Controller.SetMaxDatagramSize(e.MTU.Size())
	}
	if e == c.paths.Current.Estimates {
		c.updateDatagramLimit()
	}
}

// settleMTUProbe takes the fate of a probe of size bytes.
func (c *Conn) settleMTUProbe(now monotime.Time, e *path.Estimates, size int, f fate) {
	switch {
	case e == nil: // the path is forgotten
	case f == acked:
		e.MTU.Acked(now, size)
		c.sizeChanged(e)
	default:
		e.MTU.ProbeLost(now, size)
	}
}

// mtuProbe returns the size of the probe that pollMTUProbe has to send, 0 for none.
func (c *Conn) mtuProbe(now monotime.Time, buf []byte) int {
	p := c.paths.Current
	size := p.MTU.Due(now)
	if size == 0 || !p.Validated() || p.Full() || len(buf) < size || !c.confirmed() {
		return 0
	}
	return size
}

// pollMTUProbe sends a packet of the size being tried on the path in use.
func (c *Conn) pollMTUProbe(now monotime.Time, buf []byte) (Transmit, bool) {
	size := c.mtuProbe(now, buf)
	var w frameWriter
	p := c.paths.Current
	if size == 0 || !c.begin(&w, p, wire.OneRTTLevel, buf[:0], size) {
		return Transmit{}, false
	}
	w.b = wire.AppendPing(w.b)
	w.record(recMTUProbe, uint64(size))
	w.sent.Probe = recovery.MTUProbe
	w.pad(w.room())
	p.MTU.Sent()
	return c.transmit(p, c.finish(now, &w)), true
}
