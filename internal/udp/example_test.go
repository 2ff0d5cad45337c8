package udp_test

import (
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/udp"
)

// Two sockets on loopback: one sends a train of three datagrams, the other
// takes it apart.
func Example() {
	server, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	train := []byte("godwitsflyfar")
	if err := client.Send(train, 6, server.LocalAddr(), netip.Addr{}, 0); err != nil {
		log.Fatal(err)
	}
	for seen := 0; seen < 3; {
		msgs, err := server.Recv(time.Time{})
		if err != nil {
			log.Fatal(err)
		}
		for _, m := range msgs {
			for datagram := range m.Datagrams() {
				fmt.Println(string(datagram))
				seen++
			}
		}
	}
	// Output:
	// godwit
	// sflyfa
	// r
}

// Another goroutine has work for the loop and interrupts its sleep.
func ExampleSocket_Wake() {
	sock, err := udp.Listen("127.0.0.1:0", udp.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer sock.Close()

	mailbox := make(chan string, 1)
	go func() {
		mailbox <- "work"
		sock.Wake()
	}()
	for {
		if _, err := sock.Recv(time.Time{}); err != nil {
			log.Fatal(err)
		}
		select {
		case job := <-mailbox:
			fmt.Println(job)
			return
		default:
		}
	}
	// Output: work
}
