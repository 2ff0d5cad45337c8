package quic

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Every error of the engine has its like here, with a message for people.
func TestPublicError(t *testing.T) {
	remote := netip.MustParseAddrPort("192.0.2.7:4433")
	cause := errors.New("x509: certificate signed by unknown authority")
	other := errors.New("other")
	tests := []struct {
		err     error
		want    error
		message string
	}{
		{
			&engine.StreamError{StreamID: 4, Code: 0x10c, Remote: true},
			&StreamError{StreamID: 4, Code: 0x10c, Remote: true},
			"quic: stream 4 cancelled by the peer with code 0x10c",
		},
		{
			&engine.StreamError{StreamID: 4, Code: 1},
			&StreamError{StreamID: 4, Code: 1},
			"quic: stream 4 cancelled with code 0x1",
		},
		{
			&engine.ApplicationError{Code: 7, Reason: "bye", Remote: true},
			&ApplicationError{Code: 7, Reason: "bye", Remote: true},
			"quic: connection closed by the peer with code 0x7: bye",
		},
		{
			&engine.ApplicationError{},
			&ApplicationError{},
			"quic: connection closed with code 0x0",
		},
		{
			&engine.TransportError{Code: wire.FlowControlError, Frame: wire.FrameMaxData, Reason: "too much", Remote: true},
			&TransportError{Code: 3, FrameType: 0x10, Reason: "too much", Remote: true},
			"quic: the peer closed the connection: FLOW_CONTROL_ERROR: too much",
		},
		{
			&engine.TransportError{Code: wire.ProtocolViolation},
			&TransportError{Code: 10},
			"quic: connection failed: PROTOCOL_VIOLATION",
		},
		{
			&engine.TransportError{Code: wire.CryptoErrorBase + 42, Reason: "bad certificate", Err: cause},
			&TransportError{Code: 0x100 + 42, Reason: "bad certificate", Err: cause},
			"quic: TLS handshake: x509: certificate signed by unknown authority",
		},
		{
			&engine.IdleTimeoutError{After: 30 * time.Second},
			&IdleTimeoutError{After: 30 * time.Second},
			"quic: nothing arrived from the peer for 30s",
		},
		{
			&engine.HandshakeTimeoutError{After: time.Second},
			&HandshakeTimeoutError{After: time.Second, Remote: remote},
			"quic: no answer from 192.0.2.7:4433 within 1s (is a QUIC server listening on this UDP port?)",
		},
		{
			&engine.HandshakeTimeoutError{After: time.Second, Answered: true},
			&HandshakeTimeoutError{After: time.Second, Remote: remote, Answered: true},
			"quic: handshake with 192.0.2.7:4433 not complete within 1s",
		},
		{
			&engine.VersionNegotiationError{Ours: []wire.Version{1}, Theirs: []wire.Version{2, 3}},
			&VersionNegotiationError{Ours: []Version{1}, Theirs: []Version{2, 3}},
			"quic: the server speaks none of our QUIC versions: ours [v1], its [0x00000002 0x00000003]",
		},
		{engine.ErrStatelessReset, ErrStatelessReset, "quic: the peer has lost the connection's state"},
		{streambuf.ErrWriteClosed, ErrWriteClosed, "quic: write on a closed stream"},
		{other, other, "other"},
	}
	for _, tt := range tests {
		got := (&Conn{remote: remote}).publicError(tt.err)
		if !reflect.DeepEqual(got, tt.want) || got.Error() != tt.message {
			t.Errorf("%T: %#v %q\nwant %#v %q", tt.err, got, got, tt.want, tt.message)
		}
	}
	if err := new(Conn).publicError(&engine.TransportError{Err: cause}); !errors.Is(fmt.Errorf("dial: %w", err), cause) {
		t.Error("the cause of a TransportError is not found")
	}
}

func TestTimeouts(t *testing.T) {
	for _, err := range []interface {
		Timeout() bool
		Temporary() bool
	}{&IdleTimeoutError{}, &HandshakeTimeoutError{}} {
		if !err.Timeout() || err.Temporary() {
			t.Errorf("%T: timeout %v, temporary %v", err, err.Timeout(), err.Temporary())
		}
	}
}
