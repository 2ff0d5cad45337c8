package perf_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/perf"
	"github.com/godwit-quic/godwit/internal/devcert"
)

func ExampleRun() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{perf.ALPN}}
	ln, err := perf.Listen("127.0.0.1:0", server, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	go perf.Serve(ctx, ln)

	result, err := perf.Run(ctx, ln.Addr().String(), perf.Options{
		TLS:      &tls.Config{InsecureSkipVerify: true},
		Download: 1 << 20,
		Streams:  2,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Downloaded, "bytes on", result.Requests, "streams")
	// Output: 2097152 bytes on 2 streams
}
