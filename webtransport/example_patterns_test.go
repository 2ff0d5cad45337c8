package webtransport_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3/http3test"
	"github.com/godwit-quic/godwit/webtransport"
)

// room passes on what one session says to all in it.
type room struct {
	mu       sync.Mutex
	sessions []*webtransport.Session
}

func (r *room) handle(w http.ResponseWriter, req *http.Request) {
	session, err := webtransport.Upgrade(w, req)
	if err != nil {
		return // the client has been told
	}
	r.mu.Lock()
	r.sessions = append(r.sessions, session)
	r.mu.Unlock()
	defer r.leave(session)
	for {
		stream, err := session.AcceptUniStream(session.Context())
		if err != nil {
			return
		}
		message, err := io.ReadAll(io.LimitReader(stream, 1<<10))
		stream.CancelRead(0) // the rest, if there is more
		if err != nil {
			continue // it was cancelled
		}
		r.say(message)
	}
}

func (r *room) leave(session *webtransport.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions = slices.DeleteFunc(r.sessions, func(s *webtransport.Session) bool { return s == session })
}

// say sends a message to everybody, and waits for nobody: who is slow loses it.
func (r *room) say(message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, session := range r.sessions {
		session.SendDatagram(message)
	}
}

// A chat room: messages come by streams, so that none is lost, and go out as datagrams.
func ExampleUpgrade_room() {
	var chat room
	srv := http3test.NewUnstartedServer(http.HandlerFunc(chat.handle))
	webtransport.Enable(srv.Config, nil)
	srv.Start()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: srv.TLSClientConfig()}
	session, _, err := dialer.Dial(ctx, srv.URL+"/chat", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	stream, err := session.OpenUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(stream, "hello, all")
	stream.Close()
	heard, err := session.ReceiveDatagram(ctx)
	fmt.Printf("%s %v\n", heard, err)
	// Output: hello, all <nil>
}

// A game sends its state 60 times a second as datagrams: a late one is of no use, so none is
// sent again, and each has a number by which the player drops what came out of order.
func ExampleSession_SendDatagram() {
	play := func(session *webtransport.Session) {
		tick := time.NewTicker(time.Second / 60)
		defer tick.Stop()
		for n := uint32(1); ; n++ {
			select {
			case <-tick.C:
			case <-session.Context().Done():
				return
			}
			state := binary.BigEndian.AppendUint32(nil, n)
			session.SendDatagram(append(state, "where everybody is"...)) // the error is the session's end
		}
	}
	srv := http3test.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, err := webtransport.Upgrade(w, r); err == nil {
			play(session)
		}
	}))
	webtransport.Enable(srv.Config, nil)
	srv.Start()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: srv.TLSClientConfig()}
	session, _, err := dialer.Dial(ctx, srv.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.CloseWithError(0, "")
	var newest uint32
	for newest < 3 {
		state, err := session.ReceiveDatagram(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if n := binary.BigEndian.Uint32(state); n > newest {
			newest = n // and the state is shown
		}
	}
	fmt.Println("the game goes on")
	// Output: the game goes on
}

// A server that is to stop asks its sessions to come to an end, and waits for them.
func ExampleSession_Draining() {
	opened := make(chan struct{})
	srv := http3test.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		close(opened)
		<-session.Context().Done()
	}))
	webtransport.Enable(srv.Config, nil)
	srv.Start()
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := &webtransport.Dialer{TLSClientConfig: srv.TLSClientConfig()}
	session, _, err := dialer.Dial(ctx, srv.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	<-opened
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Config.Shutdown(ctx) }()

	<-session.Draining() // the client says what it still has to say, and goes
	session.CloseWithError(0, "moved on")
	fmt.Println(<-stopped)
	// Output: <nil>
}
