package quic

import (
	"log/slog"
	"sync"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/qlog"
	"github.com/godwit-quic/godwit/internal/wire"
)

// qlogDirs has a tracer factory for each directory in use, by its path, so that
// its bound on open files holds for all connections of the process.
var qlogDirs sync.Map

// newTracer returns what makes the observer of each connection, nil for none.
func newTracer(conf *Config, log *asynclog.Handler) func(wire.Side, wire.ConnectionID) engine.Tracer {
	if conf.QlogDir == "" {
		return nil
	}
	if known, ok := qlogDirs.Load(conf.QlogDir); ok {
		return known.(func(wire.Side, wire.ConnectionID) engine.Tracer)
	}
	dir, _ := qlogDirs.LoadOrStore(conf.QlogDir, qlog.Dir(conf.QlogDir, slog.New(log)))
	return dir.(func(wire.Side, wire.ConnectionID) engine.Tracer)
}
