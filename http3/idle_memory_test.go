package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// maxIdleBytes is what an idle connection may keep reachable at both ends together:
// 10.5 KiB, of which the server has half, and something to spare for what the runtime keeps
// that grows by itself now and then.
const maxIdleBytes = 10<<10 + 716

// TestIdleConnectionsNeedLittleMemory opens connections, has a request answered on
// each, and lets them rest.
func TestIdleConnectionsNeedLittleMemory(t *testing.T) {
	const count = 300
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	tr, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	connect := func() {
		qc, err := tr.Dial(t.Context(), ts.addr, clientTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := requestOnce(t.Context(), qc); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // what is made once is there
		connect()
	}
	before := reachableAtRest()
	for range count {
		connect()
	}
	each := (reachableAtRest() - before) / count
	t.Logf("%d bytes for each idle connection", each)
	if each > maxIdleBytes {
		t.Errorf("%d bytes for each idle connection, more than %d", each, maxIdleBytes)
	}
}

// requestOnce makes a request, and leaves nothing unread.
func requestOnce(ctx context.Context, qc *quic.Conn) error {
	control, errControl := qc.OpenUniStream(ctx)
	request, errRequest := qc.OpenStream(ctx)
	theirs, errTheirs := qc.AcceptUniStream(ctx)
	if err := errors.Join(errControl, errRequest, errTheirs); err != nil {
		return err
	}
	_, errControl = control.Write([]byte{0x00, 0x04, 0x00})
	_, errRequest = request.WriteLast(headers(getFields))
	_, errTheirs = theirs.Read(make([]byte, 1<<10))
	_, errResponse := io.ReadAll(request)
	return errors.Join(errControl, errRequest, errTheirs, errResponse)
}

// reachableAtRest waits until connections have given back what they do not need,
// and returns how many bytes are reachable.
func reachableAtRest() int {
	time.Sleep(1300 * time.Millisecond)
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
