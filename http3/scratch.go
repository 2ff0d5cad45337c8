package http3

import (
	"sync"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// scratch is memory for encoding a header section and for reading the content of
// tunnels. It is needed only while bytes are looked at, so that waiting for them costs
// no memory.
type scratch struct {
	buf    [scratchSize]byte
	fields []qpack.Field
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func getScratch() *scratch { return scratchPool.Get().(*scratch) }

func (sc *scratch) release() {
	if cap(sc.fields) > maxScratchFields {
		sc.fields = nil
	}
	clear(sc.fields) // the strings belong to a request by now
	sc.fields = sc.fields[:0]
	scratchPool.Put(sc)
}
