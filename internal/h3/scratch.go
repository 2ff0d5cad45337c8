package h3

import (
	"sync"

	"github.com/godwit-quic/godwit/internal/qpack"
)

const (
	// scratchSize is the size of the buffers that beginnings of messages are read into,
	// in bytes; a request without content is rarely longer.
	scratchSize = 4 << 10
	// maxScratchFields is the number of fields beyond which the memory for a section's
	// is not used again.
	maxScratchFields = 1024
)

// scratch is what reading the beginning of a message takes. It is needed only while
// bytes are looked at, so that waiting for them costs no memory.
type scratch struct {
	buf     [scratchSize]byte
	fields  []qpack.Field
	decoder qpack.Decoder

	request  RequestHeader // one of both is being told of
	response ResponseHeader
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func getScratch() *scratch { return scratchPool.Get().(*scratch) }

func (sc *scratch) release() {
	if cap(sc.fields) > maxScratchFields {
		sc.fields = nil
	}
	clear(sc.fields) // the strings belong to a message by now
	sc.fields = sc.fields[:0]
	sc.request, sc.response = RequestHeader{}, ResponseHeader{}
	scratchPool.Put(sc)
}
