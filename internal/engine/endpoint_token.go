package engine

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// For how long tokens are good (RFC 9000, Section 8.1.3).
const (
	// retryTokenLifetime is how long a client may take to come back with a Retry
	// token: a few round trips.
	retryTokenLifetime = 10 * time.Second
	// newTokenLifetime is the same for a token of NEW_TOKEN: a day brings most clients back
	// that will come at all, and a guard has to remember what was used for as long.
	newTokenLifetime = 24 * time.Hour
	// newTokenRenewal is after how long a connection's client gets another one: in time
	// before that one expires.
	newTokenRenewal = newTokenLifetime / 2
	// maxClockSkew is how far another server's clock may be ahead.
	maxClockSkew = time.Minute
)

// TokenGuard remembers tokens of NEW_TOKEN frames that were used, so that each is accepted
// once (RFC 9000, Section 8.1.4). Endpoints on several goroutines use it at the same time;
// it must not block.
type TokenGuard interface {
	// FirstUse notes a token by its nonce, which no other has, and which was made at issued.
	// It reports whether it was not noted before, which it says only if it is sure.
	FirstUse(nonce [protect.TokenNonceLen]byte, issued time.Time) bool
}

// tokenRoom makes and reads the address validation tokens of an endpoint.
type tokenRoom struct {
	keys protect.TokenKeys
	used TokenGuard
	wall func(monotime.Time) time.Time
}

func (r *tokenRoom) init(e *Endpoint, cfg *EndpointConfig) {
	secrets := cfg.TokenSecrets
	if len(secrets) == 0 {
		secrets = make([][32]byte, 1)
		e.randomBytes(secrets[0][:])
	}
	r.keys, r.used, r.wall = protect.NewTokenKeys(secrets), cfg.UsedTokens, cfg.WallTime
	if r.used == nil {
		r.used = reusable{}
	}
	if r.wall == nil {
		r.wall = func(now monotime.Time) time.Time { return time.Unix(0, int64(now)) }
	}
}

// reusable lets each token be used as often as it comes.
type reusable struct{}

func (reusable) FirstUse([protect.TokenNonceLen]byte, time.Time) bool { return true }

// sealToken appends a token that is made now.
func (e *Endpoint) sealToken(now monotime.Time, b []byte, t *protect.Token) []byte {
	var nonce [protect.TokenNonceLen]byte
	e.randomBytes(nonce[:])
	t.IssuedAt = e.tokens.wall(now)
	return e.tokens.keys.Seal(b, t, &nonce)
}

// retry asks a client to prove its address (RFC 9000, Section 17.2.5).
func (e *Endpoint) retry(now monotime.Time, d *Datagram, h *wire.LongHeader) {
	out := e.answers.next(answerRetry)
	if out == nil {
		return
	}
	var addr [maxTokenAddr]byte
	token := e.sealToken(now, nil, &protect.Token{
		Retry: true, Version: h.Version, Address: tokenAddress(&addr, d.Path.Remote, true), OriginalDstID: h.DstID,
	})
	id := e.randomRetryID()
	out = wire.AppendRetry(out, h.Version, &h.SrcID, &id, token)
	tag := protect.RetryTag(h.Version, &h.DstID, out)
	e.answers.push(answerRetry, d.Path, append(out, tag[:]...))
	e.stats.RetriesSent++
}

// proof is what a client's token says.
type proof struct {
	verdict       tokenVerdict
	originalDstID wire.ConnectionID // of the client's first packet, if tokenOfRetry
}

// valid reports whether the client has proved its address.
func (p *proof) valid() bool { return p.verdict == tokenOfRetry || p.verdict == tokenOfBefore }

// tokenVerdict says what a token is worth.
type tokenVerdict uint8

const (
	noToken       tokenVerdict = iota
	tokenInvalid               // not of this server or client, too old or used before: as good as none
	tokenBadRetry              // the same, but of a Retry packet
	tokenOfRetry               // valid, of a Retry packet
	tokenOfBefore              // valid, of a NEW_TOKEN frame of a connection before
)

// openToken checks the token of a packet. Tokens belong to a version (RFC 9369, Sections
// 4.1 and 5).
func (e *Endpoint) openToken(now monotime.Time, h *wire.LongHeader, from netip.AddrPort) proof {
	if len(h.Token) == 0 {
		return proof{verdict: noToken}
	}
	var t protect.Token
	if e.tokens.keys.Open(h.Token, &t) != nil {
		if protect.LooksLikeRetryToken(h.Token) {
			return proof{verdict: tokenBadRetry}
		}
		return proof{verdict: tokenInvalid}
	}
	var addr [maxTokenAddr]byte
	lifetime := newTokenLifetime
	if t.Retry {
		lifetime = retryTokenLifetime
	}
	age := e.tokens.wall(now).Sub(t.IssuedAt)
	good := age <= lifetime && age >= -maxClockSkew && t.Version == h.Version &&
		string(t.Address) == string(tokenAddress(&addr, from, t.Retry))
	switch {
	case t.Retry && good:
		return proof{verdict: tokenOfRetry, originalDstID: t.OriginalDstID}
	case t.Retry:
		return proof{verdict: tokenBadRetry}
	case good && e.tokens.used.FirstUse(protect.TokenNonce(h.Token), t.IssuedAt):
		e.stats.TokensAccepted++
		return proof{verdict: tokenOfBefore}
	}
	return proof{verdict: tokenInvalid}
}

const maxTokenAddr = 16 + 2

// tokenAddress encodes an address, with the port for tokens that are used at once: later it
// is another one in most cases (RFC 9000, Section 8.1.3).
func tokenAddress(buf *[maxTokenAddr]byte, a netip.AddrPort, port bool) []byte {
	ip := a.Addr().As16()
	n := copy(buf[:], ip[:])
	if port {
		binary.BigEndian.PutUint16(buf[n:], a.Port())
		n += 2
	}
	return buf[:n]
}
