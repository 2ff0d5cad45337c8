package quic

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
)

// Tests of the packages above have networks in memory.
func init() {
	quicmem.NewTransport = func(socket loop.Socket, conf any, adjust func(*engine.Config)) any {
		tc, _ := conf.(*TransportConfig)
		t := newTransport([]loop.Socket{socket}, tc.orDefault())
		t.adjust = adjust
		return t
	}
}
