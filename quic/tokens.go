package quic

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"crypto/tls"
	"hash/maphash"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TokenStore keeps the tokens that servers give to clients, by which a client proves with
// its first packet that it is at its address (RFC 9000, Section 8.1.3): so a server that is
// asked for many handshakes does not ask for another proof, which costs a round trip, serves
// the client before others, and sends all that it has to at once. A token says that the
// client was there before, to the server only; whoever does not want that has a store
// of its own for each identity. It may be called by many goroutines at once, and may take
// long: Dial waits for Take while its context lasts, and nobody for Put.
type TokenStore interface {
	// Put keeps a token of a server. server is any text; token, of 512 bytes at most, is
	// the store's.
	Put(server string, token []byte)
	// Take returns a token of a server, the newest if it can, and forgets it, as each is
	// for one connection. It is nil if there is none.
	Take(server string) (token []byte)
}

// Bounds of the stores that are made where none is given.
const (
	defaultTokenServers = 256
	defaultTokensEach   = 4
)

// NewTokenStore returns a TokenStore in memory, for so many servers, of which those used
// last are kept, and so many tokens of each, the newest. Zero stands for 256 and 4.
func NewTokenStore(servers, each int) TokenStore {
	if servers <= 0 {
		servers = defaultTokenServers
	}
	if each <= 0 {
		each = defaultTokensEach
	}
	return &memoryTokens{servers: servers, each: each, by: make(map[string]*list.Element)}
}

// memoryTokens is a TokenStore that does not make anybody wait.
type memoryTokens struct {
	servers, each int

	mu sync.Mutex
	by map[string]*list.Element
	// used has *serverTokens, of the server used last in front.
	used list.List
}

// serverTokens are those of a server, the newest last. There is one at least.
type serverTokens struct {
	server string
	tokens [][]byte
}

// Put implements TokenStore.
func (m *memoryTokens) Put(server string, token []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.by[server]
	if e == nil {
		if m.used.Len() == m.servers {
			oldest := m.used.Remove(m.used.Back()).(*serverTokens)
			delete(m.by, oldest.server)
		}
		e = m.used.PushFront(&serverTokens{server: server})
		m.by[server] = e
	}
	m.used.MoveToFront(e)
	s := e.Value.(*serverTokens)
	if len(s.tokens) == m.each {
		s.tokens = append(s.tokens[:0], s.tokens[1:]...)
	}
	s.tokens = append(s.tokens, token)
}

// Take implements TokenStore.
func (m *memoryTokens) Take(server string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.by[server]
	if e == nil {
		return nil
	}
	m.used.MoveToFront(e)
	s := e.Value.(*serverTokens)
	last := len(s.tokens) - 1
	token := s.tokens[last]
	s.tokens[last] = nil
	if s.tokens = s.tokens[:last]; last == 0 {
		m.used.Remove(e)
		delete(m.by, server)
	}
	return token
}

// serverOf is the text by which a TokenStore knows a server. Tokens belong to a version
// (RFC 9369, Section 5).
func serverOf(name string, port uint16, v wire.Version) string {
	return net.JoinHostPort(strings.ToLower(name), strconv.Itoa(int(port))) + " " + v.String()
}

// keepTokens has tokens kept that the connections of a Dial get, and returns a function that
// returns one for them, nil if there is none. What is kept for as long as the connection
// lives is little.
func (t *Transport) keepTokens(conf *Config, e *engine.Config, tlsConf *tls.Config, host string, remotes []netip.AddrPort) (take func(context.Context) ([]byte, error)) {
	store := conf.TokenStore
	if store == nil {
		store = t.tokens
	}
	if store == nil || len(remotes) == 0 {
		return func(context.Context) ([]byte, error) { return nil, nil }
	}
	name, port := cmp.Or(tlsConf.ServerName, host), remotes[0].Port()
	m, inMemory := store.(*memoryTokens)
	k := &tokenKeeper{store: store, name: name, port: port}
	if !inMemory {
		k.store = &tokenQueue{store: store}
	}
	e.KeepToken = k.keep
	return func(ctx context.Context) ([]byte, error) {
		server := serverOf(name, port, e.OriginalVersion)
		if inMemory {
			return m.Take(server), nil
		}
		return takeToken(ctx, store, server)
	}
}

// takeToken takes a token out of a store that may take long, for as long as ctx lasts.
func takeToken(ctx context.Context, store TokenStore, server string) ([]byte, error) {
	taken := make(chan []byte, 1)
	go func() { taken <- store.Take(server) }()
	select {
	case token := <-taken:
		return token, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tokenKeeper keeps the tokens that a server gives to the connections of a Dial. It lives as
// long as they do.
type tokenKeeper struct {
	store interface {
		Put(server string, token []byte)
	}
	name string // of the server
	port uint16

	// What came last, by a hash; a connection gets one token or two. A server may send a token
	// again which it takes for lost, and two connections with it could be linked by whoever
	// sees both (RFC 9000, Section 19.7).
	next uint8
	mu   sync.Mutex // several addresses may be tried, on several loops
	last [4]uint32
}

var tokenSeed = maphash.MakeSeed()

// keep implements engine.Config's KeepToken.
func (k *tokenKeeper) keep(v wire.Version, token []byte) {
	if k.first(token) {
		k.store.Put(serverOf(k.name, k.port, v), bytes.Clone(token))
	}
}

// first reports whether a token has not been seen.
func (k *tokenKeeper) first(token []byte) bool {
	hash := uint32(maphash.Bytes(tokenSeed, token)) | 1 // which no empty place has
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.Contains(k.last[:], hash) {
		return false
	}
	k.last[k.next%uint8(len(k.last))] = hash
	k.next++
	return true
}

// tokenQueue puts tokens into a store that may take long.
type tokenQueue struct {
	store TokenStore

	mu      sync.Mutex
	waiting []waitingToken // the oldest first
	putting bool           // a goroutine does
}

type waitingToken struct {
	server string
	token  []byte
}

// maxWaitingTokens bounds what waits for a store: a connection gets one token or two,
// whatever a server sends.
const maxWaitingTokens = 4

// Put has a token kept, without waiting for that.
func (q *tokenQueue) Put(server string, token []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == maxWaitingTokens {
		q.waiting = q.waiting[1:]
	}
	q.waiting = append(q.waiting, waitingToken{server, token})
	if !q.putting {
		q.putting = true
		go q.putWaiting()
	}
}

// putWaiting puts what waits into the store.
func (q *tokenQueue) putWaiting() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.waiting, q.putting = nil, false
			q.mu.Unlock()
			return
		}
		w := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		q.store.Put(w.server, w.token)
	}
}
