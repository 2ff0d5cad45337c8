package webtransport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
)

// UpgradeConfig turns requests into sessions. The zero value accepts requests from
// pages of the same host, and those that come from no page.
type UpgradeConfig struct {
	// AllowedOrigins are origins whose pages may open sessions, beside those of the
	// request's own host. They are compared as they are with the request's Origin, but for
	// case: "https://example.com", "https://example.com:8443", without a slash or path. "*"
	// allows all; there are no other patterns.
	AllowedOrigins []string
	// CheckOrigin, when set, decides instead, also about requests without an Origin.
	CheckOrigin func(r *http.Request) bool
	// Protocols are the subprotocols that can be chosen from what the client
	// offers, the best first.
	Protocols []string
	// RequireProtocol refuses clients that offer none of Protocols, with ErrProtocol.
	RequireProtocol bool
	// Status is that of the response that accepts a session, 200 to 299. Default
	// 200. Clients take any of them for a yes (Section 3.2).
	Status int
}

// The fields of requests and responses, as net/http writes their names.
var (
	fieldDraft02Offer       = http.CanonicalHeaderKey(wt.FieldDraft02Offer)
	fieldDraft02Answer      = http.CanonicalHeaderKey(wt.FieldDraft02Answer)
	fieldAvailableProtocols = http.CanonicalHeaderKey(wt.FieldAvailableProtocols)
	fieldProtocol           = http.CanonicalHeaderKey(wt.FieldProtocol)
)

// settingsPatience is how long the client's SETTINGS may take, without which its
// draft is not known (Section 3.1).
const settingsPatience = 10 * time.Second

// Upgrade accepts a request for a session as an UpgradeConfig without settings does.
func Upgrade(w http.ResponseWriter, r *http.Request) (*Session, error) {
	return new(UpgradeConfig).Upgrade(w, r)
}

// IsUpgrade reports whether a request asks for a session, for handlers that serve other
// requests as well.
func IsUpgrade(r *http.Request) bool {
	return wt.IsToken(http3.Protocol(r))
}

// offeredProtocols returns the subprotocols that a request offers.
func offeredProtocols(r *http.Request) []string {
	return wt.OfferedProtocols(strings.Join(r.Header[fieldAvailableProtocols], ", "))
}

// Upgrade accepts a request for a session, with the fields of w.Header() in the response.
// With an error, the client has been answered, and the handler should return: with status
// 403 for ErrOrigin, 405 for ErrNotWebTransport, 501 for ErrNotEnabled and ErrNotSupported,
// 400 for ErrProtocol, and 429 for ErrTooManySessions, if no session ends within a second
// (Section 3.2). To refuse for a reason of one's own, answer with any status but 2xx instead.
//
// The session lives on when the handler returns, but r.Context() ends then: use
// Session.Context. Neither w nor r.Body can be used any more.
func (u *UpgradeConfig) Upgrade(w http.ResponseWriter, r *http.Request) (*Session, error) {
	h, ok := h3ext.HTTP3.Conn(r).(*hub)
	if !ok || !IsUpgrade(r) {
		return nil, notUpgradable(w, ok)
	}
	if u.Status != 0 && u.Status/100 != 2 {
		http.Error(w, errStatus.Error(), http.StatusInternalServerError)
		return nil, errStatus
	}
	if err := checkFields(r.Header); err != nil {
		h3ext.HTTP3.Refuse(w, h3.MessageError)
		return nil, err
	}
	if err := h.awaitSettings(r); err != nil {
		h3ext.HTTP3.Refuse(w, h3.RequestCancelled)
		return nil, err
	}
	var d wt.Draft
	var refusal *wt.Refusal
	h.tell(func(m *wt.Conn) {
		d, refusal = m.CheckRequest(wt.Request{Token: http3.Protocol(r), OffersDraft02: r.Header.Get(fieldDraft02Offer) != ""})
	})
	if refusal != nil {
		return nil, refuse(w, refusal)
	}
	if !u.originAllowed(r) {
		http.Error(w, ErrOrigin.Error(), http.StatusForbidden)
		return nil, fmt.Errorf("%w: %s", ErrOrigin, r.Header.Get("Origin"))
	}
	protocol, err := wt.ChooseProtocol(u.Protocols, offeredProtocols(r), u.RequireProtocol)
	if err != nil {
		http.Error(w, "none of the subprotocols offered is known", http.StatusBadRequest)
		return nil, err
	}
	if refusal = h.admit(r.Context(), d); refusal != nil {
		return nil, refuse(w, refusal)
	}
	return h.accept(w, r, d, protocol, cmp.Or(u.Status, http.StatusOK))
}

// admit waits for a place for a session.
func (h *hub) admit(ctx context.Context, d wt.Draft) *wt.Refusal {
	var a *wt.Admission
	var ready <-chan struct{}
	h.tell(func(m *wt.Conn) {
		if a = m.Admit(h.now(), d); a.Waits() {
			w := new(waiter)
			a.App, ready = w, w.wait()
		}
	})
	if ready != nil {
		select {
		case <-ready:
		case <-ctx.Done():
			h.tell(func(*wt.Conn) { a.Withdraw() })
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return a.Refusal()
}

// refuse answers a request as the machine says, and returns the reason.
func refuse(w http.ResponseWriter, r *wt.Refusal) error {
	err := describe(r.Err)
	if r.Status == 0 {
		h3ext.HTTP3.Refuse(w, r.Code)
	} else {
		http.Error(w, err.Error(), r.Status)
	}
	return err
}

// notUpgradable answers a request that asks for something else.
func notUpgradable(w http.ResponseWriter, enabled bool) error {
	if !enabled {
		http.Error(w, "WebTransport needs HTTP/3 and a server that has it enabled", http.StatusNotImplemented)
		return ErrNotEnabled
	}
	http.Error(w, "this is for WebTransport", http.StatusMethodNotAllowed)
	return ErrNotWebTransport
}

// awaitSettings waits for the client's SETTINGS.
func (h *hub) awaitSettings(r *http.Request) error {
	select {
	case <-h.settled:
		return nil
	default:
	}
	passed, stop := h3ext.After(h.conn, settingsPatience)
	defer stop()
	select {
	case <-h.settled:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	case <-passed:
		return errors.New("webtransport: no SETTINGS from the client")
	}
}

// accept answers the request and begins the session.
func (h *hub) accept(w http.ResponseWriter, r *http.Request, d wt.Draft, protocol string, status int) (*Session, error) {
	header := w.Header()
	for _, name := range contentFields {
		header.Del(name)
	}
	if protocol != "" {
		header[fieldProtocol] = nil
		if text, ok := wt.FormatProtocols([]string{protocol}); ok {
			header[fieldProtocol] = []string{text}
		}
	}
	if r.Header.Get(fieldDraft02Offer) != "" {
		header.Set(fieldDraft02Answer, wt.AnswerDraft02)
	}
	tunnel, err := h3ext.HTTP3.Accept(w, status)
	if err != nil {
		h.tell((*wt.Conn).Abandon)
		return nil, err
	}
	return h.begin(tunnel, d, protocol, func() {}), nil
}

// originAllowed checks the Origin of a request, which browsers send
// (Section 3.2). Without one, it does not come from a page.
func (u *UpgradeConfig) originAllowed(r *http.Request) bool {
	if u.CheckOrigin != nil {
		return u.CheckOrigin(r)
	}
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	origin, err := url.Parse(origins[0])
	if err == nil && origin.Scheme == "https" && sameHost(origin.Host, r.Host) {
		return true
	}
	return slices.ContainsFunc(u.AllowedOrigins, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(allowed, origins[0])
	})
}

// sameHost compares hosts with ports of https URLs.
func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, ":443"), strings.TrimSuffix(b, ":443"))
}
