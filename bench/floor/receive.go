package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/bench/internal/cpu"
	"github.com/godwit-quic/godwit/bench/internal/report"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

// receiver is the one that measures.
type receiver struct {
	sock    *udp.Socket
	peer    netip.AddrPort
	opener  protect.Opener
	largest wire.PacketNumber
	acked   wire.PacketNumber
	packets int // that were opened
	ack     [8]byte
}

const (
	warmup   = 200 * time.Millisecond
	patience = 2 * time.Second
)

var errNothing = errors.New("nothing arrives")

// receive measures what arrives from the one that serves at an address.
func receive(to string, pid int, duration time.Duration) (*report.Result, error) {
	peer, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, err
	}
	sock, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		return nil, err
	}
	defer sock.Close()
	opener, err := newOpener()
	if err != nil {
		return nil, err
	}
	r := &receiver{sock: sock, peer: peer, opener: opener, largest: wire.NoPacket}
	if err := r.sendAck(); err != nil {
		return nil, err
	}
	if _, err := r.run(time.Now().Add(warmup)); err != nil {
		return nil, err
	}
	w, err := cpu.Open(pid)
	if err != nil {
		return nil, err
	}
	packets, err := r.run(time.Now().Add(duration))
	if err != nil {
		return nil, err
	}
	result, err := report.Of(w)
	if err != nil {
		return nil, err
	}
	result.Bytes = float64(packets * contentLen)
	return result, nil
}

// run opens what arrives until a certain time and returns how many packets that
// were.
func (r *receiver) run(until time.Time) (packets int, err error) {
	before := r.packets
	for time.Now().Before(until) {
		msgs, err := r.sock.Recv(time.Now().Add(patience))
		if err != nil {
			return 0, err
		}
		if len(msgs) == 0 {
			return 0, errNothing
		}
		for i := range msgs {
			for b := range msgs[i].Datagrams() {
				if err := r.open(b); err != nil {
					return 0, err
				}
			}
		}
	}
	return r.packets - before, nil
}

// open opens a packet and tells the sender if that is due.
func (r *receiver) open(b []byte) error {
	_, pn, err := r.opener.Open(b, numberAt, r.largest)
	if err != nil {
		return err
	}
	r.packets++
	r.largest = max(r.largest, pn)
	if r.largest-r.acked < ackEvery {
		return nil
	}
	return r.sendAck()
}

func (r *receiver) sendAck() error {
	r.acked = r.largest + 1
	binary.BigEndian.PutUint64(r.ack[:], uint64(r.acked))
	return r.sock.Send(r.ack[:], 0, r.peer, netip.Addr{}, 0)
}
