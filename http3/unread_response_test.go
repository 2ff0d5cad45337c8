package http3

import (
	"io"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// A response that nobody reads fills the window of its stream, and other requests on the
// connection go on: both where a window of streams was set, and where it has grown with what
// was read before.
func TestUnreadResponse(t *testing.T) {
	const (
		little  = 100 << 10
		others  = 40 // have more than the connection's first window
		readOff = 4 << 20
	)
	for name, tt := range map[string]struct {
		config *quic.Config
		read   int64 // before nobody reads
	}{
		"large windows of streams": {&quic.Config{InitialStreamWindow: 4 << 20}, 0},
		"grown":                    {nil, readOff},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/little" {
					_, _ = w.Write(make([]byte, little))
					return
				}
				for piece := make([]byte, 32<<10); ; {
					if _, err := w.Write(piece); err != nil {
						return
					}
				}
			})
			ts.transport.QUICConfig = tt.config
			req, err := http.NewRequestWithContext(t.Context(), "GET", ts.url+"/endless", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := ts.transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.CopyN(io.Discard, resp.Body, tt.read); err != nil {
				t.Fatal(err)
			}
			for range others {
				if _, body := ts.do(t, "GET", "/little", nil); len(body) != little {
					t.Fatalf("%d bytes", len(body))
				}
			}
		})
	}
}
