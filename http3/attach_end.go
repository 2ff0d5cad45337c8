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
		l.byClose = calledBy("net/http.(*Server).Close")
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

// calledBy reports whether a function is among the callers. Which of Shutdown and Close it
// is that closes a listener shows nowhere else.
func calledBy(function string) bool {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if frame.Function == function {
			return true
		}
		if !more {
			return false
		}
	}
}
