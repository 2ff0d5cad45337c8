package engine

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TLS is the cryptographic handshake as the engine sees it (RFC 9001,
// Section 4): bytes of CRYPTO frames go in, bytes and secrets come out. It
// performs no I/O and is called by one goroutine. internal/handshake
// implements it with crypto/tls; tests may use a fake.
type TLS interface {
	// Start begins the handshake of a connection of a version, to which sessions
	// belong (RFC 9369, Section 5), with the encoded local transport parameters. The
	// engine calls it at once for a client, and on TLSNeedParameters for a server.
	// There are events to poll afterwards. For a client it may be called again,
	// before HandleData: then what was said before is void.
	Start(v wire.Version, params []byte) error
	// SetVersion tells a client's handshake that the server chose another version.
	SetVersion(v wire.Version)
	// HandleData takes the next contiguous handshake bytes of a level. The
	// bytes are the engine's and valid only during the call.
	HandleData(level wire.Level, data []byte) error
	// Pending reports whether the last call of Start or HandleData goes on
	// elsewhere, as it may block or take long. Until Finish has reported that it is
	// done there are no events, and no method may be called but Finish, NextEvent
	// and Close.
	Pending() bool
	// Finish reports whether what was pending is done, and with which error. Who
	// drives the connection is told by other means when to ask, and does it with
	// Conn.HandleHandshake.
	Finish() (done bool, err error)
	// NextEvent returns the next thing that happened, TLSNoEvent when none is
	// left. Data in it is valid until the next call of any method, but that of
	// TLSWriteData is the engine's.
	NextEvent() TLSEvent
	// SendSessionTicket makes a server produce a NewSessionTicket message; it
	// comes out as TLSWriteData. It is called once, after the handshake. Whether early
	// data may come with it is the implementation's to know, as is what Start was told
	// of this side that may not be less then (RFC 9000, Section 7.4.1).
	SendSessionTicket() error
	// Close frees what the handshake still holds, which is left to what is pending
	// when something is. It does not wait.
	Close()
}

// TLSEventKind says what a TLSEvent tells.
type TLSEventKind uint8

// The kinds of TLS events.
const (
	TLSNoEvent         TLSEventKind = iota
	TLSReadSecret                   // Level, Suite, Data: the secret to open packets with
	TLSWriteSecret                  // Level, Suite, Data: the secret to seal packets with
	TLSWriteData                    // Level, Data: bytes for CRYPTO frames
	TLSPeerParameters               // Data: the peer's transport parameters
	TLSNeedParameters               // a server's Start must be called now
	TLSEarlyParameters              // Data: a client's, what early data may use; the secret may follow
	TLSEarlyRejected                // the server takes no early data; before its parameters
	TLSHandshakeDone                // Data: the application protocol; the handshake is complete (RFC 9001, Section 4.1.1)
)

// TLSEvent is one step of the handshake.
type TLSEvent struct {
	Kind  TLSEventKind
	Level wire.Level
	Suite protect.Suite
	Data  []byte
}

// TLSAlert is a failed handshake: the alert to send, and why.
type TLSAlert struct {
	Code uint8 // RFC 8446, Section 6
	Err  error // the reason on this side, e.g. a certificate error
	// Violation says that the peer broke a rule that QUIC has for TLS: PROTOCOL_VIOLATION
	// is sent instead of the alert (RFC 9001, Sections 4.1.3, 4.4 and 4.6.1).
	Violation bool
}

func (e *TLSAlert) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("TLS alert %d", e.Code)
}

// Unwrap returns the reason on this side.
func (e *TLSAlert) Unwrap() error { return e.Err }
