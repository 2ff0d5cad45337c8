package wire_test

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/wire"
)

func ExampleConsumeVarint() {
	b := wire.AppendVarint(nil, 15_293)
	v, n := wire.ConsumeVarint(b)
	fmt.Printf("%x is %d in %d bytes\n", b, v, n)
	// Output: 7bbd is 15293 in 2 bytes
}

func ExampleAck_Ranges() {
	b := wire.AppendAck(nil, 1200, 0, []wire.PacketRange{{Smallest: 7, Largest: 9}, {Smallest: 0, Largest: 4}}, nil)

	t, n := wire.ConsumeFrameType(b)
	var ack wire.Ack
	wire.ConsumeAck(t, b[n:], &ack)
	for r := range ack.Ranges() {
		fmt.Printf("packets %d to %d\n", r.Smallest, r.Largest)
	}
	// Output:
	// packets 7 to 9
	// packets 0 to 4
}

func ExampleAppendLongHeader() {
	dst, _ := wire.NewConnectionID([]byte{0xd1, 0xd2, 0xd3, 0xd4})
	src, _ := wire.NewConnectionID(nil)
	frames := wire.AppendPing(nil)

	b, lengthAt := wire.AppendLongHeader(nil, wire.HandshakePacket, wire.Version1, &dst, &src, nil, 0, 1)
	b = append(b, frames...)
	wire.PutLength(b, lengthAt, 1+len(frames))

	h, ok := wire.ParseLongHeader(b)
	fmt.Println(h.Type, h.Version, h.DstID, h.PNOffset, h.PacketLen, ok)
	// Output: Handshake v1 d1d2d3d4 13 15 true
}
