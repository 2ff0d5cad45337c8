package http3

import (
	"net"
	"net/http"
	"runtime"
	"sync"
)

// endListener is a listener to which nobody connects. It is served by an http.Server for the
// sake of its Close: that is called in Shutdown and in Close of the server, of which net/http
// tells nobody otherwise.
type endListener struct {
	once    sync.Once
	ended   chan struct{}
	byClose bool // the server is to end at once
}

func (l *endListener) Accept() (net.Conn, error) {
	<-l.ended
	return nil, net.ErrClosed
}

func (l *endListener) Close() error {
	l.once.Do(func() {
		l.byClose = calledByClose()
		close(l.ended)
	})
	return nil
}

func (l *endListener) Addr() net.Addr { return new(net.TCPAddr) }

// endWith ends HTTP/3 when an http.Server ends, in the same way. It returns then.
func (s *Server) endWith(srv *http.Server, l *endListener) {
	_ = srv.Serve(l)
	switch {
	case s.closing.Load(): // s has been ended by itself
	case l.byClose:
		_ = s.Close()
	default:
		s.shutdownWithin(attachedShutdown)
	}
}

// calledByClose reports whether it is Close of an http.Server, and not its Shutdown, that
// closes a listener, which shows nowhere else than in the callers; inlined ones are among
// them. The nearest counts: another server's may have brought it about. Where functions
// have other names, as in an obfuscated program, it is Shutdown, which cuts nothing.
//
// RegisterOnShutdown does not tell: its functions run in goroutines of their own, so that
// none has run yet does not mean that it is Close, which calls none.
func calledByClose() bool {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		switch frame.Function {
		case "net/http.(*Server).Close":
			return true
		case "net/http.(*Server).Shutdown":
			return false
		}
		if !more {
			return false
		}
	}
}
