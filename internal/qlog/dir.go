package qlog

import (
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// maxOpen is how many connections of a directory are logged at the same time.
// Further ones are not: files and their buffers are finite, and strangers decide
// how many connections a server has.
const maxOpen = 512

// eventSchema is the draft that the events follow. It must carry the draft's
// number (draft-ietf-quic-qlog-quic-events, Section 2.1).
const eventSchema = "urn:ietf:params:qlog:events:quic-13"

// dir makes the tracers of one directory.
type dir struct {
	path   string
	log    *slog.Logger
	open   atomic.Int64 // files
	failed sync.Once    // the first error is told, the others are like it
}

// Dir returns a constructor of tracers that write to files in the directory
// path, which is made when it is not there. Connections work without a log when
// it cannot be written: the first error is told to log, or to slog.Default() if
// log is nil, and no other. The constructor may be called concurrently; a tracer
// belongs to its connection's goroutine.
func Dir(path string, log *slog.Logger) func(side wire.Side, id wire.ConnectionID) engine.Tracer {
	if log == nil {
		log = slog.Default()
	}
	d := &dir{path: path, log: log}
	return d.newTracer
}

// report tells the first error.
func (d *dir) report(err error) {
	d.failed.Do(func() { d.log.Warn("qlog: connections are not logged completely", "err", err) })
}

func (d *dir) newTracer(side wire.Side, id wire.ConnectionID) engine.Tracer {
	if d.open.Add(1) > maxOpen {
		d.open.Add(-1)
		return nil
	}
	f, err := d.create(id.String() + "_" + side.String() + ".sqlog")
	if err != nil {
		d.open.Add(-1)
		d.report(err)
		return nil
	}
	out := &output{w: f, limit: maxFile, report: d.report, closed: func() { d.open.Add(-1) }}
	out.writeHeader(side, id, time.Now())
	return &tracer{side: side, out: out}
}

// create makes a file that is not there yet: a peer that repeats a connection ID
// cannot make another's log disappear.
func (d *dir) create(name string) (*os.File, error) {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(d.path, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// writeHeader writes the file's first record.
func (o *output) writeHeader(side wire.Side, id wire.ConnectionID, now time.Time) {
	r := o.begin()
	r.open("", '{')
	r.word("file_schema", "urn:ietf:params:qlog:file:sequential")
	r.word("serialization_format", "application/qlog+json-seq")
	r.word("title", "godwit")
	r.open("trace", '{')
	r.open("common_fields", '{')
	r.hex("group_id", id.Bytes())
	r.word("time_format", "relative_to_epoch")
	r.open("reference_time", '{')
	r.word("clock_type", "monotonic")
	r.word("epoch", "unknown")
	r.word("wall_clock_time", now.UTC().Format("2006-01-02T15:04:05.000Z"))
	r.close('}')
	r.close('}')
	r.open("vantage_point", '{')
	r.word("type", side.String())
	r.close('}')
	r.open("event_schemas", '[')
	r.word("", eventSchema)
	r.close(']')
	r.close('}')
	r.close('}')
	o.end()
}
