// Package face is what both faces of QUIC have in common: package quic, whose calls wait,
// and package event, whose handlers are called. A Conn is what both know of a connection,
// a Stream what all names of a stream lead to, whoever uses it.
//
// It knows nothing of the two, which tell it by its variables: package quic what makes
// connections and streams, package event how handlers are called.
package face

import (
	"context"
	"crypto/tls"

	"github.com/godwit-quic/godwit/internal/engine"
)

// What package quic has for package event, in values whose types it knows alone. It sets
// these before anything runs. A newHandler is an event.Handler's, or nil.
var (
	// Of returns what both know of a *quic.Conn.
	Of func(conn any) *Conn
	// Listen is Listen of a *quic.TransportConfig, with a *quic.Config, and returns a
	// *quic.Listener; ListenOn that of a *quic.Transport.
	Listen   func(addr string, tc any, tlsConf *tls.Config, conf, newHandler any) (listener any, err error)
	ListenOn func(transport any, tlsConf *tls.Config, conf, newHandler any) (listener any, err error)
	// Dial is quic.Dial, and returns a *quic.Conn; DialOn is Dial of a *quic.Transport.
	Dial   func(ctx context.Context, addr string, tlsConf *tls.Config, conf, newHandler any) (conn any, err error)
	DialOn func(ctx context.Context, transport any, addr string, tlsConf *tls.Config, conf, newHandler any) (conn any, err error)
	// Open opens a stream of a *quic.Conn: see event.Open, of whose function begin is one,
	// or nil.
	Open func(ctx context.Context, conn any, uni bool, begin any) (Ref, error)
	// Name returns the Ref of a *quic.Stream, *quic.SendStream or *quic.ReceiveStream.
	Name func(stream any) Ref
)

// Events is how handlers are called, nil as long as nobody imports package event.
var Events Caller

// Caller calls handlers, of whose types only package event knows. In h they are an
// event.Handler, or an event.StreamHandler, and never nil. All is called on the loop's
// goroutine.
type Caller interface {
	// NewHandler calls a connection's newHandler.
	NewHandler(newHandler any, t *Turn) (h any)
	// Begin calls what Open was given.
	Begin(begin any, t *Turn, s Ref)

	HandleStream(h any, t *Turn, s Ref) (stream any)
	HandleClose(h any, t *Turn, err error)

	// Those that a Handler may be without do nothing then. Without HandleTurn it is
	// taken for granted that goroutines were made runnable; and false from
	// HandleDatagrams says that it is not there.
	HandleTurn(h any, t *Turn) (woke bool)
	HandleStreamsAvailable(h any, t *Turn)
	HandleDatagrams(h any, t *Turn, list [][]byte) bool
	HandleHandshakeComplete(h any, t *Turn)
	HandlePathChanged(h any, t *Turn)
	HandleSilent(h any, t *Turn)
	HandleCommands(h any, t *Turn)

	HandleReadable(h any, t *Turn, s Ref)
	HandleWritable(h any, t *Turn, s Ref)
	HandleEnd(h any, t *Turn, s Ref, end End)
}

// EndKind is what of a stream has ended: see event.Kind.
type EndKind uint8

// The same, in the same order.
const (
	StreamEnded EndKind = iota
	PeerReset
	ReceivingCut
	SendingCut
)

// End is how a part of a stream has ended: see event.End.
type End struct {
	Kind EndKind
	Err  *engine.StreamError
	Lost uint64
}
