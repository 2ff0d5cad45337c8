// Webtransport-client sends its arguments to the example webtransport-server, as a
// datagram and on a stream, and prints what comes back:
//
//	go run ./examples/webtransport-client -hash HASH hello
//
// HASH is the SHA-256 that the server logs. Servers whose certificate the system
// trusts need none.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/webtransport"
)

func main() {
	url := flag.String("url", "https://localhost:4433/echo", "`URL` of the session")
	hash := flag.String("hash", "", "SHA-256 of the server's certificate, in `hex`")
	flag.Parse()
	message := []byte(strings.Join(flag.Args(), " "))

	var dialer webtransport.Dialer
	if *hash != "" {
		b, err := hex.DecodeString(*hash)
		if err != nil || len(b) != sha256.Size {
			log.Fatalf("-hash %s is not a SHA-256: it has 64 hexadecimal digits", *hash)
		}
		dialer.ServerCertificateHashes = [][sha256.Size]byte{[sha256.Size]byte(b)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, _, err := dialer.Dial(ctx, *url, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("session open,", session.Draft())

	if err := session.SendDatagram(message); err != nil {
		log.Fatal(err)
	}
	answer, err := session.ReceiveDatagram(ctx) // fails after a while if one was lost
	fmt.Printf("datagram: %q %v\n", answer, err)

	stream, err := session.OpenStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := stream.Write(message); err != nil {
		log.Fatal(err)
	}
	stream.Close() // ends what we send
	answer, err = io.ReadAll(stream)
	fmt.Printf("stream: %q %v\n", answer, err)

	session.CloseWithError(0, "bye")
	<-session.QUIC().Done() // the connection has no other session, and ends
}
