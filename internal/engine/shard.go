package engine

import "golang.org/x/net/bpf"

// MaxShards is how many endpoints may share an address: the first byte of
// their connection IDs names them.
const MaxShards = 64

// Where packets of every version have the first byte of the destination
// connection ID (RFC 8999, Section 5).
const (
	shortIDAt = 1
	longIDAt  = 6
)

// ShardOf returns which of n endpoints that share an address a datagram is for.
// A client's first packets, whose ID the client has invented, fall to an
// endpoint by chance, and stay there with the ID that it gives out.
func ShardOf(datagram []byte, n int) int {
	if len(datagram) <= longIDAt {
		return 0 // too short for anything
	}
	if datagram[0]&longHeaderBit != 0 {
		return int(datagram[longIDAt]) % n
	}
	return int(datagram[shortIDAt]) % n
}

// SteeringFilter returns ShardOf as a classic BPF program for udp.ListenGroup.
func SteeringFilter(n int) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: longIDAt, Size: 1}, // ends the program with 0 if it is not there
		bpf.TAX{},
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: longHeaderBit, SkipTrue: 3},
		bpf.LoadAbsolute{Off: shortIDAt, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(n)},
		bpf.RetA{},
		bpf.TXA{},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(n)},
		bpf.RetA{},
	}
}

// markShard makes an ID with that first byte one of endpoint shard of n.
func markShard(first byte, shard, n int) byte {
	marked := int(first) - int(first)%n + shard
	if marked > 0xff {
		marked -= n
	}
	return byte(marked)
}
