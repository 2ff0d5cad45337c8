// Package quic is QUIC, versions 1 (RFC 9000) and 2 (RFC 9369), for Go programs:
// connections with many independent streams over UDP, encrypted with TLS 1.3.
//
// It feels like package net. A server listens, accepts connections, and
// accepts streams on them; every stream is an io.Reader and io.Writer with
// deadlines:
//
//	ln, err := quic.Listen("localhost:4433", tlsConfig, nil)
//	if err != nil {
//		return err
//	}
//	for {
//		conn, err := ln.Accept(ctx)
//		if err != nil {
//			return err
//		}
//		go func() {
//			for {
//				stream, err := conn.AcceptStream(ctx)
//				if err != nil {
//					return // conn.Err says why it ended
//				}
//				go func() {
//					io.Copy(stream, stream)
//					stream.Close()
//				}()
//			}
//		}()
//	}
//
// A client dials, opens streams, writes, says that it is done with Close, and
// reads:
//
//	conn, err := quic.Dial(ctx, "localhost:4433", tlsConfig, nil)
//	if err != nil {
//		return err
//	}
//	defer conn.CloseWithError(0, "")
//	stream, err := conn.OpenStream(ctx)
//	if err != nil {
//		return err
//	}
//	fmt.Fprint(stream, "hello")
//	stream.Close()
//	answer, err := io.ReadAll(stream)
//
// QUIC needs an application protocol, so tls.Config.NextProtos must not be
// empty, on both sides. The tls.Config is crypto/tls's, and its callbacks, tickets and
// KeyLogWriter are used as there; it must not be changed once it is in use.
//
// The calls above block, and each belongs in a goroutine. Package event has another way
// for programs that hold very many connections: callbacks on the goroutine of an event
// loop, so that an idle connection costs none.
//
// # Configuration
//
// Config says what one connection does, and goes with Listen and Dial; the zero value, or
// nil, will do. TransportConfig says what the socket does, and what all connections on it
// may take together. It has Listen and Dial of its own, and goes with NewTransport.
//
// # Ends
//
// A stream has two halves that end on their own. The sending half ends by Close,
// CancelWrite, or the peer's CancelRead; the receiving one at io.EOF, by CancelRead, or by
// the peer's CancelWrite. A stream counts against the peer's limit until both have ended. So
// read to io.EOF or call CancelRead, and Close or call CancelWrite.
//
// A connection ends by CloseWithError on either side, by a violation of the protocol, or
// because nothing arrived for too long: then everything that waits returns.
//
// # Errors
//
// Use errors.Is and errors.As; errors are wrapped, some with where they are from.
//
//	what failed                                           the error
//	the context of a call ended                           context.Cause(ctx)
//	a deadline of a stream has passed                     os.ErrDeadlineExceeded
//	the peer, or this side, cancelled half of a stream    *StreamError
//	Write after Close                                     ErrWriteClosed
//	an application closed the connection                  *ApplicationError
//	the protocol was violated, TLS failed                 *TransportError
//	the peer was silent, nobody answered Dial             *IdleTimeoutError, *HandshakeTimeoutError
//	the peer was restarted                                ErrStatelessReset
//	no version in common                                  *VersionNegotiationError
//	the Listener, or the Transport, was closed            ErrClosed
//	a datagram does not fit, or is not wanted             *DatagramTooLargeError, ErrDatagramsDisabled
//
// What is waiting on a connection that ends gets the error that Conn.Err has from then on.
package quic
