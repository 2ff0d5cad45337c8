package http3

import (
	"sync"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// scratch is what reading the beginning of a message takes. It is needed only
// while bytes are looked at, so that waiting for them costs no memory.
type scratch struct {
	buf     [scratchSize]byte
	fields  []qpack.Field
	decoder qpack.Decoder
}

var scratchPool = sync.Pool{New: func() any { return new(scratch) }}

func getScratch() *scratch { return scratchPool.Get().(*scratch) }

func (sc *scratch) release() {
	clear(sc.fields) // the strings belong to a request by now
	sc.fields = sc.fields[:0]
	scratchPool.Put(sc)
}

// decode reads a field section of maxSize bytes at most. The fields are valid
// until the next call and until release; their strings may be kept.
func (sc *scratch) decode(section []byte, maxSize int) ([]qpack.Field, error) {
	var err error
	sc.fields, err = sc.decoder.AppendFields(sc.fields[:0], section, maxSize)
	return sc.fields, err
}

// decodeTrailers reads a trailer section and checks it.
func (sc *scratch) decodeTrailers(section []byte, maxSize int) ([]qpack.Field, error) {
	fields, err := sc.decode(section, maxSize)
	if err != nil {
		return nil, err
	}
	return fields, h3.ParseTrailers(fields)
}
