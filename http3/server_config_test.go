package http3

import (
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestUniStreamsAllowed: the peer may open the three streams that it needs, whatever the
// configuration says (RFC 9114, Section 6.2).
func TestUniStreamsAllowed(t *testing.T) {
	for in, want := range map[int64]int64{0: maxUniStreams, -1: 3, 1: 3, 3: 3, 50: 50} {
		if got := cloneQUIC(&quic.Config{MaxIncomingUniStreams: in}).MaxIncomingUniStreams; got != want {
			t.Errorf("%d became %d, want %d", in, got, want)
		}
	}
}

// TestSettingsUnasked: SETTINGS come without a word of the client's (RFC 9114, Section
// 7.2.4.2).
func TestSettingsUnasked(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(uint64(h3.NoError), "")
	wantRead(t, "control stream", acceptUni(t, qc, h3.StreamControl), "\x04")
}
