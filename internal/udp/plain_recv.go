package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

// read moves datagrams from the kernel to arrived, as long as there are free
// buffers, until the socket is closed or fails.
func (p *plain) read() {
	defer close(p.arrived)
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.closing:
			p.readErr = net.ErrClosed
			return
		}
		size, remote, err := p.readOne(buf)
		if err != nil {
			p.readErr = err
			return
		}
		p.arrived <- arrival{buf, size, remote} // as many as buffers, so it never blocks
	}
}

// Pauses after errors of which one cannot tell whether they will end: the first, and
// the longest, as twice as long follows.
const (
	firstPause = time.Millisecond
	maxPause   = time.Second
)

// readOne waits for a datagram that fits buf.
func (p *plain) readOne(buf []byte) (int, netip.AddrPort, error) {
	pause := firstPause
	for {
		size, truncated, remote, err := p.conn.read(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return 0, remote, net.ErrClosed
		case errors.Is(err, errMessageSize) || err == nil && truncated:
			p.count.receiveDrops.Add(1)
		case errors.Is(err, errRefused) || errors.Is(err, errReset) || err == nil && !remote.IsValid():
			p.count.receiveErrors.Add(1)
		case err != nil && isTemporary(err):
			p.count.receiveErrors.Add(1)
			if !p.rest(pause) {
				return 0, remote, net.ErrClosed
			}
			pause = min(2*pause, maxPause)
		default:
			return size, remote, err
		}
	}
}

// isTemporary reports whether an error says that reading may work later.
func isTemporary(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &temporary) && temporary.Temporary()
}

// rest waits, and returns false if the socket is closed in the meantime.
func (p *plain) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.closing:
		return false
	}
}

func (p *plain) recv(deadline time.Time) ([]Message, error) {
	msgs, err := p.tryRecv()
	if len(msgs) > 0 || err != nil {
		select {
		case <-p.wakes:
		default:
		}
		return msgs, err
	}
	var expired <-chan time.Time
	if !deadline.IsZero() {
		p.timer.Reset(time.Until(deadline))
		defer p.timer.Stop()
		expired = p.timer.C
	}
	select {
	case a, ok := <-p.arrived:
		if !ok {
			return nil, p.readErr
		}
		p.take(a)
		return p.tryMore()
	case <-p.wakes:
	case <-expired:
	}
	return nil, nil
}

func (p *plain) tryRecv() ([]Message, error) {
	for _, buf := range p.lent {
		p.free <- buf
	}
	p.lent, p.msgs = p.lent[:0], p.msgs[:0]
	return p.tryMore()
}

// tryMore adds to the batch what else has been read and returns it.
func (p *plain) tryMore() ([]Message, error) {
	for len(p.msgs) < plainBuffers {
		select {
		case a, ok := <-p.arrived:
			if !ok {
				if len(p.msgs) > 0 {
					return p.msgs, nil
				}
				return nil, p.readErr
			}
			p.take(a)
			continue
		default:
		}
		break
	}
	return p.msgs, nil
}

// take adds a datagram to the batch.
func (p *plain) take(a arrival) {
	p.lent = append(p.lent, a.buf)
	p.msgs = append(p.msgs, Message{
		Data:    a.buf[:a.size:a.size],
		Segment: a.size,
		Remote:  a.remote,
		Local:   p.local,
	})
}
