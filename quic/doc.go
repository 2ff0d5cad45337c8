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
// empty, on both sides.
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
// A stream has two halves that end on their own: Close, CancelWrite and the
// peer's CancelRead end the sending half, FIN, the peer's CancelWrite and
// CancelRead the receiving one. Only when both have ended does a stream stop to
// count against the peer's limit, so read to io.EOF or call CancelRead, and
// Close or call CancelWrite.
//
// A connection ends by CloseWithError on either side, by a violation of the
// protocol, or because nothing arrived for too long. Everything that waits
// returns then, with the error that Conn.Err has from then on: see
// ApplicationError, TransportError, IdleTimeoutError and ErrStatelessReset.
package quic
