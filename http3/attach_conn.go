package http3

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// attachedConn is what http.Server.ConnContext is told of a QUIC connection: it has
// addresses, and can be closed.
type attachedConn struct{ qc *quic.Conn }

var _ net.Conn = attachedConn{}

// QUIC returns the connection.
func (c attachedConn) QUIC() *quic.Conn { return c.qc }

func (c attachedConn) LocalAddr() net.Addr              { return c.qc.LocalAddr() }
func (c attachedConn) RemoteAddr() net.Addr             { return c.qc.RemoteAddr() }
func (c attachedConn) Close() error                     { return c.qc.CloseWithError(uint64(ErrCodeNoError), "") }
func (c attachedConn) Read([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (c attachedConn) Write([]byte) (int, error)        { return 0, errors.ErrUnsupported }
func (c attachedConn) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (c attachedConn) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (c attachedConn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// listenerConfig returns the configuration of a listener of crypto/tls, with the
// certificate that http.Server.ServeTLS or httptest has put there, nil if ln is
// another listener. The type is not exported, and has no method to ask; a test
// with each version of Go shows whether it still is what it was.
func listenerConfig(ln net.Listener) *tls.Config {
	v := reflect.ValueOf(ln)
	if v.Type() != tlsListener {
		return nil
	}
	config := v.Elem().FieldByName("config")
	if !config.IsValid() || config.Type() != reflect.TypeFor[*tls.Config]() {
		return nil
	}
	return (*tls.Config)(config.UnsafePointer())
}

var tlsListener = reflect.TypeOf(tls.NewListener(nil, nil))
