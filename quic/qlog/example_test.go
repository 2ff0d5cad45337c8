package qlog_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/qlog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

func ExampleDir() {
	path, err := os.MkdirTemp("", "qlog")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(path)

	conf := quic.Config{Tracer: qlog.Dir(path, slog.Default())}
	tracer := conf.Tracer(quictrace.Info{OriginalID: []byte{1, 2, 3, 4, 5, 6, 7, 8}}) // each connection does this
	tracer.Trace(0, &quictrace.ConnectionStateUpdated{New: quictrace.StateAttempted})
	tracer.Trace(1, &quictrace.ConnectionStateUpdated{New: quictrace.StateClosed})

	files, err := filepath.Glob(filepath.Join(path, "*"))
	for _, file := range files {
		fmt.Println(filepath.Base(file), err)
	}
	// Output: 0102030405060708_client.sqlog <nil>
}
