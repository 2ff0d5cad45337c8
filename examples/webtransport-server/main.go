// Webtransport-server is a WebTransport server that sends streams and datagrams
// back:
//
//	go run ./examples/webtransport-server
//
// It makes a certificate for localhost and logs its SHA-256, by which browsers,
// with serverCertificateHashes, and the example webtransport-client accept it.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/webtransport"
)

func main() {
	listen := flag.String("listen", "localhost:4433", "`address` to listen on, TCP and UDP")
	flag.Parse()

	mux := http.NewServeMux()
	mux.HandleFunc("/echo", echo)
	server := &http3.Server{Handler: mux}
	webtransport.Enable(server, nil)
	ln, err := server.ListenAll(*listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("serving https://%s/echo\n", ln.Addr())
	log.Fatal(ln.Serve())
}

// echo turns a request into a session. Pages of other origins are refused: a
// webtransport.UpgradeConfig can allow them.
func echo(w http.ResponseWriter, r *http.Request) {
	session, err := webtransport.Upgrade(w, r)
	if err != nil {
		log.Print(err) // the client has been told
		return
	}
	go echoDatagrams(session)
	for {
		stream, err := session.AcceptStream(session.Context())
		if err != nil {
			log.Print(err) // how the session ended
			return
		}
		go func() {
			io.Copy(stream, stream)
			stream.Close() // ends what we send
		}()
	}
}

func echoDatagrams(session *webtransport.Session) {
	for {
		p, err := session.ReceiveDatagram(session.Context())
		if err != nil {
			return
		}
		session.SendDatagram(p) // or not: one that is too large now is dropped
	}
}
