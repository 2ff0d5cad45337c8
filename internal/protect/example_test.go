package protect_test

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

func ExampleNewInitial() {
	dst, _ := wire.NewConnectionID([]byte("chosen by the client"))
	src, _ := wire.NewConnectionID(nil)
	sealer, _ := protect.NewInitial(wire.Version1, dst.Bytes(), wire.ClientSide)

	const pn, pnLen = 0, 1
	pkt, lengthAt := wire.AppendLongHeader(nil, wire.InitialPacket, wire.Version1, &dst, &src, nil, pn, pnLen)
	pnOffset := len(pkt) - pnLen
	pkt = wire.AppendPing(pkt)
	pkt = wire.AppendPadding(pkt, 20)
	wire.PutLength(pkt, lengthAt, len(pkt)-pnOffset+protect.Overhead)
	pkt = sealer.Seal(pkt, pnOffset, pnLen, pn)

	// The server derives the same keys from the packet's header.
	h, _ := wire.ParseLongHeader(pkt)
	_, opener := protect.NewInitial(h.Version, h.DstID.Bytes(), wire.ServerSide)
	payload, got, err := opener.Open(pkt[:h.PacketLen], h.PNOffset, wire.NoPacket)
	fmt.Println(wire.FrameType(payload[0]), len(payload), got, err)
	// Output: PING 21 0 <nil>
}

func ExampleTokenKey() {
	key := protect.NewTokenKey(&[32]byte{ /* random */ })
	nonce := [protect.TokenNonceLen]byte{ /* random */ }
	sealed := key.Seal(nil, &protect.Token{Retry: true, IssuedAt: time.UnixMilli(5), Address: []byte{192, 0, 2, 1}}, &nonce)

	var t protect.Token
	err := key.Open(sealed, &t)
	fmt.Println(t.Retry, t.IssuedAt.UnixMilli(), t.Address, err)
	// Output: true 5 [192 0 2 1] <nil>
}
