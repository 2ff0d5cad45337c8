package event

import (
	"reflect"
	"testing"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// TestBlocking: the streams of package quic are names and nothing else, as blocking takes
// for granted.
func TestBlocking(t *testing.T) {
	for _, half := range []reflect.Type{reflect.TypeFor[quic.SendStream](), reflect.TypeFor[quic.ReceiveStream]()} {
		if half.NumField() != 1 || half.Field(0).Type != reflect.TypeFor[face.Ref]() {
			t.Fatalf("%v is not a face.Ref alone", half)
		}
	}
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, _ := e.streams(client, server)
		want := Of(cs)
		got := want.Detach()
		if *got != *cs || Of(got) != want || Of(&got.SendStream) != want || Of(&got.ReceiveStream) != want || want.DetachSend() == nil {
			t.Errorf("%v came back as %v", *cs, *got)
		}
	})
}
