package webtransport

import (
	"fmt"
	"slices"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// Draft is a version of draft-ietf-webtrans-http3, or a family of versions that
// look the same on the wire.
type Draft uint8

// The drafts in use, by the first number of each family.
const (
	Draft02 Draft = 2  // 2 to 6: Chromium and Firefox
	Draft07 Draft = 7  // 7 to 12
	Draft13 Draft = 13 // 13 and 14, with flow control of sessions: Safari
	Draft15 Draft = 15 // 15 and later
)

// String returns the draft's name.
func (d Draft) String() string { return fmt.Sprintf("draft-ietf-webtrans-http3-%02d", uint8(d)) }

// drafts are all of them, the best first.
var drafts = []Draft{Draft15, Draft13, Draft07, Draft02}

// The settings of the drafts. Each has its own identifier for the setting that
// says that its sender speaks it (Section 9.2 of the drafts).
const (
	settingDraft02 = 0x2b603742 // ENABLE_WEBTRANSPORT: 1
	settingDraft07 = 0xc671706a // WEBTRANSPORT_MAX_SESSIONS
	settingDraft13 = 0x14e9cd29 // WT_MAX_SESSIONS
	settingDraft15 = 0x2c7cf000 // WT_ENABLED: 1

	settingMaxData        = 0x2b61 // WT_INITIAL_MAX_DATA
	settingMaxStreamsUni  = 0x2b64
	settingMaxStreamsBidi = 0x2b65
)

// setting returns the setting by which a draft is offered.
func (d Draft) setting() uint64 {
	switch d {
	case Draft02:
		return settingDraft02
	case Draft07:
		return settingDraft07
	case Draft13:
		return settingDraft13
	}
	return settingDraft15
}

// The tokens for :protocol. Servers take both from everybody: clients disagree
// about which belongs to which draft.
const (
	tokenOld = "webtransport"
	tokenNew = "webtransport-h3" // from draft 15 on
)

func (d Draft) token() string {
	if d == Draft15 {
		return tokenNew
	}
	return tokenOld
}

// flowControl reports whether a draft has flow control of sessions
// (Section 5.1).
func (d Draft) flowControl() bool { return d >= Draft13 }

// The fields by which draft 2 announces itself.
const (
	fieldDraft02Offer = "Sec-Webtransport-Http3-Draft02"
	fieldDraft02      = "Sec-Webtransport-Http3-Draft"
	valueDraft02      = "draft02"
)

// addSettings adds the settings for the drafts offered to a connection's. Clients
// that know several pick the newest; Safari needs what initial limits say when it
// sees draft 13.
func (conf *Config) addSettings(c *http3.Conn) {
	for _, d := range conf.offered() {
		value := uint64(1)
		if d == Draft07 || d == Draft13 {
			value = uint64(conf.maxSessions())
		}
		c.AddSetting(d.setting(), value)
	}
	if slices.ContainsFunc(conf.offered(), Draft.flowControl) {
		c.AddSetting(settingMaxData, conf.maxData())
		c.AddSetting(settingMaxStreamsUni, conf.maxStreams())
		c.AddSetting(settingMaxStreamsBidi, conf.maxStreams())
	}
}

// peerOffer is what the peer's SETTINGS say about WebTransport.
type peerOffer struct {
	drafts    []Draft // those both ends speak, the best first
	datagrams bool
	// resetStreamAt says that the peer understands RESET_STREAM_AT.
	resetStreamAt bool
	// What this end may send, with flow control.
	maxData, maxUni, maxBidi uint64
	// limits says that the peer wants flow control.
	limits bool
}

func (conf *Config) readOffer(t *quic.Turn, c *http3.Conn) peerOffer {
	offer := peerOffer{
		datagrams:     c.PeerDatagrams(),
		resetStreamAt: t.PeerResetStreamAt(),
		maxData:       c.PeerSetting(settingMaxData),
		maxUni:        c.PeerSetting(settingMaxStreamsUni),
		maxBidi:       c.PeerSetting(settingMaxStreamsBidi),
	}
	offer.limits = offer.maxData|offer.maxUni|offer.maxBidi != 0
	for _, d := range drafts {
		if c.PeerSetting(d.setting()) > 0 && slices.Contains(conf.offered(), d) {
			offer.drafts = append(offer.drafts, d)
		}
	}
	if len(offer.drafts) > 1 && !offer.meets(offer.drafts[0]) {
		offer.drafts = offer.drafts[1:] // those before have no such requirement
	}
	return offer
}

// meets reports whether the peer has what a draft requires of transport parameters,
// which is more from draft 15 on (Section 3.1): browsers that speak older ones do
// without RESET_STREAM_AT.
func (o *peerOffer) meets(d Draft) bool { return d < Draft15 || o.resetStreamAt }

// serverDraft returns the draft of a request with the given token. A client whose
// SETTINGS say nothing is one of the final protocol (Section 3.1 of draft 15) if
// it uses its token, and otherwise one of an old draft that sends none.
func (conf *Config) serverDraft(offer *peerOffer, token string, hasDraft02Field bool) (Draft, bool) {
	switch {
	case len(offer.drafts) > 0:
		return offer.drafts[0], true
	case token == tokenNew:
		return Draft15, slices.Contains(conf.offered(), Draft15)
	case hasDraft02Field:
		return Draft02, slices.Contains(conf.offered(), Draft02)
	}
	return Draft07, slices.Contains(conf.offered(), Draft07)
}
