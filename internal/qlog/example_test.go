package qlog_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/qlog"
	"github.com/godwit-quic/godwit/internal/wire"
)

func ExampleDir() {
	path, err := os.MkdirTemp("", "qlog")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(path)

	conf := engine.Config{NewTracer: qlog.Dir(path, slog.Default())}
	id, _ := wire.NewConnectionID([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	tracer := conf.NewTracer(wire.ClientSide, id) // the engine does this
	tracer.Closed(1, nil)
	tracer.Released(2)

	files, err := filepath.Glob(filepath.Join(path, "*"))
	for _, file := range files {
		fmt.Println(filepath.Base(file), err)
	}
	// Output: 0102030405060708_client.sqlog <nil>
}
