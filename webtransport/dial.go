package webtransport

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Dialer opens sessions. The zero value is ready; any goroutine may use it. Fields must not
// change after the first Dial.
type Dialer struct {
	// TLSClientConfig configures TLS; nil stands for its defaults.
	TLSClientConfig *tls.Config
	// ServerCertificateHashes, when set, replace all other checks of the server's
	// certificate, as in browsers: its SHA-256 must be among them, and it must
	// be valid for 14 days at most and have an ECDSA key.
	ServerCertificateHashes [][sha256.Size]byte
	// QUICConfig configures the connections; nil stands for its defaults. Datagrams are
	// enabled, and there is room for sessions, as with Enable.
	QUICConfig *quic.Config
	// QUICTransport, when set, is the socket that all connections share;
	// without, each has its own.
	QUICTransport *quic.Transport
	// Route, if set, says where to dial for an origin: see http3.Transport. A resolver of
	// one's own is QUICConfig's LookupHost.
	Route func(ctx context.Context, origin string) (on *quic.Transport, addr string, err error)
	// Config holds limits of sessions; nil stands for its defaults.
	Config *Config
	// Protocols are the subprotocols to offer, the best first.
	Protocols []string
	// RequireProtocol fails the attempt, with ErrProtocol, when the server chooses none of
	// them.
	RequireProtocol bool
	// ShareConnections lets sessions with the same server share a connection, up to
	// Config.MaxSessions, until Close. Without it each has its own, which ends with the
	// session.
	ShareConnections bool

	once   sync.Once
	shared *http3.Transport
}

// RejectedError says that a server refused to open a session. Redirections are
// not followed (Section 3.2).
type RejectedError struct{ StatusCode int }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("webtransport: the server refused the session with status %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

// maxRejection is how much of the content of a refusal is read, in bytes.
const maxRejection = 64 << 10

// Dial opens a session at an https URL as a Dialer without settings does.
func Dial(ctx context.Context, url string) (*Session, *http.Response, error) {
	return new(Dialer).Dial(ctx, url, nil)
}

// Dial opens a session at an https URL. header, which may be nil, is added to the
// request. ctx counts until Dial returns. When the server refuses, the error is a
// *RejectedError, and the response says more: its Body, up to 64 KiB, has been read and need
// not be closed. With a session there is a response, too, without a Body to read. With other
// errors it is nil, but for ErrProtocol.
func (d *Dialer) Dial(ctx context.Context, url string, header http.Header) (*Session, *http.Response, error) {
	if err := d.Config.check(); err != nil {
		return nil, nil, err
	}
	req, err := d.request(ctx, url, header)
	if err != nil {
		return nil, nil, err
	}
	transport := d.transport()
	tunnel, resp, err := h3ext.HTTP3.Connect(ctx, transport, req)
	if err != nil {
		d.discard(transport)
		if errors.Is(err, http3.ErrNoExtendedConnect) {
			err = fmt.Errorf("%w: %w", ErrNotSupported, err)
		}
		return nil, nil, err
	}
	if tunnel == nil {
		defer d.discard(transport)
		content, _ := io.ReadAll(io.LimitReader(resp.Body, maxRejection))
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(content))
		return nil, resp, &RejectedError{resp.StatusCode}
	}
	h := tunnel.Conn().(*hub)
	protocol, err := wt.CheckProtocol(d.Protocols, strings.Join(resp.Header[fieldProtocol], ", "), d.RequireProtocol)
	code := wt.CodeALPN // Section 3.3
	if malformed := checkFields(resp.Header); malformed != nil {
		err, code = malformed, h3.MessageError
	}
	if err != nil {
		h.tell((*wt.Conn).Abandon)
		tunnel.Reset(code)
		d.discard(transport)
		return nil, resp, err
	}
	return h.begin(tunnel, h.draft, protocol, d.ending(tunnel.QUIC())), resp, nil
}

// Close closes the connections that sessions share, and with them the sessions on them; the
// Dialer must not be used afterwards. Without ShareConnections it does nothing: a connection
// ends with its session.
func (d *Dialer) Close() error {
	if d.ShareConnections {
		return d.transport().Close()
	}
	return nil
}

// request makes the request; its protocol depends on the server's SETTINGS.
func (d *Dialer) request(ctx context.Context, url string, header http.Header) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodConnect, url, nil)
	if err != nil {
		return nil, fmt.Errorf("webtransport: %w", err)
	}
	for key, values := range header {
		req.Header[http.CanonicalHeaderKey(key)] = slices.Clone(values)
	}
	if err := checkFields(req.Header); err != nil {
		return nil, err
	}
	if len(d.Protocols) > 0 {
		text, ok := wt.FormatProtocols(d.Protocols)
		if !ok {
			return nil, errors.New("webtransport: the name of a subprotocol is not ASCII")
		}
		req.Header[fieldAvailableProtocols] = []string{text}
	}
	return req, nil
}

// transport returns what to send a request by.
func (d *Dialer) transport() *http3.Transport {
	if !d.ShareConnections {
		return d.newTransport()
	}
	d.once.Do(func() { d.shared = d.newTransport() })
	return d.shared
}

func (d *Dialer) newTransport() *http3.Transport {
	conf := d.TLSClientConfig
	if len(d.ServerCertificateHashes) > 0 {
		conf = pinned(conf, d.ServerCertificateHashes)
	}
	limits := d.Config.machine()
	t := &http3.Transport{
		TLSClientConfig: conf,
		QUICConfig:      quicConfig(limits, d.QUICConfig),
		QUICTransport:   d.QUICTransport,
		Route:           d.Route,
	}
	h3ext.HTTP3.ExtendTransport(t, newExtension(limits, !d.ShareConnections))
	return t
}

// ending returns what ends the connection of a session of its own. The loop, on which it
// is called, is what would tell that the close has been sent, so it must not wait for that:
// other connections of a QUICTransport would wait, too.
func (d *Dialer) ending(conn *quic.Conn) func() {
	return func() {
		if !d.ShareConnections {
			event.Run(conn, func(t event.Turn) { t.Close(uint64(http3.ErrCodeNoError), "") })
		}
	}
}

// discard closes a transport that was made for one session which has not come about.
func (d *Dialer) discard(t *http3.Transport) {
	if !d.ShareConnections {
		_ = t.Close()
	}
}

// PrepareConnect implements h3ext.Conn: it chooses the draft.
func (h *hub) PrepareConnect(req *http.Request) error {
	var err error
	h.tell(func(m *wt.Conn) {
		var d wt.Draft
		if d, err = m.PrepareRequest(); h.draft == 0 {
			h.draft = d
		}
	})
	if err == wt.ErrNotSupported && h.dedicated {
		h.h3.AbortSoon(&h3.ConnError{Code: wt.CodeRequirementsNotMet, Reason: "no known version of WebTransport"})
	}
	if err != nil {
		return describe(err)
	}
	req.Header[":protocol"] = []string{h.draft.Token()}
	req.Header.Del(fieldDraft02Offer)
	if h.draft == wt.Draft02 {
		req.Header.Set(fieldDraft02Offer, wt.OfferDraft02)
	}
	return nil
}

// AbandonConnect implements h3ext.Conn.
func (h *hub) AbandonConnect() { h.tell((*wt.Conn).Abandon) }
