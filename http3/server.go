package http3

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/asynclog"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/quic"
)

// Server serves an http.Handler over HTTP/3, and over HTTP/1.1 and HTTP/2 at the same
// port of TCP. Its fields must not change once it serves. The zero value serves
// http.DefaultServeMux, and lets clients take any time, as net/http's does. One that
// strangers can reach should have these, as the functions ListenAndServe and
// ListenAndServeTLS do:
//
//	ReadHeaderTimeout: 10 * time.Second, // slow beginnings
//	IdleTimeout:       2 * time.Minute,  // connections that are only kept alive
//	MinReadRate:       240,              // uploads that do not come
//	MinWriteRate:      240,              // and responses that nobody takes
type Server struct {
	// Addr is the address to listen on, like ":443", which the empty string
	// stands for, or "localhost:4433", which are two, 127.0.0.1 and ::1.
	Addr string
	// Handler answers the requests; nil stands for http.DefaultServeMux.
	Handler http.Handler
	// BypassHandler has responses, by path, that are sent without Handler being called,
	// to every GET and HEAD request over HTTP/3 without a query, whatever its header and
	// host. They go past all middleware in Handler: nothing there authenticates, logs or
	// counts such a request. For requests over TCP, Handler should have them at the same
	// paths.
	BypassHandler map[string]*FixedResponse
	// DisableTCP has ListenAll and ListenAndServe listen on UDP alone, for HTTP/3 without
	// HTTP/1.1 and HTTP/2. Browsers do not find such a server by themselves.
	DisableTCP bool
	// TLSConfig holds the certificate. Without any, a self-signed one for localhost is
	// made where nobody but this machine can connect, and its hash logged. Its
	// NextProtos are not used.
	//
	// Where it has others for some names (GetConfigForClient), a request for another host
	// than its connection is answered with status 421 unless that is as good: the
	// certificate is for that host too, and clients authenticate in the same way
	// there (RFC 9110, Section 15.5.20). GetConfigForClient and GetCertificate are
	// asked for that, once more and for a host that the client has chosen.
	// BypassHandler's responses are for every host.
	TLSConfig *tls.Config
	// QUICConfig configures the connections; nil stands for its defaults. Its
	// MaxIncomingStreams, 100 if 0, is the number of requests that one client may have
	// running.
	QUICConfig *quic.Config
	// QUICTransportConfig configures the sockets that the server opens, their event
	// loops, and limits over all connections; nil stands for its defaults, and a nil
	// Logger in it for Logger.
	QUICTransportConfig *quic.TransportConfig
	// MaxHeaderBytes is the largest header or trailer section a request may have,
	// in bytes as RFC 9114, Section 4.2.2, counts them: decoded, and 32 more for each
	// field. 0 stands for 1 MiB, as in net/http. Larger requests are answered with
	// status 431.
	MaxHeaderBytes int
	// MaxHandlers is how many handlers may run at a time, over all connections;
	// tunnels and WebTransport sessions count, and so do handlers that wait for their
	// client. Requests beyond that, of connections that have more than half of what
	// is left, and of sources that have more than three times what is left are
	// rejected with H3_REQUEST_REJECTED: clients may send them again (RFC 9114,
	// Section 4.1.1). A source is an IPv4 address or a /64 prefix of IPv6, and one
	// handler of each is free. 0 stands for 8192, negative for no limit.
	MaxHandlers int
	// MaxHeaderValueCount is how many fields a request's header and its trailer may
	// have each, and how many names Trailer may announce; 500 if 0. A field in several
	// lines counts as several, a Cookie that a browser has split too. Requests with
	// more are answered with status 431.
	MaxHeaderValueCount int
	// DisableGeneralOptionsHandler passes "OPTIONS *" requests to Handler, instead
	// of answering them with status 200.
	DisableGeneralOptionsHandler bool
	// BaseContext, if set, returns what the contexts of all requests to an address
	// derive from, TCP's and UDP's: their values are its, and they end with it. It
	// is called once for each listener, with the address that is listened on, and
	// must not return nil. Without it that is context.Background().
	BaseContext func(addr net.Addr) context.Context
	// ConnContext, if set, derives from that what the contexts of all requests of
	// one QUIC connection derive from. It is called before the first request's
	// Handler, in the same goroutine, so that it may block, and a panic is that of a
	// handler. It must not return nil, and leave c's streams alone.
	ConnContext func(ctx context.Context, c *quic.Conn) context.Context
	// EnableExtendedConnect lets clients send CONNECT requests for a protocol
	// (RFC 9220): see Protocol and AcceptTunnel. Handlers must expect them.
	EnableExtendedConnect bool
	// EnableDatagrams lets clients send HTTP datagrams (RFC 9297): see Tunnel.
	EnableDatagrams bool
	// ReadHeaderTimeout is how long the header of a request may take from its
	// first byte on; 0 stands for ReadTimeout. A request that takes longer is
	// rejected.
	ReadHeaderTimeout time.Duration
	// ReadTimeout is how long all of a request may take from the time its header
	// has arrived, 0 for any time; reading its content fails then. Handlers may
	// move the deadline, by http.ResponseController.
	ReadTimeout time.Duration
	// WriteTimeout is how long a response may take until it has arrived, from the
	// time the request's header has, 0 for any time. It is reset then. Handlers
	// may move the deadline.
	WriteTimeout time.Duration
	// MinReadRate is how many bytes of a request's content a client must send in a
	// second, on average over the time that its handler waits for them, 0 for any
	// number. Reading fails with os.ErrDeadlineExceeded when it has waited for ten
	// seconds more. A client that pauses on purpose, as in a conversation, has no use
	// for it. Tunnels have no rates.
	MinReadRate int
	// MinWriteRate is how many bytes of a response a client must take in a second, as
	// MinReadRate counts them. Writing fails then, and the response is reset also
	// when its handler has returned. A handler that has nothing to say does not wait.
	MinWriteRate int
	// IdleTimeout is how long a connection may be without a request; 0 stands for
	// ReadTimeout, and if that is 0 too or IdleTimeout negative, for any time. A
	// client that is silent altogether counts as gone after
	// QUICConfig.MaxIdleTimeout.
	IdleTimeout time.Duration
	// Logger is told of panics in handlers, at slog.LevelError, and of clients that
	// break the protocol, at slog.LevelDebug; nil stands for slog.Default(). It is
	// called in a goroutine of its own, so that it may take long, and up to 100 times a
	// second, as clients cause what it is told; one line then says how many records
	// were left out. Shutdown and Close wait for it, a second at most.
	Logger *slog.Logger

	extension    h3ext.Extension // takes part in the connections; nil for none
	extensionErr error           // why that cannot work
	grace        time.Duration   // instead of paceGrace, in tests

	mu        sync.Mutex
	listeners map[*quic.Listener]struct{}
	closed    []*quic.Listener // by Shutdown or Close
	conns     map[*serverConn]struct{}
	tcp       *http.Server  // of TCP listeners, and what handlers see as the server
	attached  *http.Server  // that Attach was given, which handlers see instead
	end       *endListener  // tells when that ends
	empty     chan struct{} // closed when no connection is left; nil if nobody waits
	tlsConf   *tls.Config   // with a certificate in any case

	certificate *tls.Certificate // of ListenAndServeTLS; nil for none

	workers atomic.Pointer[[]*workers] // by event loop; replaced, under mu, to grow
	closing atomic.Bool                // Shutdown or Close was called
	altSvc  atomic.Pointer[string]     // the value of Alt-Svc, while listening

	log struct { // what Logger is told by
		once    sync.Once
		handler *asynclog.Handler
	}
}

func (s *Server) handler() http.Handler {
	if s.Handler != nil {
		return s.Handler
	}
	return http.DefaultServeMux
}

// logger returns what tells Logger. It does not wait for it.
func (s *Server) logger() *slog.Logger { return slog.New(s.logHandler()) }

func (s *Server) logHandler() *asynclog.Handler {
	s.log.once.Do(func() { s.log.handler = asynclog.New(cmp.Or(s.Logger, slog.Default()).Handler()) })
	return s.log.handler
}

func (s *Server) maxHeaderBytes() int {
	if s.MaxHeaderBytes > 0 {
		return s.MaxHeaderBytes
	}
	return defaultMaxHeaderBytes
}

func (s *Server) maxHeaderValueCount() int {
	if s.MaxHeaderValueCount > 0 {
		return s.MaxHeaderValueCount
	}
	return defaultMaxHeaderValueCount
}
