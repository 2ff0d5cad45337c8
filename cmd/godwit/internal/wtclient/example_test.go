package wtclient_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/demo"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/wtclient"
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/webtransport"
)

// dialEcho starts a server and opens a session that echoes.
func dialEcho(ctx context.Context) (session *webtransport.Session, stop func() error, err error) {
	handler := demo.New(demo.Options{})
	cert, hash, err := devcert.Make(time.Now())
	if err != nil {
		return nil, nil, err
	}
	srv := &http3.Server{Handler: handler, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	go ln.Serve()
	dialer := webtransport.Dialer{ServerCertificateHashes: [][sha256.Size]byte{hash}}
	session, _, err = dialer.Dial(ctx, "https://"+ln.Addr().String()+"/wt/echo", nil)
	return session, srv.Close, err
}

func ExampleRun() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, stop, err := dialEcho(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	err = wtclient.Run(ctx, session, wtclient.Options{
		Send:    []wtclient.Message{{Kind: wtclient.Bidi, Text: "hello\n"}},
		Printer: wtclient.NewTextPrinter(os.Stdout, true),
	})
	fmt.Println(err)
	// Output:
	// hello
	// <nil>
}

func ExamplePipe() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	session, stop, err := dialEcho(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	err = wtclient.Pipe(ctx, session, strings.NewReader("there and back\n"), os.Stdout)
	fmt.Println(err)
	// Output:
	// there and back
	// <nil>
}
