package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// kind is a kind of client. Clients come each period, as long as no more than atOnce
// are at work.
type kind struct {
	name   string
	every  time.Duration
	atOnce int
	// honest clients must succeed.
	honest bool
	// within is how long a client may take.
	within time.Duration
	do     func(ctx context.Context, l *load, c *client) error
}

// kinds are all that come at the same time. Together they keep a machine of two
// processors about half busy, and of what a client holds at the server none comes near
// a limit.
var kinds = []kind{
	{"hello", 50 * time.Millisecond, 100, true, patience, hello},
	{"new", 100 * time.Millisecond, 100, true, patience, newClient},
	{"get", 150 * time.Millisecond, 8, true, longPatience, download},
	{"post", 300 * time.Millisecond, 4, true, longPatience, upload},
	{"talk", 500 * time.Millisecond, 10, true, longPatience, talk},
	{"slow", 4 * time.Second, 10, true, longPatience, readSlowly},
	{"move", 2 * time.Second, 4, true, longPatience, move},
	{"wt", 250 * time.Millisecond, 10, true, patience, session},
	{"datagrams", time.Second, 10, true, longPatience, tunnel},
	{"cancel", 200 * time.Millisecond, 20, true, patience, cancelled},
	{"vanish", 300 * time.Millisecond, 20, true, patience, vanish},
	{"attack", 5 * time.Second, 1, false, longPatience, attackInTurn},
}

const (
	// patience is how long a client waits for something small while others
	// attack, and longPatience for something large.
	patience     = 15 * time.Second
	longPatience = 2 * time.Minute
	// maxSize is the most that a client sends or gets.
	maxSize = 64 << 20
)

// load is all clients.
type load struct {
	addr   string
	server netip.AddrPort
	report *reporter
	block  []byte // what content of /bytes/{n} repeats
	row    int    // the next attack
}

// client is what clients of a kind share, in one phase.
type client struct {
	addr      string // of the server
	socket    *quic.Transport
	transport *http3.Transport
}

// blockSize is after how many bytes content of /bytes/{n} repeats.
const blockSize = 1<<18 - 5

func newLoad(ctx context.Context, addr string, r *reporter) (*load, error) {
	l := &load{addr: addr, report: r}
	var err error
	if l.server, err = netip.ParseAddrPort(addr); err != nil {
		return nil, err
	}
	c, err := newClientAt(addr, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	defer c.close()
	resp, err := c.send(ctx, http.MethodGet, fmt.Sprintf("/bytes/%d", blockSize), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	l.block, err = io.ReadAll(resp.Body)
	return l, err
}

// newClientAt returns a client at an address of loopback, for a server or what leads
// to it.
func newClientAt(server, local string) (*client, error) {
	socket, err := quic.NewTransport(local+":0", nil)
	if err != nil {
		return nil, err
	}
	return &client{server, socket, &http3.Transport{
		QUICTransport: socket, TLSClientConfig: tlsConfig, EnableDatagrams: true, DisableCompression: true,
	}}, nil
}

// tlsConfig accepts the certificate that the server made for itself.
var tlsConfig = &tls.Config{InsecureSkipVerify: true}

func (c *client) close() {
	_ = c.transport.Close() // nobody waits for what it might have to say
	_ = c.socket.Close()
}

// run has clients come for as long as d, and waits until they are gone.
func (l *load) run(ctx context.Context, d time.Duration) {
	until, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var all sync.WaitGroup
	for i := range kinds {
		all.Go(func() { l.come(ctx, until, &kinds[i], fmt.Sprintf("127.0.0.%d", i+2)) })
	}
	all.Wait()
}

// come has the clients of a kind come.
func (l *load) come(ctx, until context.Context, k *kind, addr string) {
	c, err := newClientAt(l.addr, addr)
	if err != nil {
		l.report.add(k.name, k.honest, err)
		return
	}
	defer c.close()
	var working sync.WaitGroup
	defer working.Wait() // before the close
	room := make(chan struct{}, k.atOnce)
	tick := time.NewTicker(k.every)
	defer tick.Stop()
	for {
		select {
		case <-until.Done():
			return
		case <-tick.C:
		}
		select {
		case room <- struct{}{}:
		default:
			continue // there are enough
		}
		working.Go(func() {
			l.serve(ctx, k, c)
			<-room
		})
	}
}

// serve has one client do its work.
func (l *load) serve(ctx context.Context, k *kind, c *client) {
	limited, cancel := context.WithTimeoutCause(ctx, k.within, fmt.Errorf("not done in %v", k.within))
	defer cancel()
	err := k.do(limited, l, c)
	for rejected(err) && sleep(limited, rejectedFor) {
		l.report.add("rejected", false, nil)
		err = k.do(limited, l, c)
	}
	if ctx.Err() != nil {
		return // everything ends
	}
	if cause := context.Cause(limited); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	l.report.add(k.name, k.honest, err)
}

// rejectedFor is how long a client waits whose request was rejected.
const rejectedFor = time.Second

// rejected reports whether the server has turned a request away for want of room, which
// then may be sent again (RFC 9114, Section 4.1.1). That is no failure as long as the client
// gets its answer in time.
func rejected(err error) bool {
	var e *http3.Error
	return errors.As(err, &e) && e.Remote && !e.WholeConn && e.Code == http3.ErrCodeRequestRejected
}

// size returns a number of bytes: as many below 1 KB as from 1 KB to 1 MB or from
// there to the most, and sometimes none.
func size(most int) int {
	return int(math.Exp(rand.Float64()*math.Log(float64(most)+1))) - 1
}
