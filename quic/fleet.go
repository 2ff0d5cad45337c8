package quic

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// FleetKeys are secrets that servers share which clients take for one: from each come keys
// for stateless resets, for address validation tokens, those of Retry packets among them, and
// for session tickets. So what one server has given to a client the others know, and so
// does the server itself after a restart. They do not change, and may be shared.
//
// Who can have a packet of somebody else's connection come to a server that does not know
// it learns from the answer how to end that connection (RFC 9000, Section 21.11). So either
// one Transport has these keys at a time, beside those before it that it has its sockets
// from, or TransportConfig.ConnectionIDs say the server, as those of package quiclb do: there
// is no answer then to packets of other servers' connections.
//
// The first secret is the newest: new tokens and tickets are made with it, and those made with
// any of the others are accepted. So a secret is exchanged without a client that notices by
// giving all servers the new one as the last first, then as the first, and by taking the old
// one away when what was made with it is over: a day for tokens, a week for tickets.
type FleetKeys struct {
	resets, tokens, tickets [][32]byte
}

const (
	// minFleetSecret is enough bytes not to be guessed, and maxFleetSecrets how many secrets
	// there may be: each costs whoever opens an invented token one attempt.
	minFleetSecret, maxFleetSecrets = 32, 8
	// maxFleetSecret is the longest secret, in bytes: more would be a mistake.
	maxFleetSecret = 1024
)

// NewFleetKeys returns the FleetKeys for secrets, the newest first: one to eight, of 32
// random bytes or more.
func NewFleetKeys(secrets ...[]byte) (*FleetKeys, error) {
	if len(secrets) == 0 || len(secrets) > maxFleetSecrets {
		return nil, fmt.Errorf("quic: FleetKeys of %d secrets, not 1 to %d", len(secrets), maxFleetSecrets)
	}
	k := new(FleetKeys)
	for i, s := range secrets {
		if len(s) < minFleetSecret || len(s) > maxFleetSecret {
			return nil, fmt.Errorf("quic: FleetKeys: secret %d has %d bytes, not %d to %d", i+1, len(s), minFleetSecret, maxFleetSecret)
		}
		for j := range i {
			if bytes.Equal(s, secrets[j]) {
				return nil, fmt.Errorf("quic: FleetKeys: secrets %d and %d are the same", j+1, i+1)
			}
		}
		k.resets = append(k.resets, fleetKey(s, "stateless reset"))
		k.tokens = append(k.tokens, fleetKey(s, "address validation token"))
		k.tickets = append(k.tickets, fleetKey(s, "session ticket"))
	}
	return k, nil
}

// fleetKey derives the key of a purpose with HKDF-SHA256 (RFC 5869), without a salt. What is
// there must not change: servers of all versions share it.
func fleetKey(secret []byte, purpose string) (key [32]byte) {
	b, err := hkdf.Key(sha256.New, secret, nil, "godwit fleet 1: "+purpose, len(key))
	if err != nil {
		panic("quic: " + err.Error()) // its length is right
	}
	return [32]byte(b)
}

// ParseFleetKeys reads FleetKeys from text: a secret a line, the newest first, in hexadecimal
// digits, 64 or more. Empty lines are left out, and so is what follows a #.
func ParseFleetKeys(text []byte) (*FleetKeys, error) {
	var secrets [][]byte
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line, _, _ = bytes.Cut(line, []byte("#"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		secret := make([]byte, hex.DecodedLen(len(line)))
		if _, err := hex.Decode(secret, line); err != nil { // which the error does not show
			return nil, fmt.Errorf("quic: FleetKeys: line %d is not a secret in pairs of hexadecimal digits", n)
		}
		if secrets = append(secrets, secret); len(secrets) > maxFleetSecrets {
			return nil, fmt.Errorf("quic: FleetKeys: more than %d secrets", maxFleetSecrets)
		}
	}
	if len(secrets) == 0 {
		return nil, errors.New("quic: FleetKeys: there is no secret")
	}
	return NewFleetKeys(secrets...)
}

// SessionTicketKeys returns what to give to tls.Config.SetSessionTicketKeys, before the
// tls.Config is used, so that clients resume sessions with any of the servers. Servers that
// accept early data (Config.Allow0RTT) share a ReplayGuard then, or accept it only with
// tickets of their own.
func (k *FleetKeys) SessionTicketKeys() [][32]byte { return slices.Clone(k.tickets) }

// withOlder returns keys, and others behind them that are not among them, as many as there may
// be.
func withOlder(keys, others [][32]byte) [][32]byte {
	keys = slices.Clone(keys)
	for _, k := range others {
		if len(keys) < maxFleetSecrets && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
