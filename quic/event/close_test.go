package event

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// Turn.Close does not wait, and counts though another call overtakes it.
func TestTurnClose(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		returned := make(chan bool, 1)
		Run(client, func(turn Turn) {
			face.Of(client).Link.Do(func() { face.Of(client).Link.Close(8, "") })
			turn.Close(7, "")
			select {
			case <-client.Done():
				returned <- false
			default:
				returned <- true
			}
		})
		if !<-returned {
			t.Error("the connection ended while a function runs on its loop")
		}
		<-server.Done()
		if e := wantError[*quic.ApplicationError](t, "the peer's", server.Err()); e.Code != 7 {
			t.Errorf("closed with code %d", e.Code)
		}
	})
}
