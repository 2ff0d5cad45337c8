package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

const (
	// oldEvery and newEvery are how often an honest client asks, on a connection
	// that it has and on a new one.
	oldEvery = 50 * time.Millisecond
	newEvery = 200 * time.Millisecond
	// honestPatience is how long it waits for an answer.
	honestPatience = 3 * time.Second
)

// honest is clients that want no more than an answer.
type honest struct {
	url    string
	old    *http3.Transport
	quic   *quic.Transport // of the old connection
	stop   chan struct{}
	asking sync.WaitGroup

	mu     sync.Mutex
	era    int // requests of an earlier one are forgotten
	counts [2]tally
}

// tally is what was measured, for old connections or new ones.
type tally struct {
	took   []time.Duration
	failed int
	err    error // the first
}

// latencies is a tally in short. A request that failed took as long as the client
// waited.
type latencies struct {
	All, Failed       int
	Median, P90, Most time.Duration
	Error             string `json:",omitempty"`
}

func newHonest(addr string) *honest {
	h := &honest{url: "https://" + addr + "/hello", stop: make(chan struct{})}
	h.quic, h.old = h.client("127.0.0.2:0")
	return h
}

// client returns an HTTP client at an address of its own.
func (h *honest) client(addr string) (*quic.Transport, *http3.Transport) {
	t, err := quic.NewTransport(addr, nil)
	if err != nil {
		return nil, nil
	}
	return t, &http3.Transport{QUICTransport: t, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
}

// start begins to ask.
func (h *honest) start() {
	h.every(oldEvery, func(int) { h.ask(0, h.old) })
	h.every(newEvery, func(i int) {
		q, t := h.client(fmt.Sprintf("127.0.3.%d:0", i%250+1))
		h.ask(1, t)
		if t != nil {
			_ = t.Close()
			_ = q.Close()
		}
	})
}

// every calls f in a goroutine of its own each period, until the end.
func (h *honest) every(period time.Duration, f func(i int)) {
	h.asking.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-h.stop:
				return
			case <-tick.C:
				h.asking.Go(func() { f(i) })
			}
		}
	})
}

// ask sends one request.
func (h *honest) ask(kind int, t *http3.Transport) {
	h.mu.Lock()
	era := h.era
	h.mu.Unlock()
	start := time.Now()
	err := errors.New("no socket")
	if t != nil {
		err = h.get(t)
	}
	took := time.Since(start)
	h.mu.Lock()
	defer h.mu.Unlock()
	if era != h.era {
		return
	}
	c := &h.counts[kind]
	c.took = append(c.took, took)
	if err != nil {
		c.failed++
		if c.err == nil {
			c.err = err
		}
	}
}

func (h *honest) get(t *http3.Transport) error {
	ctx, cancel := context.WithTimeout(context.Background(), honestPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url, nil)
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// failures returns how many requests have failed so far.
func (h *honest) failures() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts[0].failed + h.counts[1].failed
}

// forget begins to count anew.
func (h *honest) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.era++
	h.counts = [2]tally{}
}

// end stops asking, waits for the answers under way, and returns what was measured.
func (h *honest) end() (old, fresh latencies) {
	close(h.stop)
	h.asking.Wait()
	return h.counts[0].short(), h.counts[1].short()
}

// close frees the sockets.
func (h *honest) close() {
	select {
	case <-h.stop:
	default:
		h.end()
	}
	if h.old != nil {
		_ = h.old.Close()
		_ = h.quic.Close()
	}
}

func (t *tally) short() latencies {
	l := latencies{All: len(t.took), Failed: t.failed}
	if t.err != nil {
		l.Error = t.err.Error()
	}
	if n := len(t.took); n > 0 {
		slices.Sort(t.took)
		l.Median, l.P90, l.Most = t.took[n/2], t.took[n*9/10], t.took[n-1]
	}
	return l
}

// orElse returns the first error, of l or of the other.
func (l latencies) orElse(other latencies) string {
	if l.Error != "" {
		return l.Error
	}
	return other.Error
}
