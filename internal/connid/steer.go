package connid

import (
	"golang.org/x/net/bpf"

	"github.com/godwit-quic/godwit/internal/wire"
)

// ByteSharded is what a Generator implements in addition if one byte of its IDs says the
// shard, modulo their number, and an ID that is too short for it goes by its last byte.
type ByteSharded interface {
	Generator
	// ShardByte returns which byte it is, from 0.
	ShardByte() int
}

// Where packets of every version have their destination connection ID (RFC 8999,
// Section 5).
const (
	longHeaderBit = 0x80
	shortIDAt     = 1
	longLengthAt  = 5
	longIDAt      = longLengthAt + 1
)

// Of returns the destination ID of the first packet of a datagram, which it aliases. It
// is empty where there is none.
func Of(g Generator, datagram []byte) []byte {
	inv, _ := wire.ParseInvariant(datagram, ShortLen(g, datagram))
	return inv.DstID
}

// ShortLen returns how long the destination ID of a packet is if it has a short header.
func ShortLen(g Generator, packet []byte) int {
	if len(packet) <= shortIDAt {
		return g.Len(0)
	}
	return g.Len(packet[shortIDAt])
}

// ShardOf returns which of so many shards a datagram is for. ok is false if that is not
// known, so that the datagram stays where it is.
func ShardOf(g Generator, datagram []byte, shards int) (shard int, ok bool) {
	id := Of(g, datagram)
	if len(id) == 0 {
		return 0, false
	}
	shard, ok = g.Shard(id, shards)
	return shard, ok && shard >= 0 && shard < shards
}

// Filter returns a classic BPF program for udp.ListenGroup that says what ShardOf says
// about the IDs that g makes, and about any ID in a long header. It is nil if no single
// byte tells, and where there is nothing to choose. A client's first packets, whose ID
// the client has invented, fall to a shard by chance, and stay there.
func Filter(g Generator, shards int) []bpf.Instruction {
	b, ok := g.(ByteSharded)
	if !ok || shards < 2 {
		return nil
	}
	at := uint32(b.ShardByte())
	// An instruction that loads what is not there ends the program with 0.
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: longHeaderBit, SkipFalse: 7}, // to the short header
		bpf.LoadAbsolute{Off: longLengthAt, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: at, SkipTrue: 3},
		bpf.TAX{}, // too short: its last byte, or 0, which is its length
		bpf.LoadIndirect{Off: longLengthAt, Size: 1},
		bpf.Jump{Skip: 3},
		bpf.LoadAbsolute{Off: longIDAt + at, Size: 1},
		bpf.Jump{Skip: 1},
		bpf.LoadAbsolute{Off: shortIDAt + at, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(shards)},
		bpf.RetA{},
	}
}
