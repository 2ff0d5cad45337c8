package wt

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/h3"
)

// Draft is a version of draft-ietf-webtrans-http3, or a family of versions that
// look the same on the wire, by the first number of the family.
type Draft uint8

// The drafts in use.
const (
	Draft02 Draft = 2  // 2 to 6: Chromium and Firefox
	Draft07 Draft = 7  // 7 to 12
	Draft13 Draft = 13 // 13 and 14, with flow control of sessions: Safari
	Draft15 Draft = 15 // 15 and later
)

// Drafts are all of them, the best first.
var Drafts = []Draft{Draft15, Draft13, Draft07, Draft02}

// The settings of the drafts. Each has its own identifier for the setting that
// says that its sender speaks it (Section 9.2 of the drafts).
const (
	SettingDraft02 h3.SettingID = 0x2b603742 // ENABLE_WEBTRANSPORT: 1
	SettingDraft07 h3.SettingID = 0xc671706a // WEBTRANSPORT_MAX_SESSIONS
	SettingDraft13 h3.SettingID = 0x14e9cd29 // WT_MAX_SESSIONS
	SettingDraft15 h3.SettingID = 0x2c7cf000 // WT_ENABLED: 1

	SettingMaxData        h3.SettingID = 0x2b61 // WT_INITIAL_MAX_DATA
	SettingMaxStreamsUni  h3.SettingID = 0x2b64
	SettingMaxStreamsBidi h3.SettingID = 0x2b65
)

// Setting returns the setting by which a draft is offered.
func (d Draft) Setting() h3.SettingID {
	switch d {
	case Draft02:
		return SettingDraft02
	case Draft07:
		return SettingDraft07
	case Draft13:
		return SettingDraft13
	}
	return SettingDraft15
}

// The tokens for :protocol. Servers take both from everybody: clients disagree
// about which belongs to which draft.
const (
	TokenOld = "webtransport"
	TokenNew = "webtransport-h3" // from draft 15 on
)

// IsToken reports whether a :protocol asks for a session.
func IsToken(protocol string) bool { return protocol == TokenOld || protocol == TokenNew }

// Token returns the :protocol of a client's request.
func (d Draft) Token() string {
	if d == Draft15 {
		return TokenNew
	}
	return TokenOld
}

// FlowControl reports whether a draft has flow control of sessions (Section 5.1).
func (d Draft) FlowControl() bool { return d >= Draft13 }

// The fields by which draft 2 announces itself: in a request that offers it, with
// OfferDraft02 from our client and anything from others; and in the answer.
const (
	FieldDraft02Offer  = "sec-webtransport-http3-draft02"
	FieldDraft02Answer = "sec-webtransport-http3-draft"
	OfferDraft02       = "1"
	AnswerDraft02      = "draft02"
)

// AppendSettings appends the settings for the drafts offered, to be sent with this
// end's. Clients that know several drafts pick the newest; Safari needs what
// initial limits say when it sees draft 13.
func (c *Conn) AppendSettings(s []h3.Setting) []h3.Setting { return c.conf.AppendSettings(s) }

// AppendSettings is a Conn's for those that have this configuration.
func (conf *Config) AppendSettings(s []h3.Setting) []h3.Setting {
	for _, d := range conf.Drafts {
		value := uint64(1)
		if d == Draft07 || d == Draft13 {
			value = uint64(conf.MaxSessions)
		}
		s = append(s, h3.Setting{ID: d.Setting(), Value: value})
	}
	if conf.FlowControl() {
		s = append(s,
			h3.Setting{ID: SettingMaxData, Value: conf.MaxData},
			h3.Setting{ID: SettingMaxStreamsUni, Value: conf.MaxStreams},
			h3.Setting{ID: SettingMaxStreamsBidi, Value: conf.MaxStreams})
	}
	return s
}

// offer is what the peer's SETTINGS say about WebTransport.
type offer struct {
	drafts    []Draft // those both ends speak, the best first
	datagrams bool
	// resetStreamAt says that the peer understands RESET_STREAM_AT.
	resetStreamAt bool
	// limit is what this end may do in each session, with flow control.
	limit [kinds]uint64
	// limits says that the peer wants flow control.
	limits bool
}

// readOffer finds what the peer offers of what this end does.
func (conf *Config) readOffer(peer *h3.Settings, resetStreamAt bool) offer {
	value := func(id h3.SettingID) uint64 {
		for _, s := range peer.Extra {
			if s.ID == id {
				return s.Value
			}
		}
		return 0
	}
	o := offer{datagrams: peer.Datagrams, resetStreamAt: resetStreamAt}
	o.limit = [kinds]uint64{Bidi: value(SettingMaxStreamsBidi), Uni: value(SettingMaxStreamsUni), data: value(SettingMaxData)}
	o.limits = o.limit != [kinds]uint64{}
	for _, d := range Drafts {
		if value(d.Setting()) > 0 && slices.Contains(conf.Drafts, d) {
			o.drafts = append(o.drafts, d)
		}
	}
	if len(o.drafts) > 1 && !o.meets(o.drafts[0]) {
		o.drafts = o.drafts[1:] // those before have no such requirement
	}
	return o
}

// meets reports whether the peer has what a draft requires of transport parameters,
// which is more from draft 15 on (Section 3.1): browsers that speak older ones do
// without RESET_STREAM_AT.
func (o *offer) meets(d Draft) bool { return d < Draft15 || o.resetStreamAt }

// flowControlled reports whether sessions of a draft have flow control
// (Section 5.1).
func (o *offer) flowControlled(d Draft) bool { return d.FlowControl() && o.limits }

// serverDraft returns the draft of a request. A client whose SETTINGS say nothing
// is one of the final protocol (Section 3.1 of draft 15) if it uses its token, and
// otherwise one of an old draft that sends none.
func (c *Conn) serverDraft(r Request) (Draft, bool) {
	d := Draft07
	switch {
	case len(c.offer.drafts) > 0:
		return c.offer.drafts[0], true
	case r.Token == TokenNew:
		d = Draft15
	case r.OffersDraft02:
		d = Draft02
	}
	return d, slices.Contains(c.conf.Drafts, d)
}
