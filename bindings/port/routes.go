package port

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// routes are the responses of a listener that are always the same, by path. Loops read
// them while commands change them.
type routes struct {
	table atomic.Pointer[map[string]*route]
}

// route is a response that is always the same. It is encoded once a second, for the Date.
type route struct {
	fields  []qpack.Field // ":status" first
	dated   bool          // there is a Date among them
	content []byte
	encoded atomic.Pointer[encodedRoute]
}

// encodedRoute is a route as it goes on the wire within one second.
type encodedRoute struct {
	second    int64
	get, head []byte
}

// set carries out a command.
func (r *routes) set(payload []byte) *failure {
	fields, content, err := consumeFields(nil, payload)
	if err != nil || len(fields) == 0 || fields[0].Name != ":path" {
		return fault(ErrCommand, "a route begins with :path")
	}
	path, fields := fields[0].Value, fields[1:]
	table := make(map[string]*route)
	if old := r.table.Load(); old != nil {
		for k, v := range *old {
			table[k] = v
		}
	}
	delete(table, path)
	if len(fields) > 0 {
		made, failed := newRoute(fields, content)
		if failed != nil {
			return failed
		}
		table[path] = made
	}
	r.table.Store(&table)
	return nil
}

func newRoute(fields []qpack.Field, content []byte) (*route, *failure) {
	if fields[0].Name != ":status" || !isStatus(fields[0].Value, 200, 999) {
		return nil, fault(ErrCommand, "a route needs :status, from 200 to 999, after :path")
	}
	if failed := checkFields(fields); failed != nil {
		return nil, failed
	}
	made := &route{content: append([]byte(nil), content...)}
	length := false
	for _, f := range fields {
		made.dated = made.dated || f.Name == "date"
		length = length || f.Name == "content-length"
		made.fields = append(made.fields, f)
	}
	if status := fields[0].Value; !length && status != "204" && status != "304" {
		made.fields = append(made.fields, qpack.Field{Name: "content-length", Value: strconv.Itoa(len(content))})
	}
	return made, nil
}

// serve answers a request if there is a route for it, and the client takes so much at
// once; otherwise the host answers.
func (r *routes) serve(x *request, head *h3.RequestHeader) bool {
	table := r.table.Load()
	if table == nil || head.Method != "GET" && head.Method != "HEAD" {
		return false
	}
	found := (*table)[head.Path]
	if found == nil {
		return false
	}
	b := found.bytes(time.Now(), head.Method)
	if len(b) > smallLast && x.below.Room() < len(b) {
		return false
	}
	x.below.SetHandler(nil)
	_, _ = x.below.Write(b, true) // the client may be gone
	x.rs.Abandon()
	if ended, _ := x.rs.Ended(); !ended {
		x.below.Stop(h3.NoError) // RFC 9114, Section 4.1
	}
	x.http.machine.AnsweredRequest()
	return true
}

// bytes returns the frames of the response.
func (r *route) bytes(now time.Time, method string) []byte {
	e := r.encoded.Load()
	if e == nil || e.second != now.Unix() {
		e = r.encode(now)
		r.encoded.Store(e)
	}
	if method == "HEAD" {
		return e.head
	}
	return e.get
}

// httpDate is how HTTP writes times (RFC 9110, Section 5.6.7).
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

func (r *route) encode(now time.Time) *encodedRoute {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendPrefix(b)
	for _, f := range r.fields {
		b = qpack.AppendField(b, f.Name, f.Value)
	}
	if !r.dated {
		b = qpack.AppendField(b, "date", now.UTC().Format(httpDate))
	}
	b = h3.EndHeaders(b, mark)
	e := &encodedRoute{second: now.Unix(), head: append([]byte(nil), b...)}
	if len(r.content) > 0 {
		b = append(h3.AppendFrameHeader(b, h3.FrameData, uint64(len(r.content))), r.content...)
	}
	e.get = b
	return e
}
