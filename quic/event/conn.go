package event

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// Listen is quic.TransportConfig.Listen for connections with handlers; a nil tc means the
// defaults. newHandler is called, on the goroutine of a connection's event loop, when its
// handshake is complete, and the Handler that it returns is told of everything. Such
// connections are not queued for Listener.Accept, and nothing is queued for
// Conn.AcceptStream. One for which newHandler returns nil is an ordinary one.
func Listen(addr string, tc *quic.TransportConfig, tlsConf *tls.Config, conf *quic.Config, newHandler func(t Turn) Handler) (*quic.Listener, error) {
	return as[*quic.Listener](face.Listen(addr, tc, tlsConf, conf, given(newHandler)))
}

// ListenOn is Listen on a transport that exists already: see quic.Transport.Listen.
func ListenOn(t *quic.Transport, tlsConf *tls.Config, conf *quic.Config, newHandler func(t Turn) Handler) (*quic.Listener, error) {
	return as[*quic.Listener](face.ListenOn(t, tlsConf, conf, given(newHandler)))
}

// Dial is quic.Dial for a connection with a Handler: see Listen. An attempt
// at each address of a host may call newHandler, and HandlerOf says which Handler is the
// connection's that is returned.
func Dial(ctx context.Context, addr string, tlsConf *tls.Config, conf *quic.Config, newHandler func(t Turn) Handler) (*quic.Conn, error) {
	return as[*quic.Conn](face.Dial(ctx, addr, tlsConf, conf, given(newHandler)))
}

// DialOn is Dial on a transport that exists already: see quic.Transport.Dial.
func DialOn(ctx context.Context, t *quic.Transport, addr string, tlsConf *tls.Config, conf *quic.Config, newHandler func(t Turn) Handler) (*quic.Conn, error) {
	return as[*quic.Conn](face.DialOn(ctx, t, addr, tlsConf, conf, given(newHandler)))
}

// as returns what package quic has made as what it is.
func as[T any](v any, err error) (made T, _ error) {
	if err == nil {
		made = v.(T)
	}
	return made, err
}

// given returns a function for package quic, which knows nil from others.
func given[F func(Turn) Handler | func(Turn, Stream)](f F) any {
	if f == nil {
		return nil
	}
	return f
}

// HandlerOf returns what the connection's newHandler has returned: see Dial. It is nil for
// a connection that has none. Any goroutine may call it.
func HandlerOf(c *quic.Conn) Handler {
	h, _ := face.Of(c).Handler.(Handler)
	return h
}

// CountBuffered counts n bytes more, or less, that the caller keeps of what the peer of a
// connection sent, where flow control does not see them any more: they are part of what
// quic.TransportConfig.MaxBufferedBytes bounds, until the connection has ended. It reports
// whether the connection holds no more than its share. Any goroutine may call it.
func CountBuffered(c *quic.Conn, n int) bool { return face.Of(c).Link.CountBuffered(n) }

// Run calls f soon on the goroutine of the connection's event loop, where the methods
// of handlers run too. f must not block. Run returns false if the connection has
// ended; if it ends before f's turn has come, f is not called. Any goroutine may call Run,
// for any connection.
func Run(c *quic.Conn, f func(t Turn)) bool {
	core := face.Of(c)
	return c.Err() == nil && core.Link.Do(func() {
		t := core.Begin()
		f(Turn{t})
		t.End()
	})
}

// Moment converts t to the clock of the connection's event loop, that of Turn.Now, for
// Turn.SetTimer. Any goroutine may call it.
func Moment(c *quic.Conn, t time.Time) time.Duration {
	return time.Duration(face.Of(c).Link.Loop().Moment(t))
}

// Open opens a stream, bidirectional or, for uni, one that only sends, for a goroutine
// that may wait while the peer's limit allows none; callbacks have Turn.Open. begin, if not
// nil, is called on the connection's event loop, where it must not block, once the stream
// is open: it may set who is told of it (Turn.Handle), or detach it. What it writes needs
// no further message to the loop. It may be called even when Open returns context.Cause(ctx);
// other errors are the connection's.
func Open(ctx context.Context, c *quic.Conn, uni bool, begin func(t Turn, s Stream)) (Stream, error) {
	ref, err := face.Open(ctx, c, uni, given(begin))
	return Stream{ref}, err
}
