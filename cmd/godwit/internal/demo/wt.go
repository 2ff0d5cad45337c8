package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/godwit-quic/godwit/webtransport"
)

// upgrader opens sessions for pages of every origin: there is nothing here that a
// page should not see, and what pages write to each other in the chat is public. A
// server with something to protect leaves AllowedOrigins empty, or lists the origins
// of its pages.
var upgrader = webtransport.UpgradeConfig{AllowedOrigins: []string{"*"}}

// addWebTransport adds the routes of WebTransport, for servers that have it
// enabled:
//
//	/wt/echo                   datagrams and streams come back
//	/wt/echo?about             so they do, after what the server says of the session
//	/wt/push                   the server sends "hello" in every way
//	/wt/close?code=N&reason=R  the server closes the session
//	/wt/drain                  the server asks to end the session soon
//	/wt/reject?status=N        the server refuses the session
//	/wt/subprotocol            the server picks "b" from the offer
//	/wt/chat                   what one session sends, all others receive
func addWebTransport(mux *http.ServeMux) {
	handle := func(path string, u *webtransport.UpgradeConfig, serve func(*webtransport.Session, *http.Request)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if session, err := u.Upgrade(w, r); err == nil {
				serve(session, r)
			}
		})
	}
	chat := new(room)
	handle("/wt/echo", &upgrader, func(s *webtransport.Session, r *http.Request) {
		if r.URL.Query().Has("about") {
			go tellSession(s, describeTLS(r.TLS))
		}
		echoSession(s)
	})
	handle("/wt/push", &upgrader, func(s *webtransport.Session, _ *http.Request) { push(s) })
	handle("/wt/close", &upgrader, closeSession)
	handle("/wt/drain", &upgrader, func(s *webtransport.Session, _ *http.Request) { s.Drain(); echoSession(s) })
	handle("/wt/subprotocol", &webtransport.UpgradeConfig{AllowedOrigins: upgrader.AllowedOrigins, Protocols: []string{"b"}},
		func(s *webtransport.Session, _ *http.Request) { echoSession(s) })
	handle("/wt/chat", &upgrader, func(s *webtransport.Session, _ *http.Request) { chat.serve(s) })
	mux.HandleFunc("/wt/reject", reject)
}

// reject refuses every request with the status asked for.
func reject(w http.ResponseWriter, r *http.Request) {
	status := http.StatusForbidden
	if text := r.FormValue("status"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 300 || n > 599 {
			http.Error(w, "status must be a number from 300 to 599", http.StatusBadRequest)
			return
		}
		status = n
	}
	http.Error(w, "refused, as you asked", status)
}

// closeSession closes a session as the request asks.
func closeSession(s *webtransport.Session, r *http.Request) {
	code, _ := strconv.ParseUint(r.FormValue("code"), 10, 32) // 0 for what is no code
	_ = s.CloseWithError(uint32(code), r.FormValue("reason"))
}

// push sends "hello" by a bidirectional and a unidirectional stream and in a
// datagram.
func push(s *webtransport.Session) {
	const hello = "hello"
	ctx := s.Context()
	if st, err := s.OpenStream(ctx); err == nil {
		_, _ = io.WriteString(st, hello)
		_ = st.Close()
		go func() { _, _ = io.Copy(io.Discard, st) }()
	}
	if st, err := s.OpenUniStream(ctx); err == nil {
		_, _ = io.WriteString(st, hello)
		_ = st.Close()
	}
	_ = s.SendDatagram([]byte(hello))
}

// sessionInfo is what /wt/echo?about tells.
type sessionInfo struct {
	Draft          string   `json:"draft"`
	Subprotocol    string   `json:"subprotocol,omitempty"`
	MaxDatagram    int      `json:"max_datagram"` // to the client, in bytes
	FlowControlled bool     `json:"flow_controlled"`
	TLS            *tlsInfo `json:"tls,omitempty"`
}

// tellSession tells by a unidirectional stream, as JSON, what a session is.
func tellSession(s *webtransport.Session, tls *tlsInfo) {
	out, err := s.OpenUniStream(s.Context())
	if err != nil {
		return
	}
	_ = json.NewEncoder(out).Encode(sessionInfo{s.Draft().String(), s.Protocol(), s.MaxDatagramSize(), s.FlowControlled(), tls}) // fails with the session
	_ = out.Close()
}

// echoSession sends back what a session sends, until it ends: datagrams, the bytes
// of bidirectional streams, and those of each unidirectional stream in one of the
// server's. A stream that is reset is answered by a reset with the same code.
func echoSession(s *webtransport.Session) {
	go echoDatagrams(s)
	go func() {
		for {
			in, err := s.AcceptUniStream(context.Background())
			if err != nil {
				return
			}
			go echoUni(s, in)
		}
	}()
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go copyStream(&st.SendStream, &st.ReceiveStream)
	}
}

func echoUni(s *webtransport.Session, in *webtransport.ReceiveStream) {
	out, err := s.OpenUniStream(s.Context())
	if err != nil {
		in.CancelRead(0)
		return
	}
	copyStream(out, in)
}

// copyStream sends what arrives. The end of either side becomes that of the other,
// with its code.
func copyStream(out *webtransport.SendStream, in *webtransport.ReceiveStream) {
	_, err := io.Copy(onlyWriter{out}, onlyReader{in})
	if err == nil {
		_ = out.Close()
		return
	}
	var code uint32
	var cancelled *webtransport.StreamError
	if errors.As(err, &cancelled) {
		code = cancelled.Code
	}
	out.CancelWrite(code)
	in.CancelRead(code)
}

// onlyReader and onlyWriter hide everything else from io.Copy.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
