package demo

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/webtransport"
)

const (
	// maxMessage is the longest message of the chat that comes by a stream, in
	// bytes.
	maxMessage = 64 << 10
	// maxSending is how many messages may be on their way to one session by
	// streams; a session that does not read misses the rest.
	maxSending = 32
	// deliveryTime is how long one may be on its way.
	deliveryTime = 10 * time.Second
	// maxMembers bounds the sessions that take part, as each message is copied to
	// all others.
	maxMembers = 100
	// codeFull is the code with which a session is closed that finds no room.
	codeFull = 1
)

// room is a chat: what one session sends every other receives, datagrams as
// datagrams and streams as unidirectional streams.
type room struct {
	mu      sync.Mutex
	members map[*member]struct{}
}

// member is a session in a room.
type member struct {
	session *webtransport.Session
	sending chan struct{} // has room for maxSending
}

// serve lets a session take part until it ends.
func (c *room) serve(s *webtransport.Session) {
	m := &member{s, make(chan struct{}, maxSending)}
	if !c.join(m) {
		_ = s.CloseWithError(codeFull, "the chat is full")
		return
	}
	defer func() {
		c.mu.Lock()
		delete(c.members, m)
		c.mu.Unlock()
	}()
	go c.relayDatagrams(m)
	go c.relayUniStreams(m)
	for {
		st, err := s.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			c.relayStream(m, &st.ReceiveStream)
			_ = st.Close()
		}()
	}
}

// join adds a member unless there are too many.
func (c *room) join(m *member) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.members) >= maxMembers {
		return false
	}
	if c.members == nil {
		c.members = make(map[*member]struct{})
	}
	c.members[m] = struct{}{}
	return true
}

func (c *room) relayDatagrams(from *member) {
	for {
		p, err := from.session.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		for _, m := range c.others(from) {
			_ = m.session.SendDatagram(p) // lost, as datagrams may be
		}
	}
}

func (c *room) relayUniStreams(from *member) {
	for {
		st, err := from.session.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		go c.relayStream(from, st)
	}
}

// relayStream sends the content of a stream to all others when it is complete.
func (c *room) relayStream(from *member, st *webtransport.ReceiveStream) {
	message, err := io.ReadAll(io.LimitReader(onlyReader{st}, maxMessage+1))
	if err != nil || len(message) > maxMessage {
		st.CancelRead(0)
		return
	}
	for _, m := range c.others(from) {
		select {
		case m.sending <- struct{}{}:
			go m.deliver(message)
		default:
		}
	}
}

// deliver sends a message by a stream of its own.
func (m *member) deliver(message []byte) {
	defer func() { <-m.sending }()
	ctx, cancel := context.WithTimeout(m.session.Context(), deliveryTime)
	defer cancel()
	st, err := m.session.OpenUniStream(ctx)
	if err != nil {
		return
	}
	_ = st.SetWriteDeadline(time.Now().Add(deliveryTime))
	if _, err := st.Write(message); err != nil {
		st.CancelWrite(0)
		return
	}
	_ = st.Close()
}

func (c *room) others(from *member) []*member {
	c.mu.Lock()
	defer c.mu.Unlock()
	others := make([]*member, 0, len(c.members))
	for m := range c.members {
		if m != from {
			others = append(others, m)
		}
	}
	return others
}
