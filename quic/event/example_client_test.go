package event_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// asker is a client's connection: it asks in a turn of its event loop, and hears the
// answer in a later one.
type asker struct{ answers chan string }

func (a *asker) HandleStream(event.Turn, event.Stream) event.StreamHandler { return nil }
func (a *asker) HandleClose(event.Turn, error)                             {}

// ask sends a question on a stream of its own.
func (a *asker) ask(t event.Turn, question string) {
	q := &query{asker: a}
	s, err := t.Open(false, q)
	if err != nil {
		a.answers <- err.Error()
		return
	}
	t.WriteLast(s, []byte(question))
}

// query is a stream with a question and its answer.
type query struct {
	asker  *asker
	answer []byte
}

func (q *query) HandleReadable(t event.Turn, s event.Stream) {
	buf := make([]byte, 1024)
	for {
		n, err := t.Read(s, buf)
		q.answer = append(q.answer, buf[:n]...)
		if err == io.EOF {
			q.asker.answers <- string(q.answer)
		}
		if n == 0 || err != nil {
			return
		}
	}
}

func (q *query) HandleWritable(event.Turn, event.Stream) {}

func (q *query) HandleEnd(t event.Turn, s event.Stream, end event.End) {
	if end.Kind == event.StreamEnded {
		t.Release(s)
	}
}

// upperServer is a server like ExampleListen's.
func upperServer() (*quic.Listener, *quic.Transport) {
	serverTLS, _ := exampleTLS()
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	ln, err := event.ListenOn(transport, serverTLS, nil, func(event.Turn) event.Handler { return upper{} })
	if err != nil {
		log.Fatal(err)
	}
	return ln, transport
}

// A client whose connections need no goroutines. The first question leaves with the
// handshake's last bytes.
func ExampleDial() {
	ctx := context.Background()
	ln, transport := upperServer()
	defer transport.Close()
	_, clientTLS := exampleTLS()

	a := &asker{answers: make(chan string, 1)}
	conn, err := event.Dial(ctx, ln.Addr().String(), clientTLS, nil, func(t event.Turn) event.Handler {
		a.ask(t, "who are you?")
		return a
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	fmt.Println(<-a.answers)
	// Output: WHO ARE YOU?
}

// Whoever has a connection finds its Handler, and takes a turn of its event loop to use it.
func ExampleHandlerOf() {
	ctx := context.Background()
	ln, transport := upperServer()
	defer transport.Close()
	_, clientTLS := exampleTLS()
	newHandler := func(event.Turn) event.Handler { return &asker{answers: make(chan string, 1)} }

	conn, err := event.DialOn(ctx, transport, ln.Addr().String(), clientTLS, nil, newHandler)
	if err != nil {
		log.Fatal(err)
	}
	a := event.HandlerOf(conn).(*asker)
	event.Run(conn, func(t event.Turn) { a.ask(t, "from a goroutine") })
	fmt.Println(<-a.answers)
	// Output: FROM A GOROUTINE
}

// A goroutine opens a stream, waits while the peer allows none, and has the request leave
// in the turn that opens it. Then it reads with calls that wait.
func ExampleOpen() {
	ctx := context.Background()
	ln, transport := upperServer()
	defer transport.Close()
	_, clientTLS := exampleTLS()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")

	s, err := event.Open(ctx, conn, false, func(t event.Turn, s event.Stream) { t.WriteLast(s, []byte("hello")) })
	if err != nil {
		log.Fatal(err)
	}
	answer, err := io.ReadAll(s.Detach())
	fmt.Printf("%s %v\n", answer, err)
	// Output: HELLO <nil>
}

// A stream that goroutines have used is given up, so that its memory serves the next one.
func ExampleOf() {
	ctx := context.Background()
	ln, transport := upperServer()
	defer transport.Close()
	_, clientTLS := exampleTLS()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stream.WriteLast([]byte("once"))
	answer, _ := io.ReadAll(stream)

	done := make(chan struct{})
	event.Run(conn, func(t event.Turn) { t.Release(event.Of(stream)); close(done) })
	<-done
	_, err = stream.Read(make([]byte, 1))
	fmt.Printf("%s; %v\n", answer, err)
	// Output: ONCE; quic: the stream was released
}

// A moment that a goroutine knows as a time is set for a timer of the event loop.
func ExampleTimer() {
	ctx := context.Background()
	ln, transport := upperServer()
	defer transport.Close()
	_, clientTLS := exampleTLS()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")

	due := time.Now().Add(10 * time.Millisecond)
	rang := make(chan bool)
	var timer event.Timer
	event.Run(conn, func(t event.Turn) {
		t.SetTimer(&timer, event.Moment(conn, due), event.TimerFunc(func(event.Turn) { rang <- true }))
	})
	fmt.Println(<-rang, !time.Now().Before(due))
	// Output: true true
}
