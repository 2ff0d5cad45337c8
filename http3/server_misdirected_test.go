package http3

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
)

// TestMisdirectedRequests asks for other hosts than that of TLS, localhost.
func TestMisdirectedRequests(t *testing.T) {
	handled := make(chan string, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { handled <- r.Host }, func(s *Server) {
		base := s.TLSConfig.Clone()
		same, strict := base.Clone(), base.Clone()
		strict.ClientAuth = tls.RequireAndVerifyClientCert
		s.TLSConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			switch hello.ServerName {
			case "localhost":
				return base, nil
			case "same.example":
				return base, nil
			case "":
				return strict, nil // of those who come by address
			case "unknown.example":
				return nil, fmt.Errorf("no such host")
			case "careless.example":
				<-hello.Context().Done() // there is none
			}
			return same.Clone(), nil
		}
	})
	c := ts.dialRaw(t)
	for host, want := range map[string]string{
		"localhost": "200", "LocalHost:443": "200", "localhost:80": "200",
		"same.example": "200", "sub.localhost": "421", "other.example": "421", "unknown.example": "421", "careless.example": "421",
		"127.0.0.1": "421", "[::1]:443": "421",
	} {
		for range 2 {
			m := readMessage(t, c.request(true, headers(strings.Replace(getFields, "=localhost", "="+host, 1))))
			if got := m.fields[0].Value; got != want {
				t.Errorf("%s: status %s, want %s", host, got, want)
			}
			if want == "200" {
				wait(t, "the handler", handled)
			}
		}
	}
	select {
	case host := <-handled:
		t.Errorf("a request for %s was handled", host)
	default:
	}
	for n := 0; c.qc.Err() == nil && n < 5000; n++ { // they count as waste
		s, err := c.qc.OpenStream(testContext(t))
		if err != nil {
			break
		}
		_, _ = s.WriteLast(headers(strings.Replace(getFields, "=localhost", "=other.example", 1)))
		_, _ = s.Read(make([]byte, 100))
	}
	c.wantClose("misdirected requests", h3.ExcessiveLoad)
}
