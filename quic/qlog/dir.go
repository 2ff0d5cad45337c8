package qlog

import (
	"cmp"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// maxOpen is how many connections of a directory are logged at the same time.
// Further ones are not: files and their buffers are finite, and strangers decide
// how many connections a server has.
const maxOpen = 512

// eventSchemas are the drafts that the events follow. They must carry the drafts'
// numbers (draft-ietf-quic-qlog-quic-events, Section 2.1, draft-ietf-quic-qlog-h3-events,
// Section 2.1).
var eventSchemas = []string{"urn:ietf:params:qlog:events:quic-13", "urn:ietf:params:qlog:events:http3-13"}

// dir makes the tracers of one directory.
type dir struct {
	path   string
	log    *asynclog.Handler
	open   atomic.Int64 // files
	failed sync.Once    // the first error is told, the others are like it
}

// Dir returns a quic.Config.Tracer that writes a file for each connection to the directory
// path, which is made when it is not there: DIR/<id>_client.sqlog or DIR/<id>_server.sqlog,
// named after the client's first destination connection ID, so that the two ends of a
// connection are found side by side. At most 512 connections are logged at a time, and
// about 1 GiB of each. Connections work without a log when it cannot be written: the first
// error is told to log, in a goroutine of its own, or to slog.Default() if log is nil, and no
// other. The limit is that of one call of Dir, whose result may be used by many configurations.
func Dir(path string, log *slog.Logger) func(quictrace.Info) quictrace.Tracer {
	return newDir(path, log).newTracer
}

func newDir(path string, log *slog.Logger) *dir {
	return &dir{path: path, log: asynclog.New(cmp.Or(log, slog.Default()).Handler())}
}

// report tells the first error.
func (d *dir) report(err error) {
	d.failed.Do(func() { slog.New(d.log).Warn("qlog: connections are not logged completely", "err", err) })
}

func (d *dir) newTracer(info quictrace.Info) quictrace.Tracer {
	if d.open.Add(1) > maxOpen {
		d.open.Add(-1)
		return nil
	}
	f, err := d.create(hex.EncodeToString(info.OriginalID) + "_" + side(info) + ".sqlog")
	if err != nil {
		d.open.Add(-1)
		d.report(err)
		return nil
	}
	return newTracer(info, &output{w: f, limit: maxFile, report: d.report, closed: func() { d.open.Add(-1) }})
}

// New returns a Tracer that writes one connection's events to w, about 1 GiB at most. Write
// gets events in batches, and one by one once the connection has ended. It is called on the
// connection's event loop: a slow Write slows its connections. w is closed when the
// connection is forgotten, or at the first error of Write, which is not reported.
func New(info quictrace.Info, w io.WriteCloser) quictrace.Tracer {
	return newTracer(info, &output{w: w, limit: maxFile, report: func(error) {}, closed: func() {}})
}

func newTracer(info quictrace.Info, out *output) *tracer {
	out.writeHeader(info, time.Now())
	return &tracer{out: out}
}

// side names the end of a connection.
func side(info quictrace.Info) string {
	if info.Server {
		return "server"
	}
	return "client"
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
func (o *output) writeHeader(info quictrace.Info, now time.Time) {
	r := o.begin()
	r.open("", '{')
	r.word("file_schema", "urn:ietf:params:qlog:file:sequential")
	r.word("serialization_format", "application/qlog+json-seq")
	r.word("title", "godwit")
	r.open("trace", '{')
	r.open("common_fields", '{')
	r.hex("group_id", info.OriginalID)
	r.word("time_format", "relative_to_epoch")
	r.open("reference_time", '{')
	r.word("clock_type", "monotonic")
	r.word("epoch", "unknown")
	r.word("wall_clock_time", now.UTC().Format("2006-01-02T15:04:05.000Z"))
	r.close('}')
	r.close('}')
	r.open("vantage_point", '{')
	r.word("type", side(info))
	r.close('}')
	r.open("event_schemas", '[')
	for _, uri := range eventSchemas {
		r.word("", uri)
	}
	r.close(']')
	r.close('}')
	r.close('}')
	o.end()
}
