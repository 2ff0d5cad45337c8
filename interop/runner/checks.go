package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/interop/runner/network"
	"github.com/godwit-quic/godwit/interop/runner/trace"
)

// evidence is what is known of a case that ran, beyond that its files arrived whole.
type evidence struct {
	*trace.Trace
	log     []network.Datagram
	network network.Scenario
	ours    bool // the server is
}

// packets returns those of a type and direction.
func (e *evidence) packets(t wire.PacketType, fromClient bool) (list []*trace.Packet) {
	for i := range e.Packets {
		if p := &e.Packets[i]; p.Type == t && p.FromClient == fromClient {
			list = append(list, p)
		}
	}
	return list
}

// handshakes counts connections as the runner does: by the IDs that the server chooses.
func (e *evidence) handshakes() int {
	seen := make(map[wire.ConnectionID]bool)
	for _, p := range e.packets(wire.InitialPacket, false) {
		seen[p.Src] = true
	}
	return len(seen)
}

func (e *evidence) wantHandshakes(n int) error {
	if got := e.handshakes(); got != n {
		return fmt.Errorf("%d handshakes, want %d", got, n)
	}
	return nil
}

// wantOpen fails if no 1-RTT packet could be opened, because of which a check would see
// nothing.
func (e *evidence) wantOpen() error {
	for i := range e.Packets {
		if e.Packets[i].Type == wire.OneRTTPacket && e.Packets[i].Open {
			return nil
		}
	}
	return errors.New("neither side has logged its keys, without which the case cannot be judged")
}

// checkOne wants one connection of version 1.
func checkOne(e *evidence) error {
	if err := e.wantHandshakes(1); err != nil {
		return err
	}
	return e.wantVersion1()
}

func (e *evidence) wantVersion1() error {
	for _, p := range e.packets(wire.InitialPacket, false) {
		if p.Version != wire.Version1 {
			return fmt.Errorf("the server uses %v", p.Version)
		}
	}
	return nil
}

func checkHandshake(e *evidence) error {
	if len(e.packets(wire.RetryPacket, false)) > 0 {
		return errors.New("the server has sent a Retry packet")
	}
	return checkOne(e)
}

func checkHandshakes(n int) func(*evidence) error {
	return func(e *evidence) error {
		if err := e.wantHandshakes(n); err != nil {
			return err
		}
		return e.wantVersion1()
	}
}

// checkLongRTT wants the ClientHello sent again: it takes longer than the first probe
// timeout for an answer to come (RFC 9002, Section 6.2.2).
func checkLongRTT(e *evidence) error {
	const again = 500 * time.Millisecond
	var first, last time.Time
	for _, p := range e.packets(wire.InitialPacket, true) {
		if p.Frames.CryptoEnd == 0 {
			continue
		}
		if first.IsZero() {
			first = p.Time
		}
		last = p.Time
	}
	if last.Sub(first) < again {
		return errors.New("the client has sent its ClientHello once")
	}
	return checkOne(e)
}

func checkChaCha20(e *evidence) error {
	const chacha20 = 0x1303
	for _, c := range e.Connections {
		if !slices.Equal(c.Offered, []uint16{chacha20}) {
			return fmt.Errorf("the client offers %#x", c.Offered)
		}
	}
	return checkOne(e)
}

func checkMultiplexing(e *evidence) error {
	const mostStreams = 1000
	if err := checkOne(e); err != nil {
		return err
	}
	limit := e.Connections[0].StreamLimit
	switch {
	case limit == nil:
		return errors.New("the server's stream limit could not be read")
	case *limit > mostStreams:
		return fmt.Errorf("the server's stream limit is %d from the start, which shows nothing", *limit)
	}
	return nil
}

func checkRetry(e *evidence) error {
	if err := checkOne(e); err != nil {
		return err
	}
	retries := e.packets(wire.RetryPacket, false)
	if len(retries) == 0 {
		return errors.New("the server has sent no Retry packet")
	}
	highest := wire.NoPacket
	for _, p := range e.packets(wire.InitialPacket, true) {
		switch {
		case len(p.Token) == 0:
			highest = max(highest, p.Number)
		case p.Number <= highest: // RFC 9000, Section 17.2.5.3
			return errors.New("the client has begun with packet numbers anew")
		default:
			for _, r := range retries {
				if slices.Equal(r.Token, p.Token) {
					return nil
				}
			}
		}
	}
	return errors.New("the client has not sent the token of the Retry packet")
}

func checkResumption(e *evidence) error {
	if err := e.wantHandshakes(2); err != nil {
		return err
	}
	if err := e.wantOpen(); err != nil {
		return err
	}
	switch first, second := e.Connections[0], e.Connections[1]; {
	case !first.Certificate:
		return errors.New("no certificate is in the first handshake")
	case second.Certificate:
		return errors.New("the server has sent its certificate in the second handshake, too")
	}
	return e.wantVersion1()
}

const earlyFiles, earlyNameLen = 40, 250

func checkZeroRTT(e *evidence) error {
	if err := e.wantHandshakes(2); err != nil {
		return err
	}
	if len(e.packets(wire.ZeroRTTPacket, true)) == 0 {
		return errors.New("the client has sent no 0-RTT packet")
	}
	size := 0
	for _, p := range e.packets(wire.OneRTTPacket, true) {
		size += p.Size
	}
	if most := earlyFiles * earlyNameLen / 2; size > most {
		return fmt.Errorf("the client has sent %d bytes in 1-RTT packets, more than %d", size, most)
	}
	return e.wantVersion1()
}

// checkBlackhole wants nothing to have come through for as long as the network was dead.
func checkBlackhole(e *evidence) error {
	var last time.Time
	for i := range e.log {
		d := &e.log[i]
		if d.Fate == network.Lost {
			continue
		}
		if !last.IsZero() && d.Time.Sub(last) >= e.network.Off {
			return checkOne(e)
		}
		last = d.Time
	}
	return errors.New("all had come before the network was dead")
}

func checkKeyUpdate(e *evidence) error {
	if err := e.wantOpen(); err != nil {
		return err
	}
	for _, side := range []struct {
		name       string
		fromClient bool
	}{{"client", true}, {"server", false}} {
		if !slices.ContainsFunc(e.packets(wire.OneRTTPacket, side.fromClient), func(p *trace.Packet) bool { return p.KeyPhase }) {
			return fmt.Errorf("the %s has sent no packet of key phase 1", side.name)
		}
	}
	return checkOne(e)
}

func checkECN(e *evidence) error {
	if err := e.wantOpen(); err != nil {
		return err
	}
	const ect0, ect1, ce = 2, 1, 3
	for _, side := range []struct {
		name       string
		fromClient bool
	}{{"client", true}, {"server", false}} {
		marked, counted := false, false
		for i := range e.Packets {
			p := &e.Packets[i]
			if p.FromClient != side.fromClient {
				continue
			}
			marked = marked || p.ECN == ect0 || p.ECN == ect1
			counted = counted || p.Frames.AckECN
			if p.ECN == ce {
				return fmt.Errorf("the %s has marked a packet CE", side.name)
			}
		}
		if !marked {
			return fmt.Errorf("the %s has marked no packet as capable of ECN", side.name)
		}
		if !counted {
			return fmt.Errorf("the %s has acknowledged no ECN", side.name)
		}
	}
	return checkHandshake(e)
}

// checkAmplification wants a server to send at most three times what came from a client
// whose address is not validated (RFC 9000, Section 8.1). Of others it takes four times, as the
// runner does: quic-go looks whether anything may be sent, and not how much.
func checkAmplification(e *evidence) error {
	const leastCrypto = 7500
	factor := 4
	if e.ours {
		factor = 3
	}
	if err := checkOne(e); err != nil {
		return err
	}
	if c := e.Connections[0]; c.CryptoEnd < leastCrypto {
		return fmt.Errorf("the server's handshake has %d bytes, less than %d: are these the certificates?", c.CryptoEnd, leastCrypto)
	}
	validated := time.Time{}
	for _, p := range e.packets(wire.HandshakePacket, true) {
		if p.Fate != network.Lost {
			validated = p.Time.Add(e.network.Delay)
			break
		}
	}
	sent := 0
	for i := range e.log {
		d := &e.log[i]
		if d.FromClient || !validated.IsZero() && d.Time.After(validated) {
			continue
		}
		sent += len(d.Data)
		came := 0
		for j := range e.log {
			if c := &e.log[j]; c.FromClient && c.Fate != network.Lost && !c.Time.Add(e.network.Delay).After(d.Time) {
				came += len(c.Data)
			}
		}
		if sent > factor*came {
			return fmt.Errorf("the server has sent %d bytes when %d had come", sent, came)
		}
	}
	return nil
}

func checkV2(e *evidence) error {
	versions := func(t wire.PacketType, fromClient bool) map[wire.Version]bool {
		seen := make(map[wire.Version]bool)
		for _, p := range e.packets(t, fromClient) {
			seen[p.Version] = true
		}
		return seen
	}
	if v := versions(wire.InitialPacket, true); !v[wire.Version1] {
		return errors.New("the client has not begun with version 1")
	}
	if v := versions(wire.InitialPacket, false); !v[wire.Version2] {
		return errors.New("the server has not changed to version 2")
	}
	for _, fromClient := range []bool{true, false} {
		if v := versions(wire.HandshakePacket, fromClient); len(v) != 1 || !v[wire.Version2] {
			return fmt.Errorf("Handshake packets are of versions %v", v)
		}
	}
	return nil
}

// checkRebinding wants a server to validate each address that the client turns up at, from the
// first packet that it sends there on, and the client to answer one of the challenges, of
// which some may be lost (RFC 9000, Section 9.3). At the last of several the connection may end
// before.
func checkRebinding(e *evidence) error {
	if err := e.wantOpen(); err != nil {
		return err
	}
	var first, last netip.AddrPort
	challenges := make(map[netip.AddrPort][]wire.PathData)
	responses := make(map[wire.PathData]bool)
	for i := range e.Packets {
		p := &e.Packets[i]
		if p.FromClient {
			for _, r := range p.Frames.Responses {
				responses[r] = true
			}
			continue
		}
		if !first.IsValid() {
			first = p.Path
		}
		if _, known := challenges[p.Path]; !known && p.Path != first && len(p.Frames.Challenges) == 0 {
			return errors.New("the server's first packet to another address of the client has no PATH_CHALLENGE")
		}
		challenges[p.Path] = append(challenges[p.Path], p.Frames.Challenges...)
		last = p.Path
	}
	if len(challenges) < 2 {
		return errors.New("the server knows one address of the client's")
	}
	for path, list := range challenges {
		if path == first || path == last && len(challenges) > 2 {
			continue
		}
		if !slices.ContainsFunc(list, func(c wire.PathData) bool { return responses[c] }) {
			return fmt.Errorf("no PATH_CHALLENGE to %v has a PATH_RESPONSE", path)
		}
	}
	return checkOne(e)
}

func checkSession(e *evidence) error { return e.wantHandshakes(1) }
