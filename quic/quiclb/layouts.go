package quiclb

import (
	"fmt"

	"github.com/godwit-quic/godwit/quic"
)

// nlbServerIDLen is the length of server IDs that AWS gives to targets: 16 hexadecimal digits
// (QuicServerId of Elastic Load Balancing's TargetDescription).
const nlbServerIDLen = 8

// NLB returns a generator for targets of an AWS Network Load Balancer's QUIC listeners: QUIC-LB
// in plaintext, configuration 0, with the server ID of 8 bytes that the target was registered
// with, and a nonce that makes an ID of 16 bytes. The length of server IDs is AWS's
// documentation's; that IDs must have 16 bytes is what others have found by trying, and
// documented nowhere. The load balancer controller for Kubernetes gives the server ID to
// programs in base64, as AWS_LBC_QUIC_SERVER_ID.
func NLB(serverID [nlbServerIDLen]byte) quic.ConnectionIDGenerator {
	g, err := New(Config{ServerIDLen: nlbServerIDLen, NonceLen: 16 - 1 - nlbServerIDLen}, serverID[:])
	if err != nil {
		panic(err) // it is right
	}
	return g
}

// Katran returns a generator of IDs that Katran routes by (katran/lib/bpf/pckt_parsing.h), of
// 8 to 20 bytes: two bits that say version 1 of the layout, 16 bits of the server's number there,
// and random ones. The last byte says the event loop.
func Katran(server uint16, length int) (quic.ConnectionIDGenerator, error) {
	if length < minKatran || length > 1+maxPlain {
		return nil, fmt.Errorf("quiclb: connection IDs for Katran of %d bytes, not %d to %d", length, minKatran, 1+maxPlain)
	}
	return katran{server, length}, nil
}

const (
	// minKatran is the least length that Katran reads in long headers.
	minKatran = 8
	// katranVersion is in the first two bits, and the server's number in the 16 after it.
	katranVersion = 1
)

type katran struct {
	server uint16
	length int
}

// Len implements quic.ConnectionIDGenerator.
func (k katran) Len(byte) int { return k.length }

// New implements quic.ConnectionIDGenerator.
func (k katran) New(dst []byte, shard, shards int, random func([]byte)) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, k.length)...)
	id := dst[at:]
	random(id)
	id[0] = katranVersion<<6 | byte(k.server>>10)
	id[1] = byte(k.server >> 2)
	id[2] = byte(k.server)<<6 | id[2]&0x3f
	last := len(id) - 1
	id[last] = inShard(id[last], shard, shards)
	return dst
}

// Shard implements quic.ConnectionIDGenerator.
func (k katran) Shard(id []byte, shards int) (int, bool) {
	if len(id) < k.length || katranServer(id) != int(k.server) {
		return 0, false
	}
	return int(id[k.length-1]) % shards, true
}

// katranServer returns the server's number in an ID of three bytes at least, -1 if it says none.
func katranServer(id []byte) int {
	if id[0]>>6 != katranVersion {
		return -1
	}
	return int(id[0]&0x3f)<<10 | int(id[1])<<2 | int(id[2])>>6
}
