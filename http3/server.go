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
// port of TCP. Its fields must not change once it listens; its methods may be called from
// any goroutine. Times that are negative mean no limit, as in net/http, and so does a
// negative MaxHandlers; other negative numbers make listening fail.
//
// The zero value serves http.DefaultServeMux, and lets clients take any time, as net/http's
// does. One that strangers can reach should have these limits. The functions ListenAndServe
// and ListenAndServeTLS set them; Server's methods and Attach do not:
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
	// counts such a request. A path must be what the request has, byte for byte: escapes
	// are not decoded, and neither slashes nor dots cleaned; all others go to Handler. For
	// requests over TCP, Handler should have them at the same paths.
	BypassHandler map[string]*FixedResponse
	// DisableTCP has ListenAll and ListenAndServe listen on UDP alone, for HTTP/3 without
	// HTTP/1.1 and HTTP/2. Browsers do not find such a server by themselves.
	DisableTCP bool
	// TLSConfig holds the certificate. If there is none, listening at localhost or a
	// loopback address makes a self-signed one, and logs its hash; elsewhere it fails.
	// TLSConfig is copied when the server listens first. Its NextProtos are not used, and
	// HTTP/3 takes TLS 1.3 whatever MinVersion says.
	//
	// A client may send requests for other hosts on its connection. With a
	// GetConfigForClient such a request is answered with status 421 unless the host's own
	// configuration would do as well: its certificate is for the host, and clients
	// authenticate in the same way (RFC 9110, Section 15.5.20). To find out,
	// GetConfigForClient and GetCertificate are called again, with a host that the client
	// has chosen. BypassHandler's responses are for every host.
	TLSConfig *tls.Config
	// QUICConfig configures the connections; nil stands for its defaults. It is copied.
	// Its MaxIncomingStreams, 100 if 0, is the number of requests that one client may have
	// running, and MaxIncomingUniStreams is 10 if 0, and 3 at least. A MaxIdleTimeout of 0 is
	// 30 seconds, or IdleTimeout if that is longer. EnableDatagrams is set where the Server's
	// is.
	QUICConfig *quic.Config
	// QUICTransportConfig configures the sockets that the server opens, their event
	// loops, and limits over all connections; nil stands for its defaults, and a nil
	// Logger in it for Logger.
	QUICTransportConfig *quic.TransportConfig
	// MaxHeaderBytes is the largest header or trailer section that a request may have,
	// in bytes as RFC 9114, Section 4.2.2, counts them: decoded, and 32 more for each
	// field. 0 stands for 1 MiB, as in net/http. Larger requests are answered with
	// status 431.
	MaxHeaderBytes int
	// MaxHandlers is how many handlers may run at a time, over all connections;
	// tunnels and WebTransport sessions count, and so do handlers that wait for their
	// client. 0 stands for 8192, negative for no limit. A request is rejected when so many
	// run, when its connection has more than half as many as are free, or its source more
	// than three times as many, which is three quarters of all. A source is an IPv4 address
	// or a /64 prefix of IPv6; it may always have one. Clients are told
	// H3_REQUEST_REJECTED, and may send the request again (RFC 9114, Section 4.1.1).
	MaxHandlers int
	// MaxHeaderValueCount is how many fields the header of a request and its trailer may
	// have each, and how many names Trailer may announce; 500 if 0. A field in several
	// lines counts as several, and so does a Cookie that a browser has split. Requests with
	// more are answered with status 431.
	MaxHeaderValueCount int
	// DisableGeneralOptionsHandler passes "OPTIONS *" requests to Handler, instead
	// of answering them with status 200.
	DisableGeneralOptionsHandler bool
	// BaseContext, if set, returns the context that those of all requests to an address
	// derive from, over TCP and UDP alike. It is called once for each socket that is
	// listened on, with its address, and must not return nil. Without it that is
	// context.Background().
	BaseContext func(addr net.Addr) context.Context
	// ConnContext, if set, returns the context that those of all requests of one QUIC
	// connection derive from, itself derived from ctx. It is called before the first
	// request's Handler, in the same goroutine: so it may block, and a panic is treated as a
	// handler's. It must not return nil, and must leave c's streams alone. It is not called
	// for connections over TCP.
	ConnContext func(ctx context.Context, c *quic.Conn) context.Context
	// EnableExtendedConnect lets clients send CONNECT requests for a protocol
	// (RFC 9220): see Protocol and AcceptTunnel. Handlers must expect them.
	// webtransport.Enable does not need it to be set.
	EnableExtendedConnect bool
	// EnableDatagrams lets clients send HTTP datagrams (RFC 9297): see Tunnel. It implies
	// EnableDatagrams of QUICConfig, and webtransport.Enable implies both.
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
	// second, on average over the time that its handler waits for them; 0 for any
	// number. Reading fails with os.ErrDeadlineExceeded when the client is ten seconds
	// behind. It does not suit handlers whose clients pause on purpose, as in a
	// conversation. Tunnels have no rates.
	MinReadRate int
	// MinWriteRate is how many bytes of a response a client must take in a second, on
	// average over the time that writing waits for it; 0 for any number. When the client is
	// ten seconds behind, writing fails with os.ErrDeadlineExceeded, and the response is
	// reset, even if its handler has returned. Time in which the handler writes nothing
	// does not count.
	MinWriteRate int
	// IdleTimeout is how long a connection may be without a request; 0 stands for
	// ReadTimeout, and if that is 0 too, for any time. This is about clients that keep a
	// connection alive; one that is silent altogether counts as gone after
	// QUICConfig.MaxIdleTimeout.
	IdleTimeout time.Duration
	// Logger gets panics in handlers, at slog.LevelError, and clients that break the
	// protocol, at slog.LevelDebug; nil stands for slog.Default(). It is called in a
	// goroutine of its own, so that it may take long, and with at most 100 records a
	// second, as clients can cause them; another record then says how many were left out.
	// Shutdown and Close wait for it, a second at most.
	Logger *slog.Logger

	extension      h3ext.Extension // takes part in the connections; nil for none
	extensionState string          // which early data depends on
	extensionErr   error           // why that cannot work
	grace          time.Duration   // instead of paceGrace, in tests

	mu        sync.Mutex
	listeners map[*quic.Listener]struct{}
	closed    []*quic.Listener // by Shutdown or Close
	refusing  bool             // Close was called: connections that come are of no use
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
