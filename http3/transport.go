package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Transport is a client's http.RoundTripper that speaks HTTP/3. It keeps a connection
// to each origin, which all requests share; it is made when first needed. While the
// server allows no more requests on it, there is a further one. Origins
// at the same address whose hosts are all in the server's certificate share them, too.
// The zero value is ready; any goroutine may use it. Fields must not change after the first
// request. Times and numbers of connections that are negative mean no limit, as in net/http,
// but for MaxIdleConnsPerHost.
//
// A Transport that nobody needs any more should be closed: its connections have sockets and
// event loops, which end by themselves only with the idle timeout.
//
// A connection is kept alive as long as a request is running on it or the body of a
// response has not been read or closed, and ends otherwise when it has been idle for
// as long as QUICConfig or the server says (RFC 9114, Section 5.1).
//
// Connections are made directly: there is no Proxy field, and the environment's
// proxies (http.ProxyFromEnvironment) are ignored, as they speak TCP.
type Transport struct {
	// TLSClientConfig configures TLS; nil stands for its defaults. It is copied for each
	// connection. Its NextProtos are not used, and without a ServerName each connection has
	// its origin's.
	TLSClientConfig *tls.Config
	// QUICConfig configures the connections; nil stands for its defaults. It is copied.
	// EnableDatagrams is set where the Transport's is, and servers may open no
	// bidirectional streams, as HTTP/3 has none of theirs. Without a TokenStore, all
	// connections of the Transport have the same one in memory.
	QUICConfig *quic.Config
	// QUICTransport, when set, is the socket that all connections share; without it, each
	// has its own. Close leaves it open.
	QUICTransport *quic.Transport
	// Route, if set, says where to dial for an origin, "host:port": on which socket, nil
	// for what QUICTransport says, and at which address, "host:port" again. The server's
	// certificate must be for the origin in any case. It is called for each connection, and
	// may take as long as ctx lasts, which has the values of a request's context. Origins
	// share no connections then. A resolver of one's own is QUICConfig's LookupHost.
	Route func(ctx context.Context, origin string) (on *quic.Transport, addr string, err error)
	// MaxResponseHeaderBytes is the largest header section that a response may have, and
	// all its interim responses together, in bytes as Server.MaxHeaderBytes
	// has them. 0 stands for 10 MiB, as in net/http; with a negative one requests fail.
	MaxResponseHeaderBytes int64
	// EnableDatagrams lets servers send HTTP datagrams (RFC 9297): see Connect. It implies
	// EnableDatagrams of QUICConfig.
	EnableDatagrams bool
	// DisableCompression keeps responses from being asked for in gzip and decompressed.
	// Without it that is done as http.Transport does it.
	DisableCompression bool
	// DisableCoalescing gives each origin a connection of its own. It is implied when
	// TLSClientConfig sets ServerName, InsecureSkipVerify, VerifyConnection or
	// VerifyPeerCertificate.
	DisableCoalescing bool
	// ExpectContinueTimeout is how long a request with "Expect: 100-continue" waits for the
	// server's leave. After that its content is sent nevertheless; with 0, at once.
	ExpectContinueTimeout time.Duration
	// ResponseHeaderTimeout is how long to wait for the response's header once
	// the request was sent, with its content; 0 stands for no limit.
	ResponseHeaderTimeout time.Duration

	// DisableKeepAlives gives each request a connection of its own.
	DisableKeepAlives bool
	// MaxConnsPerHost is how many connections an origin may have, counting those that are
	// being made and those that end with their last request. A request for which they have
	// no room waits, as long as its context lasts. 0 stands for any number.
	MaxConnsPerHost int
	// MaxIdleConnsPerHost is how many connections of an origin are kept without
	// requests; none if it is negative, as in net/http. With 0 one is kept, and others for
	// 10 seconds.
	MaxIdleConnsPerHost int
	// IdleConnTimeout is how long a connection is kept without requests. 0 leaves it to the
	// idle timeout of QUIC: 30 seconds, or what QUICConfig says, or the server if that is
	// less.
	IdleConnTimeout time.Duration

	extension h3ext.Extension // takes part in the connections; nil for none

	// paused is called in place of pauses, by tests.
	paused func(time.Duration)

	// alternative returns where an origin's server is, if not at the origin's address;
	// nil without an Upgrader.
	alternative func(origin string) (addr string, ok bool)

	mu     sync.Mutex
	pool   map[string]*origin // by "host:port"
	live   map[*clientConn]struct{}
	made   uint64 // connections
	closed bool
	tokens quic.TokenStore // of servers; nil before the first connection

	misdirected map[string]bool // origins that share no connection, by "host:port"

	// streams has the memory of requests whose responses do not lead to it. They have
	// channels: those of a bubble of testing/synctest stay in it with the Transport.
	streams sync.Pool
}

// errTransportClosed is what requests get after Close.
var errTransportClosed = errors.New("http3: Transport is closed")

// maxAttempts is how often a request is sent at most. More than two happen when
// a server restarts and its other connections are noticed to be dead one by one.
const maxAttempts = 4

// RoundTrip sends a request and returns the response as soon as its header has
// arrived. The response's body must be read to its end or closed.
//
// The request's Priority field (RFC 9218) counts at servers that heed it.
//
// A request is sent again in these cases, four times at most:
//   - the server says that it has not processed it;
//   - its connection ended before anything of the request had left;
//   - it was early data (quic.Config.Allow0RTT), and the handshake has failed;
//   - an idle connection turned out to be closed, the request is idempotent, and the server
//     has not acknowledged all of it.
//
// For that its body must be there once more: by GetBody, or as no more than 32 KiB were read
// of it, which are kept until the response begins. If the server has rejected the request
// (H3_REQUEST_REJECTED) and its connection still takes others, there is a pause before, of
// about 100, 200 and 400 ms.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := checkRequest(req); err != nil {
		closeBody(req)
		return nil, err
	}
	return cancellable(req, t.roundTrip)
}

// roundTrip is RoundTrip for a request that can be sent.
func (t *Transport) roundTrip(first *http.Request) (*http.Response, error) {
	req, addr, full := first, originAddr(first.URL), false
	for attempt := 1; ; attempt++ {
		resp, err := t.try(req, addr, full)
		if err == nil {
			resp.Request = first
			return resp, nil
		}
		full = err.cause == event.ErrStreamLimit
		again, ok := err.again(req, full || attempt < maxAttempts && err.repeatable(req))
		if !ok {
			return nil, err.result(req.Context(), addr)
		}
		req = again
		if full {
			attempt--
		}
		if err.busy != nil {
			err.busy.pause(req.Context(), rejectionPause(attempt))
		}
	}
}

// rejectionPause returns for how long a request pauses whose attempt the server has
// rejected, with a tenth more or less: it has too much to do, and those that it rejects
// at the same moment should not come back at the same one.
func rejectionPause(attempt int) time.Duration {
	pause := 100 * time.Millisecond << (attempt - 1)
	return pause - pause/10 + rand.N(pause/5)
}

// pause waits, until the request's context or the connection ends at most, which has the
// pause in its table.
func (c *clientConn) pause(ctx context.Context, d time.Duration) {
	if paused := c.transport.paused; paused != nil {
		paused(d)
		return
	}
	passed, stop := h3ext.After(c.qc, d)
	defer stop()
	select {
	case <-passed:
	case <-ctx.Done():
	case <-c.qc.Done():
	}
}

// try sends a request once. again says that the connection that it was to be sent on was
// full.
func (t *Transport) try(req *http.Request, addr string, again bool) (*http.Response, *attemptError) {
	alone := t.DisableKeepAlives || wantsClose(req)
	cc, how, err := t.acquireTraced(req.Context(), addr, alone, again)
	if err != nil {
		return nil, &attemptError{cause: err, unsent: true, untouched: true}
	}
	return t.tryOn(cc, how, req, addr)
}

// wantsClose reports whether a request is the last of its connection.
func wantsClose(req *http.Request) bool {
	return req.Close || strings.EqualFold(req.Header.Get("Connection"), "close")
}

// tryOn sends a request once on a connection, on which it is counted. If that is full,
// the error is event.ErrStreamLimit.
func (t *Transport) tryOn(cc *clientConn, how acquired, req *http.Request, addr string) (*http.Response, *attemptError) {
	resp, failed := cc.roundTrip(req, addr)
	if failed != nil {
		if failed.cause == event.ErrStreamLimit {
			t.full(cc, how)
		}
		failed.reused = how.reused
		return nil, failed
	}
	lastAttempt(resp.Request)
	resp.Request = req
	return resp, nil
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
	// sent is the request with the body that the attempt has read from, nil if it was
	// not begun.
	sent *http.Request
	// own says that the cause is the request's own body.
	own bool
	// busy is the connection if the server has rejected the request on it, and it takes
	// further ones.
	busy *clientConn
	// lost says that the connection ended before anything of a response came.
	lost bool
	// taken says that the server has the request, and may be working on it still.
	taken bool
	// moved says that the server does not answer, or that the handshake has failed, and
	// the request may be sent twice.
	moved bool
	// reused says that the connection had been there before the request.
	reused bool
}

// repeatable reports whether another attempt is safe (RFC 9110, Section 9.2.2;
// RFC 9114, Section 4.1.1).
func (e *attemptError) repeatable(req *http.Request) bool {
	return e.unprocessed || e.moved || (e.lost && e.reused && !e.taken && isIdempotent(req))
}

// again returns the request to be sent in another attempt, if there may be one and
// its content can be had. If there is none, the body has been closed.
func (e *attemptError) again(req *http.Request, may bool) (*http.Request, bool) {
	if may && req.Context().Err() == nil {
		if e.untouched {
			return req, true
		}
		if again := replay(e.sent); again != nil {
			return again, true
		}
	}
	lastAttempt(req)
	lastAttempt(e.sent)
	if e.untouched {
		closeBody(req)
	}
	return nil, false
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
		if cc.requests == 0 && !cc.pinned {
			t.remove(cc)
			cc.close()
		}
	}
}

// Close closes all connections; requests that run fail, and so do later ones. When it
// returns, the servers have been told. Should event loops hang, such as that of a
// QUICTransport shared with others, it returns after five seconds all the same.
func (t *Transport) Close() error {
	t.mu.Lock()
	t.closed = true
	for _, o := range t.pool {
		for _, d := range o.dials {
			d.cancel()
		}
		o.refuseAll(errTransportClosed)
	}
	conns := slices.Collect(maps.Keys(t.live))
	for _, cc := range conns {
		cc.close()
	}
	t.mu.Unlock()
	within(closeTimeout, func() {
		for _, cc := range conns {
			_ = cc.qc.CloseWithError(uint64(ErrCodeNoError), "")
		}
	})
	return nil
}

// datagrams reports whether HTTP datagrams are enabled.
func (t *Transport) datagrams() bool { return t.EnableDatagrams || t.extension != nil }

func (t *Transport) maxHeaderBytes() int {
	if t.MaxResponseHeaderBytes > 0 {
		return int(min(t.MaxResponseHeaderBytes, math.MaxInt))
	}
	return defaultMaxResponseHeaderBytes
}

// closeBody closes the body of a request that is not sent.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

var _ io.Closer = (*Transport)(nil)
