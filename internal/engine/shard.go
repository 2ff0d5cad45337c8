package engine

import (
	"golang.org/x/net/bpf"

	"github.com/godwit-quic/godwit/internal/wire"
)

// MaxShards is how many endpoints may share an address: the first byte of
// their connection IDs names them.
const MaxShards = 64

// ShardOf returns which of n endpoints that share an address the packet at the
// beginning of a datagram is for. It reports false for packets that carry no
// connection ID of ours, which go to any of them, by address: a client's first
// ones, and those of other versions.
func ShardOf(datagram []byte, n int) (shard int, ok bool) {
	if len(datagram) <= handshakeIDAt {
		return 0, false
	}
	at := shortIDAt
	if datagram[0]&longHeaderBit != 0 {
		if datagram[0]&longTypeBits != handshakeTypeBits || [4]byte(datagram[1:]) != version1 {
			return 0, false
		}
		at = handshakeIDAt
	}
	return int(datagram[at]) % n, true
}

// Where packets have that byte, and how a Handshake packet of version 1 looks
// (RFC 9000, Sections 17.2.4 and 17.3.1).
const (
	shortIDAt         = 1
	handshakeIDAt     = 6
	longTypeBits      = 0x30
	handshakeTypeBits = 0x20
)

// SteeringFilter returns ShardOf as a classic BPF program for
// udp.ListenGroup. The version is not looked at: a packet of another one gets
// the same answer wherever it goes.
func SteeringFilter(n int) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: longHeaderBit, SkipTrue: 3},
		bpf.LoadAbsolute{Off: shortIDAt, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(n)},
		bpf.RetA{},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: longTypeBits},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: handshakeTypeBits, SkipFalse: 3},
		bpf.LoadAbsolute{Off: handshakeIDAt, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(n)},
		bpf.RetA{},
		bpf.RetConstant{Val: ^uint32(0)}, // no such socket: by a hash of the addresses
	}
}

var version1 = [4]byte{3: byte(wire.Version1)}

// markShard makes an ID one of endpoint shard of n.
func markShard(first byte, shard, n int) byte {
	marked := int(first) - int(first)%n + shard
	if marked > 0xff {
		marked -= n
	}
	return byte(marked)
}
