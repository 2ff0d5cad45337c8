package http3

import (
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

// A Transport's connections share tokens: the second to a server is not asked for a proof of
// the client's address.
func TestTokens(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, _ *http.Request) {}, func(s *Server) {
		s.QUICTransportConfig = &quic.TransportConfig{RequireAddressValidation: true}
	})
	ts.transport.DisableKeepAlives = true
	stats := func() quic.TransportStats { return ts.Transports()[0].Stats() }
	var asked uint64
	for i := range uint64(3) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", ts.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := ts.transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if i == 0 {
			asked = stats().RetriesSent
		}
		if s := stats(); asked == 0 || s.RetriesSent != asked || s.TokensAccepted != i || s.InvalidToken != 0 {
			t.Fatalf("connection %d: %d Retry packets, %d tokens accepted, %d invalid", i, s.RetriesSent, s.TokensAccepted, s.InvalidToken)
		}
	}
}
