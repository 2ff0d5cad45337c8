// Package webtransport is WebTransport over HTTP/3: sessions with streams and
// datagrams, between browsers and servers or between programs.
//
// A server is an http3.Server that WebTransport was enabled for. A handler turns
// a request into a session with Upgrade, next to handlers for ordinary HTTP:
//
//	mux := http.NewServeMux()
//	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
//		session, err := webtransport.Upgrade(w, r)
//		if err != nil {
//			return // the client has been told
//		}
//		for {
//			stream, err := session.AcceptStream(session.Context())
//			if err != nil {
//				return
//			}
//			go func() {
//				io.Copy(stream, stream)
//				stream.Close()
//			}()
//		}
//	})
//	srv := &http3.Server{Addr: "localhost:4433", Handler: mux}
//	webtransport.Enable(srv, nil)
//	err := srv.ListenAndServe()
//
// A client dials:
//
//	session, _, err := webtransport.Dial(ctx, "https://localhost:4433/echo")
//	if err != nil {
//		return err
//	}
//	defer session.CloseWithError(0, "")
//	stream, err := session.OpenStream(ctx)
//
// A session outlives the handler that made it, but the request's context does not: what
// belongs to a session waits with Session.Context, which ends when the page goes or the
// session is closed. A session on which nothing happens needs no goroutine, and neither do
// streams that wait to be accepted.
//
// Settings are in three places: limits of sessions in a Config, for Enable and for a Dialer;
// which pages may open one, and subprotocols, in the UpgradeConfig of each handler; how a
// client connects in a Dialer.
//
// # Errors
//
// What errors.Is and errors.As find in the errors of this package:
//
//	a session was closed, by either end      *SessionError
//	half of a stream was cancelled           *StreamError
//	a stream is used after its session       what the session ended with
//	the server answered no                   *RejectedError
//	it has no WebTransport, or no draft of
//	it that is spoken here                   ErrNotSupported
//	no subprotocol fits                      ErrProtocol
//	there are as many sessions as may be     ErrTooManySessions
//	Upgrade of another request               ErrNotWebTransport
//	Upgrade where there is no WebTransport   ErrNotEnabled
//	Upgrade for an origin not allowed        ErrOrigin
//	a session's request, or all of the
//	connection, was ended for an error       *http3.Error
//	the connection failed otherwise          those of package quic
//	a context ended                          context.Cause(ctx)
//	a deadline passed                        os.ErrDeadlineExceeded
//
// # Drafts
//
// The protocol (draft-ietf-webtrans-http3) is not an RFC yet, and its versions
// differ in how they are negotiated. All that are in use are spoken: see Draft.
// Session.Draft tells which one a session got. Sections that these docs name without a
// document are of draft 15.
package webtransport
