package wtclient

import "sync/atomic"

// tally counts what went in one direction: messages, and the bytes in them.
type tally struct{ datagrams, streams, bytes atomic.Uint64 }

// counts is a tally at one moment.
type counts struct {
	Datagrams uint64 `json:"datagrams"`
	Streams   uint64 `json:"streams"`
	Bytes     uint64 `json:"bytes"`
}

func (t *tally) counts() counts {
	return counts{t.datagrams.Load(), t.streams.Load(), t.bytes.Load()}
}
