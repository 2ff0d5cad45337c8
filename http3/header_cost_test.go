package http3

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic/event"
)

// adversarial are lists of n fields that cost the most, for a given size. A name in
// indexed is put into the dynamic table once; so that each field is one byte.
var adversarial = map[string]struct {
	field   func(i int) qpack.Field
	indexed bool
}{
	"cookies":         {field: func(i int) qpack.Field { return qpack.Field{Name: "cookie", Value: fmt.Sprint("a=", 1e6+i)} }},
	"one name":        {field: func(i int) qpack.Field { return qpack.Field{Name: "x-name", Value: fmt.Sprint(1e6 + i)} }},
	"many names":      {field: func(i int) qpack.Field { return qpack.Field{Name: fmt.Sprint("x-", 1e6+i), Value: "v"} }},
	"long values":     {field: func(i int) qpack.Field { return qpack.Field{Name: "x-name", Value: strings.Repeat("x", 300)} }},
	"long cookies":    {field: func(i int) qpack.Field { return qpack.Field{Name: "cookie", Value: strings.Repeat("x", 300)} }},
	"trailer names":   {field: func(i int) qpack.Field { return qpack.Field{Name: "trailer", Value: fmt.Sprint("x-", 1e6+i)} }},
	"indexed cookies": {field: func(int) qpack.Field { return qpack.Field{Name: "cookie", Value: strings.Repeat("c", 34)} }, indexed: true},
	"indexed name":    {field: func(int) qpack.Field { return qpack.Field{Name: "x-name", Value: strings.Repeat("v", 100)} }, indexed: true},
	"indexed empty":   {field: func(int) qpack.Field { return qpack.Field{Name: "x-a"} }, indexed: true},
}

// encoded is a field section as a peer sends it, and what its encoder stream has to
// say before.
type encoded struct{ encoder, section []byte }

// encode encodes n fields, after some others.
func encode(n int, first []qpack.Field, field func(i int) qpack.Field, indexed bool) encoded {
	e := encoded{section: []byte{0, 0}}
	if indexed {
		f := field(0)
		e.section = []byte{2, 0}             // one insertion is required
		e.encoder = []byte{0x3f, 0xe1, 0x1f} // capacity 4096
		e.encoder = append(e.encoder, 0x40|byte(len(f.Name)))
		e.encoder = append(append(e.encoder, f.Name...), byte(len(f.Value)))
		e.encoder = append(e.encoder, f.Value...)
	}
	for _, f := range first {
		e.section = qpack.AppendField(e.section, f.Name, f.Value)
	}
	for i := range n {
		if indexed {
			e.section = append(e.section, 0x80)
		} else {
			f := field(i)
			e.section = qpack.AppendField(e.section, f.Name, f.Value)
		}
	}
	return e
}

// kinds of field sections, from their bytes to what users see.
var sectionKinds = map[string]struct {
	first []qpack.Field
	read  func(fields []qpack.Field) error
}{
	"request": {
		[]qpack.Field{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "a"}, {Name: ":path", Value: "/"}},
		func(fields []qpack.Field) (err error) {
			var head requestHead
			head.RequestHeader, err = h3.ParseRequest(fields)
			head.collect(nil)
			takeTrailerNames(head.header)
			return err
		},
	},
	"response": {
		[]qpack.Field{{Name: ":status", Value: "200"}},
		func(fields []qpack.Field) error {
			head, err := h3.ParseResponse(fields)
			header := make(http.Header)
			addFields(header, head.Fields, nil)
			takeTrailerNames(header)
			return err
		},
	},
	"trailers": {nil, func(fields []qpack.Field) error {
		mergeTrailers(nil, fields)
		return h3.ParseTrailers(fields)
	}},
}

// TestHeaderCostIsLinear: four times the fields cost four times the memory, and all
// of it is a small multiple of the section's decoded size.
func TestHeaderCostIsLinear(t *testing.T) {
	const n = 1000
	for list, a := range adversarial {
		for kind, k := range sectionKinds {
			cost := func(n int) (allocated, size uint64) {
				e := encode(n, k.first, a.field, a.indexed)
				table := qpack.NewDecoderTable(4096, 0)
				if err := table.HandleEncoderStream(e.encoder); err != nil {
					t.Fatal(err)
				}
				return allocatedBy(func() {
					fields, err := table.AppendFields(new(qpack.Decoder), new(qpack.ReadStream), nil, e.section, 1<<30)
					if err == nil {
						err = k.read(fields)
					}
					if err != nil {
						t.Fatal(list, kind, err)
					}
					for _, f := range fields {
						size += uint64(f.Size())
					}
				}), size
			}
			few, _ := cost(n)
			many, size := cost(4 * n)
			if many > 6*few || many > 16*size {
				t.Errorf("%s in a %s: %d bytes for %d fields, %d for %d of %d bytes", list, kind, few, n, many, 4*n, size)
			}
		}
	}
}

// allocatedBy returns how many bytes f allocates.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLargeHeaderIsReadAside: the loop decodes no more of a header section than its
// share, whatever a few bytes stand for, and the handler gets all of it.
func TestLargeHeaderIsReadAside(t *testing.T) {
	got := make(chan int, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { got <- len(r.Header["Cookie"][0]) },
		func(s *Server) { s.MaxHeaderValueCount = 1 << 20 })
	c := ts.dialRaw(t)
	k := sectionKinds["request"]
	for _, n := range []int{100, 900, 9000} {
		e := encode(n, k.first, adversarial["indexed cookies"].field, true)
		if n == 100 {
			c.uni(join([]byte{byte(h3.StreamQPACKEncoder)}, e.encoder))
		}
		s := c.request(true, frame(h3.FrameHeaders, string(e.section)))
		if want := n*36 - 2; wait(t, "the handler", got) != want {
			t.Errorf("another cookie than of %d bytes", want)
		}
		readMessage(t, s)
	}
	// Given up while it is read, or too large after all.
	e := encode(20_000, k.first, adversarial["indexed cookies"].field, true)
	for range 20 {
		s := c.request(false, frame(h3.FrameHeaders, string(e.section)))
		s.CancelWrite(uint64(h3.RequestCancelled))
	}
	m := readMessage(t, c.request(true, frame(h3.FrameHeaders, string(e.section))))
	if m.fields[0].Value != "431" {
		t.Errorf("status %s", m.fields[0].Value)
	}
	if !eventually(func() bool { return ts.liveConns()[0].handlers.Load() == 0 }) {
		t.Errorf("%d handlers are counted in the end", ts.liveConns()[0].handlers.Load())
	}
}

// TestLargeHeaderOfEndedConn: a connection that ends while a large header section of it
// is decoded takes no handler's place with it.
func TestLargeHeaderOfEndedConn(t *testing.T) {
	ts := serve(t, nil)
	client := ts.dialRaw(t)
	if !eventually(func() bool { return len(ts.liveConns()) == 1 }) {
		t.Fatal("no connection")
	}
	c, busy := ts.liveConns()[0], &workers{coming: true} // but nobody comes
	replaced := make(chan struct{})
	event.Run(c.qc, func(event.Turn) {
		c.workers = busy
		close(replaced)
	})
	wait(t, "the loop", replaced)
	e := encode(20_000, sectionKinds["request"].first, adversarial["indexed cookies"].field, false)
	client.request(true, frame(h3.FrameHeaders, string(e.section)))
	var job job
	if !eventually(func() bool {
		busy.mu.Lock()
		defer busy.mu.Unlock()
		if len(busy.queue) == 1 {
			job = busy.queue[0]
		}
		return job != nil
	}) {
		t.Fatal("the section is not read aside")
	}
	_ = c.qc.CloseWithError(uint64(h3.NoError), "")
	<-c.qc.Done()
	job.serve()
	if n := busy.running.Load(); n != 0 {
		t.Errorf("%d handlers are counted as running for ever", n)
	}
}
