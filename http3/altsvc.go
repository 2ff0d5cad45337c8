package http3

import (
	"net/http"
	"strconv"
)

// altSvcMaxAge is for how long a client may remember that HTTP/3 is available,
// in seconds: a day, RFC 7838's default.
const altSvcMaxAge = 86400

// altSvcAt returns the value of an Alt-Svc field that says that HTTP/3 is
// available at this UDP port of the same host (RFC 9114, Section 3.1.1).
func altSvcAt(port int) string {
	return `h3=":` + strconv.Itoa(port) + `"; ma=` + strconv.Itoa(altSvcMaxAge)
}

// Advertise wraps a handler that something else than s serves over TCP: its responses say
// in Alt-Svc (RFC 7838) that HTTP/3 is at the UDP port of s, as long as s listens. Browsers
// find HTTP/3 this way. ListenAndServe and Attach do it by themselves. Where clients reach
// s by another port than its own, the field is to be set by hand:
//
//	w.Header().Set("Alt-Svc", `h3=":443"; ma=86400`) // seconds
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
