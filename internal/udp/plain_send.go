package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

func (p *plain) send(data []byte, segment int, to netip.AddrPort, _ netip.Addr, _ uint8) error {
	if segment <= 0 || segment > len(data) {
		segment = len(data)
	}
	if err := p.beginPatience(); err != nil {
		return err
	}
	return p.sendTrain(data, segment, to)
}

// Send implements Sender: what several goroutines send at once, package net keeps apart.
func (p *plain) Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	return p.send(data, segment, to, from, ecn)
}

func (p *plain) newSender() Sender { return p }

// write is send for any goroutine, as that is.
func (p *plain) write(data []byte, to netip.AddrPort) error {
	return p.send(data, 0, to, netip.Addr{}, 0)
}

// sendTrain sends datagrams of segment bytes.
func (p *plain) sendTrain(data []byte, segment int, to netip.AddrPort) error {
	waited := false
	for {
		n := trainChunk(len(data), segment, false)
		start := time.Now()
		err := p.conn.write(data[:n], to)
		if errors.Is(err, os.ErrDeadlineExceeded) && !waited {
			if time.Since(start) < sendPatience {
				// The deadline passed while others had the processor, and the datagram was
				// not even tried.
				if err := p.beginPatience(); err != nil {
					return err
				}
				continue
			}
			waited = true // that was all the patience for this train
		}
		if err := p.outcome(err, n); err != nil {
			return err
		}
		if data = data[n:]; len(data) == 0 {
			return nil
		}
	}
}

// beginPatience has writes wait for sendPatience from now on, all together.
func (p *plain) beginPatience() error {
	return closedOr(p.conn.SetWriteDeadline(time.Now().Add(sendPatience)))
}

// outcome counts a call about a datagram of n bytes and says what the caller of
// Send is told.
func (p *plain) outcome(err error, n int) error {
	switch {
	case err == nil:
		p.count.sent(n, n)
	case errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errNoBuffers):
		p.count.sendDrops.Add(1)
	case errors.Is(err, errMessageSize):
		return ErrMessageSize
	case errors.Is(err, ErrUnreachable) || isOneOf(err, unreachable) || isAddrError(err):
		return ErrUnreachable
	default:
		p.count.sendErrors.Add(1)
	}
	return nil
}

// isOneOf reports whether err is one of list.
func isOneOf(err error, list []error) bool {
	for _, e := range list {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isAddrError reports whether package net refused an address, one of a family
// that the socket does not have.
func isAddrError(err error) bool {
	var addrErr *net.AddrError
	return errors.As(err, &addrErr)
}
