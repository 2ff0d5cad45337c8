package http3

import (
	"net/http"
	"strconv"
)

// altSvcMaxAge is for how long a client may remember that HTTP/3 is available,
// in seconds: a day, RFC 7838's default.
const altSvcMaxAge = 86400

// AltSvc returns the value of an Alt-Svc field that says that HTTP/3 is
// available at this UDP port of the same host (RFC 9114, Section 3.1.1).
func AltSvc(port int) string {
	return `h3=":` + strconv.Itoa(port) + `"; ma=` + strconv.Itoa(altSvcMaxAge)
}

// Advertise wraps a handler that is served over TCP: its responses say in
// Alt-Svc that s is there as well, as long as s listens. Browsers find HTTP/3
// this way.
func (s *Server) Advertise(next http.Handler) http.Handler { return &advertiser{s, next} }

// advertiser is a handler that is served over TCP.
type advertiser struct {
	server *Server
	next   http.Handler
}

func (a *advertiser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if value := a.server.altSvc.Load(); value != nil && r.ProtoMajor < 3 {
		w.Header().Set("Alt-Svc", *value)
	}
	a.next.ServeHTTP(w, r)
}
