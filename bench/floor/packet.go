package main

import (
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

const (
	packetSize = 1452 // bytes, the largest in an Ethernet frame over IPv6
	trainLen   = 44   // packets: as many as one system call takes

	// The header of a packet: its first byte, a connection ID of 8 bytes, and a
	// packet number of 2.
	numberAt  = 9
	numberLen = 2
	headerLen = numberAt + numberLen
	plainLen  = packetSize - protect.Overhead

	// contentLen is how much of a packet is content.
	contentLen = plainLen - headerLen
)

// secret is what the keys are derived from; nothing is secret here.
var secret = make([]byte, 32)

func newSealer() (protect.Sealer, error) {
	return protect.NewSealer(wire.Version1, protect.AES128GCM, secret)
}

func newOpener() (protect.Opener, error) {
	return protect.NewOpener(wire.Version1, protect.AES128GCM, secret)
}

// sealTrain fills train with sealed packets of content, the first of which has
// the number pn.
func sealTrain(train []byte, sealer *protect.Sealer, pn wire.PacketNumber, content []byte) {
	for i := range trainLen {
		pkt := train[i*packetSize : (i+1)*packetSize]
		pkt[0] = 0x40 | numberLen - 1
		number := pn + wire.PacketNumber(i)
		pkt[numberAt], pkt[numberAt+1] = byte(number>>8), byte(number)
		copy(pkt[headerLen:plainLen], content)
		sealer.Seal(pkt[:plainLen], numberAt, numberLen, number)
	}
}
