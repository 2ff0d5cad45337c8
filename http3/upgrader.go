package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Upgrader is an http.RoundTripper that begins with TCP, moves to HTTP/3 where
// servers say in Alt-Svc that they have it, and goes back to TCP when UDP does
// not get through:
//
//	client := &http.Client{Transport: &http3.Upgrader{}}
//
// Requests that TCP, if it is an *http.Transport, sends through a proxy stay there.
//
// The zero value is ready. Fields must not change after the first request.
type Upgrader struct {
	// TCP sends what HTTP/3 does not; nil stands for what http.DefaultTransport is at
	// the first request if that is an *http.Transport, and else for net/http's own. So
	// an Upgrader may take the place of http.DefaultTransport. A request that TCP
	// gives back to the Upgrader, by whatever way, goes to net/http's own, too.
	TCP http.RoundTripper
	// HTTP3 is to be used by this Upgrader alone; nil stands for one that has
	// TCP's TLSClientConfig, if that is an *http.Transport.
	HTTP3 *Transport
	// Cache remembers who has HTTP/3; nil stands for one of this Upgrader's own.
	Cache *AltSvcCache
	// HeadStart is how long a request waits for a new connection over HTTP/3
	// before it goes over TCP, while the connection is still being tried for
	// later requests. 0 stands for 300 ms.
	HeadStart time.Duration

	once sync.Once
}

const (
	// defaultHeadStart is a round trip to the other side of the world.
	defaultHeadStart = 300 * time.Millisecond
	// upgradeTimeout is how long a connection over HTTP/3 is tried.
	upgradeTimeout = 5 * time.Second
)

func (u *Upgrader) init() {
	if u.TCP == nil {
		u.TCP = defaultTransport()
	}
	if u.Cache == nil {
		u.Cache = new(AltSvcCache)
	}
	if u.HeadStart == 0 {
		u.HeadStart = defaultHeadStart
	}
	if u.HTTP3 == nil {
		u.HTTP3 = new(Transport)
		if tcp, ok := u.TCP.(*http.Transport); ok {
			u.HTTP3.TLSClientConfig = tcp.TLSClientConfig
			u.HTTP3.DisableCompression = tcp.DisableCompression
			u.HTTP3.ExpectContinueTimeout = tcp.ExpectContinueTimeout
			u.HTTP3.ResponseHeaderTimeout = tcp.ResponseHeaderTimeout
		}
	}
	u.HTTP3.route = u.Cache.Lookup
}

// RoundTrip sends a request over HTTP/3, if the server is known to have it and
// there is a connection or one comes about soon, and over TCP otherwise. A request
// that HTTP/3 has not answered is sent over TCP only when that is safe.
func (u *Upgrader) RoundTrip(req *http.Request) (*http.Response, error) {
	u.once.Do(u.init)
	if resp, err, back := u.giveBack(req); back {
		return resp, err
	}
	if req.URL == nil || req.URL.Scheme != "https" {
		return u.overTCP(req)
	}
	origin := originAddr(req.URL)
	if _, ok := u.Cache.Lookup(origin); ok && !u.proxied(req) && u.connected(req.Context(), origin) {
		resp, again, err := u.roundTrip3(req, origin)
		if again == nil {
			return resp, err
		}
		req = again
	}
	resp, err := u.overTCP(req)
	u.learn(origin, resp)
	return resp, err
}

// proxied reports whether TCP sends a request through a proxy, which HTTP/3 would
// bypass. When TCP cannot tell, its own error will say why.
func (u *Upgrader) proxied(req *http.Request) bool {
	tcp, ok := u.TCP.(*http.Transport)
	if !ok || tcp.Proxy == nil {
		return false
	}
	proxy, err := tcp.Proxy(req)
	return proxy != nil || err != nil
}

// roundTrip3 sends a request over HTTP/3. When it is to be sent over TCP, it
// returns the request to send.
func (u *Upgrader) roundTrip3(req *http.Request, origin string) (resp *http.Response, again *http.Request, err error) {
	if err := checkRequest(req); err != nil {
		return nil, req, nil // TCP may take it, or say what is wrong
	}
	resp, failed := u.HTTP3.try(req, origin)
	switch {
	case failed != nil:
		if failed.lost && !failed.reused {
			u.Cache.Failed(origin)
		}
		if again, ok := failed.again(req, failed.unsent || failed.repeatable(req)); ok {
			return nil, again, nil
		}
		return nil, nil, failed.result(req.Context(), origin)
	case resp.StatusCode == http.StatusMisdirectedRequest:
		// The alternative is not for this origin (RFC 7838, Section 6).
		if again = replay(req); again != nil {
			_ = resp.Body.Close()
			u.Cache.Failed(origin)
			return nil, again, nil
		}
	default:
		u.Cache.Worked(origin)
		u.learn(origin, resp)
	}
	return resp, nil, nil
}

// connected reports whether there is a connection to an origin's alternative, or
// one comes about within the head start. The attempt goes on after that.
func (u *Upgrader) connected(ctx context.Context, origin string) bool {
	if u.HTTP3.has(origin) {
		return true
	}
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), upgradeTimeout)
		defer cancel()
		cc, _, err := u.HTTP3.acquire(ctx, origin)
		if err == nil {
			u.HTTP3.release(cc)
		} else if !errors.Is(err, errTransportClosed) {
			u.Cache.Failed(origin)
		}
		done <- err
	}()
	timer := time.NewTimer(u.HeadStart)
	defer timer.Stop()
	select {
	case err := <-done:
		return err == nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// learn takes note of a response's Alt-Svc.
func (u *Upgrader) learn(origin string, resp *http.Response) {
	if resp == nil || resp.TLS == nil {
		return
	}
	for _, value := range resp.Header["Alt-Svc"] {
		u.Cache.Learn(origin, value)
	}
}

// CloseIdleConnections closes the connections without running requests.
func (u *Upgrader) CloseIdleConnections() {
	u.once.Do(u.init)
	u.HTTP3.CloseIdleConnections()
	if tcp, ok := u.TCP.(interface{ CloseIdleConnections() }); ok {
		tcp.CloseIdleConnections()
	}
}

// Close closes HTTP3, and TCP if it is an io.Closer; running requests fail.
func (u *Upgrader) Close() error {
	u.once.Do(u.init)
	err := u.HTTP3.Close()
	if tcp, ok := u.TCP.(io.Closer); ok {
		err = errors.Join(err, tcp.Close())
	}
	return err
}
