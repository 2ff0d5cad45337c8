package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Upgrader is a client's http.RoundTripper that begins with TCP, moves to HTTP/3 where
// servers say in Alt-Svc that they have it, and goes back to TCP when UDP does not get
// through:
//
//	client := &http.Client{Transport: &http3.Upgrader{}}
//
// Requests that TCP, if it is an *http.Transport, sends through a proxy stay there.
//
// The zero value is ready; any goroutine may use it. Fields must not change after the first
// request.
type Upgrader struct {
	// TCP sends what HTTP/3 does not. Nil stands for http.DefaultTransport, as it is at
	// the first request. If that is no *http.Transport then, but the Upgrader itself for
	// example, nil stands for the transport that net/http had there when the program
	// began, and so it does for a request that TCP gives back to the Upgrader.
	TCP http.RoundTripper
	// HTTP3 sends what goes over HTTP/3. It must not belong to another Upgrader. Nil stands
	// for one that has those of TCP's fields that mean the same, if TCP is an
	// *http.Transport. A program may send requests by it directly: they go over HTTP/3
	// in any case, to where Cache says that it is.
	HTTP3 *Transport
	// Cache remembers who has HTTP/3; nil stands for one of this Upgrader's own.
	Cache *AltSvcCache
	// HeadStart is how long requests wait for a new connection over HTTP/3, counted from
	// the beginning of the attempt. Then they go over TCP, and the attempt goes on for later
	// requests, for five seconds in all. 0 stands for 300 ms; with a negative one no
	// request waits.
	HeadStart time.Duration
	// OverTCP, if set, is told of each request that goes over TCP, before it does, and why:
	// its URL is not an https one, the server has not said in Alt-Svc that it has HTTP/3,
	// a proxy is to be used, HTTP/3 has failed there before (errors.Is finds how, and of
	// what follows as well), no connection came about within HeadStart, or there was one
	// and the request failed on it in a way that permits sending it again. It must not
	// change the request; any goroutine that sends one may call it.
	OverTCP func(req *http.Request, why error)

	once sync.Once

	mu       sync.Mutex
	attempts map[string]time.Time // when those under way began, by origin
}

const (
	// defaultHeadStart is a round trip to the other side of the world.
	defaultHeadStart = 300 * time.Millisecond
	// upgradeTimeout is how long a connection over HTTP/3 is tried.
	upgradeTimeout = 5 * time.Second
)

func (a *Upgrader) init() {
	if a.TCP == nil {
		a.TCP = defaultTransport()
	}
	if a.Cache == nil {
		a.Cache = new(AltSvcCache)
	}
	if a.HeadStart == 0 {
		a.HeadStart = defaultHeadStart
	}
	if a.HTTP3 == nil {
		a.HTTP3 = new(Transport)
		if tcp, ok := a.TCP.(*http.Transport); ok {
			a.HTTP3.takeOver(tcp)
		}
	}
	a.HTTP3.alternative = a.route
}

// route returns an origin's alternative, also when that has just failed: whoever waits for
// it is to go on with TCP, and not to look for HTTP/3 at the origin itself, which has not
// said that it is there (RFC 7838, Section 2.4). It is the same for who uses HTTP3 directly.
func (a *Upgrader) route(origin string) (addr string, ok bool) {
	addr, _ = a.Cache.Lookup(origin)
	return addr, addr != ""
}

// RoundTrip sends a request over HTTP/3, if the server is known to have it and there is a
// connection, or one comes about within HeadStart, and over TCP otherwise. An attempt that
// fails is taken note of in Cache. A request that went over HTTP/3 and was not answered is
// sent over TCP only under the conditions of Transport.RoundTrip for sending it again.
func (a *Upgrader) RoundTrip(req *http.Request) (*http.Response, error) {
	a.once.Do(a.init)
	if resp, err, back := a.giveBack(req); back {
		return resp, err
	}
	if req.URL == nil || req.URL.Scheme != "https" {
		return a.overTCP(req, errNotHTTPS)
	}
	origin := originAddr(req.URL)
	_, why := a.Cache.lookup(origin)
	if why == nil && a.proxied(req) {
		why = errProxied
	}
	if why == nil {
		resp, again, err := a.roundTrip3(req, origin)
		if again == nil {
			return resp, err
		}
		req, why = again, err
	}
	resp, err := a.overTCP(req, why)
	a.learn(origin, resp)
	return resp, err
}

// Why requests go over TCP: see OverTCP.
var (
	errNotHTTPS    = errors.New("http3: not an https URL")
	errNoAltSvc    = errors.New("http3: the server has not said in Alt-Svc that it has HTTP/3")
	errProxied     = errors.New("http3: a proxy is to be used, which speaks TCP")
	errHeadStart   = errors.New("http3: no answer of the server's within Upgrader.HeadStart")
	errAlternative = errors.New("http3: the server at the alternative does not answer for the origin (status 421)")
)

// proxied reports whether TCP sends a request through a proxy, which HTTP/3 would
// bypass. When TCP cannot tell, its own error will say why.
func (a *Upgrader) proxied(req *http.Request) bool {
	tcp, ok := a.TCP.(*http.Transport)
	if !ok || tcp.Proxy == nil {
		return false
	}
	proxy, err := tcp.Proxy(req)
	return proxy != nil || err != nil
}

// roundTrip3 sends a request over HTTP/3. When it is to be sent over TCP, it
// returns the request to send, and err says why.
func (a *Upgrader) roundTrip3(req *http.Request, origin string) (resp *http.Response, again *http.Request, err error) {
	if err := checkRequest(req); err != nil {
		return nil, req, err // TCP may take it, or say what is wrong
	}
	sent, end := req, context.CancelCauseFunc(func(error) {})
	if cancelOf(req) != nil {
		sent, end = watchCancel(req)
	}
	resp, again, err = a.send3(sent, origin)
	switch {
	case again == nil && err == nil:
		resp.Request = req
		return resp, nil, nil
	case again == sent:
		again = req
	case again != nil:
		again = again.WithContext(req.Context())
	}
	end(err)
	return nil, again, err
}

// send3 is roundTrip3 for a request that can be sent.
func (a *Upgrader) send3(req *http.Request, origin string) (resp *http.Response, again *http.Request, err error) {
	cc, how, err := a.acquire(req, origin)
	if err != nil {
		return nil, req, err
	}
	sent, over := a.hurry(req, cc, origin)
	resp, failed := a.HTTP3.tryOn(cc, how, sent, origin)
	switch inTime := over(failed != nil); {
	case !inTime:
		if resp != nil {
			_ = resp.Body.Close()
		}
		return nil, req, errHeadStart
	case failed != nil:
		if failed.lost && !failed.reused {
			a.Cache.failed(origin, failed.cause)
		}
		if again, ok := failed.again(req, failed.unsent || failed.repeatable(req)); ok {
			lastAttempt(again)
			return nil, again, requestFailed(req.Context(), origin, failed.cause)
		}
		return nil, nil, failed.result(req.Context(), origin)
	case resp.StatusCode == http.StatusMisdirectedRequest:
		// The alternative is not for this origin (RFC 7838, Section 6).
		if again = replay(req); again != nil {
			_ = resp.Body.Close()
			a.Cache.failed(origin, errAlternative)
			return nil, again, errAlternative
		}
	default:
		a.Cache.worked(origin)
		a.learn(origin, resp)
	}
	return resp, nil, nil
}

// acquire returns a connection to an origin's alternative if there is one with room for
// a request, or one comes about within the head start.
func (a *Upgrader) acquire(req *http.Request, origin string) (*clientConn, acquired, error) {
	t := a.HTTP3
	alone := t.DisableKeepAlives || wantsClose(req)
	t.mu.Lock()
	cc, how := t.acquireNow(origin, alone, false)
	t.mu.Unlock()
	if cc == nil || !cc.shaken() {
		ctx, cancel := context.WithTimeoutCause(req.Context(), a.left(origin), errHeadStart)
		defer cancel()
		var err error
		if cc == nil {
			cc, how, err = t.acquire(ctx, origin, alone, false)
		}
		if err == nil {
			err = a.ready(ctx, cc, req)
		}
		if err != nil {
			return nil, acquired{}, err
		}
	}
	traceConn(req.Context(), origin, cc, how)
	return cc, how, nil
}

// left returns what is left of the head start of an attempt to get a connection to an
// origin, which begins unless one is under way.
func (a *Upgrader) left(origin string) time.Duration {
	return min(a.HeadStart, upgradeTimeout) - a.attempt(origin)
}

// attempt tries to get a connection to an origin, unless that is under way, and returns
// for how long it has been.
func (a *Upgrader) attempt(origin string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	began, ok := a.attempts[origin]
	if ok {
		return time.Since(began)
	}
	if a.attempts == nil {
		a.attempts = make(map[string]time.Time)
	}
	a.attempts[origin] = time.Now()
	go a.tryToConnect(origin)
	return 0
}

// tryToConnect waits until there is room for a request at an origin's alternative, or it
// has waited for too long: the attempt ends neither with a request nor with its head start.
func (a *Upgrader) tryToConnect(origin string) {
	ctx, cancel := context.WithTimeout(context.Background(), upgradeTimeout)
	defer cancel()
	cc, _, err := a.HTTP3.acquire(ctx, origin, false, false)
	switch {
	case err == nil:
		a.HTTP3.unused(cc)
		if _, err = cc.qc.AwaitHandshake(ctx); err != nil && !cc.shaken() {
			a.Cache.failed(origin, err)
		}
	case !errors.Is(err, errTransportClosed) && !a.HTTP3.has(origin):
		a.Cache.failed(origin, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.attempts, origin)
}

// learn takes note of a response's Alt-Svc.
func (a *Upgrader) learn(origin string, resp *http.Response) {
	if resp == nil || resp.TLS == nil {
		return
	}
	for _, value := range resp.Header["Alt-Svc"] {
		a.Cache.Learn(origin, value)
	}
}

// CloseIdleConnections closes the connections without running requests.
func (a *Upgrader) CloseIdleConnections() {
	a.once.Do(a.init)
	a.HTTP3.CloseIdleConnections()
	if tcp, ok := a.TCP.(interface{ CloseIdleConnections() }); ok {
		tcp.CloseIdleConnections()
	}
}

// Close closes HTTP3, and TCP if it is an io.Closer, which an *http.Transport is not;
// requests that run over HTTP/3 fail. The Upgrader must not be used afterwards.
func (a *Upgrader) Close() error {
	a.once.Do(a.init)
	err := a.HTTP3.Close()
	if tcp, ok := a.TCP.(io.Closer); ok {
		err = errors.Join(err, tcp.Close())
	}
	return err
}
