package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	// window is how many packets may be under way: few enough for the
	// receiver's socket buffer, which counts more than the payload.
	window = 60 * trainLen
	// ackEvery is after how many packets the receiver says how far it is.
	ackEvery = 4 * trainLen
	// stall is how long the sender waits to hear of progress before it takes
	// what is under way for lost.
	stall = 20 * time.Millisecond
)

// sender is the one that serves.
type sender struct {
	sock  *udp.Socket
	peer  netip.AddrPort
	next  wire.PacketNumber
	acked wire.PacketNumber // all before it have arrived or are lost
}

// serve prints its address and sends to whoever has last sent it something,
// until the process is killed.
func serve() error {
	sock, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		return err
	}
	fmt.Println(sock.LocalAddr())
	s := &sender{sock: sock}
	if err := s.waitForPeer(); err != nil {
		return err
	}
	sealer, err := newSealer()
	if err != nil {
		return err
	}
	train := make([]byte, trainLen*packetSize)
	content := make([]byte, contentLen)
	for {
		sealTrain(train, &sealer, s.next, content)
		if err := s.sock.Send(train, packetSize, s.peer, netip.Addr{}, 0); err != nil {
			return err
		}
		s.next += trainLen
		if err := s.waitForRoom(); err != nil {
			return err
		}
	}
}

// waitForPeer returns when somebody has said something.
func (s *sender) waitForPeer() error {
	for !s.peer.IsValid() {
		msgs, err := s.sock.Recv(time.Time{})
		if err != nil {
			return err
		}
		s.handle(msgs)
	}
	return nil
}

// waitForRoom returns when another train may be sent.
func (s *sender) waitForRoom() error {
	for s.next-s.acked > window-trainLen {
		msgs, err := s.sock.Recv(time.Now().Add(stall))
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			s.acked = s.next
		}
		s.handle(msgs)
	}
	return nil
}

// handle reads how far the receiver is.
func (s *sender) handle(msgs []udp.Message) {
	for _, m := range msgs {
		s.peer = m.Remote
		for b := range m.Datagrams() {
			if len(b) == 8 {
				s.acked = max(s.acked, wire.PacketNumber(binary.BigEndian.Uint64(b)))
			}
		}
	}
}
