package http3

import (
	"context"
	"net/http"
	"net/url"
)

// defaultTCP is net/http's own transport: what http.DefaultTransport was before the
// program had a chance to put something else, such as an AltSvcTransport, in its place.
var defaultTCP = http.DefaultTransport

// defaultTransport returns what sends an AltSvcTransport's requests over TCP unless the
// user says so: http.DefaultTransport, if that is known not to lead to an AltSvcTransport.
func defaultTransport() http.RoundTripper {
	if tcp, ok := http.DefaultTransport.(*http.Transport); ok {
		return tcp
	}
	return defaultTCP
}

// givenKey is the key, in the context of a request that an AltSvcTransport gives to TCP, of
// a *given.
type givenKey struct{ *AltSvcTransport }

// given says where a request went.
type given struct {
	to  http.RoundTripper
	url *url.URL
}

// overTCP sends a request over TCP.
func (a *AltSvcTransport) overTCP(req *http.Request) (*http.Response, error) {
	return a.give(req, a.TCP)
}

// give sends a request by a RoundTripper, marked as one that has been here.
func (a *AltSvcTransport) give(req *http.Request, to http.RoundTripper) (*http.Response, error) {
	ctx := context.WithValue(req.Context(), givenKey{a}, &given{to, req.URL})
	resp, err := to.RoundTrip(req.WithContext(ctx))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// giveBack handles a request that TCP has given back to this AltSvcTransport, as it does if
// it leads to http.DefaultTransport and the AltSvcTransport is that, or if the AltSvcTransport
// was registered with it. It reports false for any other request.
func (a *AltSvcTransport) giveBack(req *http.Request) (resp *http.Response, err error, back bool) {
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
