package event

import (
	"unsafe"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// Of names a stream that goroutines use, for handlers: with Turn.Handle they can be told
// how it ends, and with Turn.Release they give it up.
func Of[S *quic.Stream | *quic.SendStream | *quic.ReceiveStream](s S) Stream {
	return Stream{face.Name(s)}
}

// blocking returns a stream as goroutines see it. Each half of a quic.Stream is its name
// and nothing else, as TestBlocking holds. Were it made in package quic, behind a variable
// of package face, then each stream that is detached, such as a request's, would cost an
// allocation.
func blocking(r face.Ref) *quic.Stream {
	return &quic.Stream{
		SendStream:    *(*quic.SendStream)(unsafe.Pointer(&r)),
		ReceiveStream: *(*quic.ReceiveStream)(unsafe.Pointer(&r)),
	}
}
