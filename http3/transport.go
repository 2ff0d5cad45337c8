package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// Transport is an http.RoundTripper that speaks HTTP/3. It keeps one connection
// to each origin, which all requests share; it is made when first needed. Origins
// at the same address whose hosts are all in the server's certificate share one, too.
// The zero value is ready. Fields must not change after the first request.
//
// Connections are made directly: there is no Proxy field, and the environment's
// proxies (http.ProxyFromEnvironment) are ignored, as they speak TCP.
type Transport struct {
	// TLSClientConfig configures TLS; nil stands for its defaults. Its
	// NextProtos are not used.
	TLSClientConfig *tls.Config
	// QUICConfig configures the transport; nil stands for its defaults.
	// NewHandler is replaced.
	QUICConfig *quic.Config
	// QUICTransport, when set, is the socket all connections share; without,
	// each has its own.
	QUICTransport *quic.Transport
	// MaxResponseHeaderBytes is the largest header or trailer section a response
	// may have, counted as DefaultMaxHeaderBytes explains; 0 stands for 64 KiB.
	MaxResponseHeaderBytes int64
	// EnableDatagrams lets servers send HTTP datagrams (RFC 9297): see Connect.
	EnableDatagrams bool
	// Extension, when set, takes part in the connections. It implies
	// EnableDatagrams.
	Extension Extension
	// DisableCompression prevents that responses are asked for in gzip and
	// decompressed, as http.Transport does it.
	DisableCompression bool
	// DisableCoalescing gives each origin a connection of its own. That is so
	// without it when TLSClientConfig sets ServerName or how to verify servers.
	DisableCoalescing bool
	// ExpectContinueTimeout is how long a request with "Expect: 100-continue"
	// waits for the server's leave before it sends its content nevertheless. 0
	// has it sent at once.
	ExpectContinueTimeout time.Duration
	// ResponseHeaderTimeout is how long to wait for the response's header once
	// the request was sent, with its content; 0 stands for no limit.
	ResponseHeaderTimeout time.Duration

	// route returns where an origin's server is, if not at the origin's address;
	// nil without an Upgrader.
	route func(origin string) (addr string, ok bool)

	mu     sync.Mutex
	pool   map[string]*origin // by "host:port"
	live   map[*clientConn]struct{}
	closed bool

	misdirected map[string]bool // origins that share no connection, by "host:port"
}

// errTransportClosed is what requests get after Close.
var errTransportClosed = errors.New("http3: Transport is closed")

// maxAttempts is how often a request is sent at most. More than two happen when
// a server restarts and its other connections are noticed to be dead one by one.
const maxAttempts = 4

// RoundTrip sends a request and returns the response as soon as its header has
// arrived. The response's body must be read to its end or closed.
//
// A request is sent again, over another connection, when the server says that it
// has not processed it, or when an idle connection turned out to be closed and
// the request is idempotent; and only if its body can be had once more.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := checkRequest(req); err != nil {
		closeBody(req)
		return nil, err
	}
	addr := originAddr(req.URL)
	for attempt := 1; ; attempt++ {
		resp, err := t.try(req, addr)
		if err == nil {
			return resp, nil
		}
		again, ok := err.again(req, attempt < maxAttempts && err.repeatable(req))
		if !ok {
			return nil, err.result(req.Context(), addr)
		}
		req = again
	}
}

// try sends a request once.
func (t *Transport) try(req *http.Request, addr string) (*http.Response, *attemptError) {
	cc, how, err := t.acquireTraced(req.Context(), addr)
	if err != nil {
		return nil, &attemptError{cause: err, unsent: true, untouched: true}
	}
	resp, failed := cc.roundTrip(req)
	switch {
	case failed != nil:
		failed.reused = how.reused
	case resp.StatusCode == http.StatusMisdirectedRequest && cc.addr != addr && t.separate(req, resp, addr):
		return nil, &attemptError{cause: errMisdirected, unprocessed: true}
	}
	return resp, failed
}

// errMisdirected is why a request is sent again over another connection.
var errMisdirected = errors.New("http3: the server says that another one has to answer (status 421)")

// attemptError is why one attempt failed.
type attemptError struct {
	cause error
	// unprocessed says that the server has not acted on the request.
	unprocessed bool
	// unsent says that nothing of the request was sent, for a reason that another
	// attempt over HTTP/3 would meet again.
	unsent bool
	// untouched says that the request's body has not been read from.
	untouched bool
	// own says that the cause is the request's own body.
	own bool
	// lost says that the connection ended before anything of a response came.
	lost bool
	// reused says that the connection had been there before the request.
	reused bool
}

// repeatable reports whether another attempt is safe (RFC 9110, Section 9.2.2;
// RFC 9114, Section 4.1.1).
func (e *attemptError) repeatable(req *http.Request) bool {
	return e.unprocessed || (e.lost && e.reused && isIdempotent(req))
}

// again returns the request to be sent in another attempt, if there may be one and
// its content can be had. If there is none, the body has been closed.
func (e *attemptError) again(req *http.Request, may bool) (*http.Request, bool) {
	if may && req.Context().Err() == nil {
		if e.untouched {
			return req, true
		}
		if again := replay(req); again != nil {
			return again, true
		}
	}
	if e.untouched {
		closeBody(req)
	}
	return nil, false
}

// replay returns a request once more whose body was read from, or nil if that is spent.
func replay(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	again := *req
	again.Body = body
	return &again
}

// isIdempotent reports whether sending req twice does no more than sending it
// once, as net/http decides it.
func isIdempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, key := req.Header["Idempotency-Key"]
	_, xKey := req.Header["X-Idempotency-Key"]
	return key || xKey
}

// CloseIdleConnections closes the connections without running requests.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for cc := range t.live {
		if cc.requests == 0 {
			t.remove(cc)
			_ = cc.qc.CloseWithError(uint64(ErrCodeNoError), "")
		}
	}
}

// Close closes all connections; running requests fail, and later ones.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	for _, o := range t.pool {
		if o.dial != nil {
			o.dial.cancel()
		}
	}
	for cc := range t.live {
		_ = cc.qc.CloseWithError(uint64(ErrCodeNoError), "")
	}
	t.mu.Unlock()
	return nil
}

// datagrams reports whether HTTP datagrams are enabled.
func (t *Transport) datagrams() bool { return t.EnableDatagrams || t.Extension != nil }

func (t *Transport) maxHeaderBytes() int {
	if t.MaxResponseHeaderBytes > 0 {
		return int(t.MaxResponseHeaderBytes)
	}
	return defaultMaxResponseHeaderBytes
}

// dialQUIC connects to an origin.
func (t *Transport) dialQUIC(ctx context.Context, addr string) (*clientConn, error) {
	tlsConf, err := t.tlsConfig(addr)
	if err != nil {
		return nil, err
	}
	conf := cloneQUIC(t.QUICConfig)
	if t.Extension == nil {
		conf.MaxIncomingStreams = -1 // servers have no use for them (RFC 9114, Section 6.1)
	}
	conf.EnableDatagrams = conf.EnableDatagrams || t.datagrams()
	conf.NewHandler = func(qc *quic.Conn) quic.Handler {
		cc := newClientConn(t, qc, addr)
		qc.SetValue(cc)
		return cc
	}
	dial := quic.Dial
	if t.QUICTransport != nil {
		dial = t.QUICTransport.Dial
	}
	qc, err := traceDial(traceOf(ctx), addr, func() (*quic.Conn, error) { return dial(ctx, t.routed(addr), tlsConf, conf) })
	if err != nil {
		return nil, describe(err) // which says where to, or that one end closed the connection at once
	}
	return qc.Value().(*clientConn), nil
}

// routed returns the address to dial for an origin. TLS makes sure that its server
// is the origin's.
func (t *Transport) routed(origin string) string {
	if t.route != nil {
		if addr, ok := t.route(origin); ok {
			return addr
		}
	}
	return origin
}

// closeBody closes the body of a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

var _ io.Closer = (*Transport)(nil)
