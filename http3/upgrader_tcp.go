package http3

import (
	"context"
	"net/http"
	"net/url"
)

// defaultTCP is net/http's own transport: what http.DefaultTransport was before the
// program had a chance to put something else, such as an Upgrader, in its place.
var defaultTCP = http.DefaultTransport

// defaultTransport returns what sends an Upgrader's requests over TCP unless the
// user says so: http.DefaultTransport, if that is known not to lead to an Upgrader.
func defaultTransport() http.RoundTripper {
	if tcp, ok := http.DefaultTransport.(*http.Transport); ok {
		return tcp
	}
	return defaultTCP
}

// givenKey is the key, in the context of a request that an Upgrader gives to TCP, of
// a *given.
type givenKey struct{ *Upgrader }

// given says where a request went.
type given struct {
	to  http.RoundTripper
	url *url.URL
}

// overTCP sends a request over TCP, for a reason.
func (a *Upgrader) overTCP(req *http.Request, why error) (*http.Response, error) {
	if a.OverTCP != nil {
		a.OverTCP(req, why)
	}
	return a.give(req, a.TCP)
}

// give sends a request by a RoundTripper, marked as one that has been here.
func (a *Upgrader) give(req *http.Request, to http.RoundTripper) (*http.Response, error) {
	ctx := context.WithValue(req.Context(), givenKey{a}, &given{to, req.URL})
	resp, err := to.RoundTrip(req.WithContext(ctx))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// giveBack handles a request that TCP has given back to this Upgrader, as it does if
// it leads to http.DefaultTransport and the Upgrader is that, or if the Upgrader
// was registered with it. It reports false for any other request.
func (a *Upgrader) giveBack(req *http.Request) (resp *http.Response, err error, back bool) {
	g, ok := req.Context().Value(givenKey{a}).(*given)
	if !ok {
		return nil, nil, false
	}
	if _, ok := g.to.(*http.Transport); g.to == defaultTCP || ok && g.url == req.URL {
		// By RegisterProtocol: the transport is to send it itself.
		return nil, http.ErrSkipAltProtocol, true
	}
	resp, err = a.give(req, defaultTCP)
	return resp, err, true
}
