package http3

import (
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// maxAltSvcOrigins bounds the origins a cache remembers; with more, any of
	// them is forgotten.
	maxAltSvcOrigins = 1000

	// brokenMin and brokenMax are how long an alternative that did not answer is
	// left alone: the first time, and after many times.
	brokenMin = time.Minute
	brokenMax = 2 * time.Hour
)

// AltSvcCache remembers which origins have said, in Alt-Svc (RFC 7838), that
// HTTP/3 is available, and where it was not after all: of 1000 origins, with more it forgets
// some. The zero value is empty. Any goroutine may use it, and several Upgraders may share it.
type AltSvcCache struct {
	mu      sync.Mutex
	origins map[string]*altSvcEntry // by "host:port"
	clock   func() time.Time        // tests have their own; nil for time.Now
}

// altSvcEntry is what is known of one origin.
type altSvcEntry struct {
	addr    string    // host:port
	expires time.Time // when addr is no longer believed

	brokenUntil time.Time
	failures    int   // in a row
	cause       error // of the last
}

func (c *AltSvcCache) now() time.Time {
	if c.clock != nil {
		return c.clock()
	}
	return time.Now()
}

// Learn takes note of an Alt-Svc field of an https origin, "host:port". An Upgrader does
// that with each response; a program can do it beforehand, to begin with HTTP/3 where it
// knows it to be. The field must have come over TLS: another could have been forged
// (RFC 7838, Section 2.1). One that cannot be read is left alone.
func (c *AltSvcCache) Learn(origin, value string) {
	alt, found, clear := parseAltSvc(value)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case clear || (found && alt.age == 0):
		delete(c.origins, origin)
	case found:
		host, port, err := net.SplitHostPort(alt.addr)
		if err == nil && host == "" {
			host, _, err = net.SplitHostPort(origin)
		}
		if err != nil {
			return
		}
		e := c.entry(origin)
		if addr := net.JoinHostPort(host, port); addr != e.addr {
			*e = altSvcEntry{addr: addr}
		}
		e.expires = c.now().Add(alt.age)
	}
}

// entry returns the entry of an origin, made if there is none. The lock is held.
func (c *AltSvcCache) entry(origin string) *altSvcEntry {
	e := c.origins[origin]
	if e != nil {
		return e
	}
	if c.origins == nil {
		c.origins = make(map[string]*altSvcEntry)
	}
	for other := range c.origins {
		if len(c.origins) < maxAltSvcOrigins {
			break
		}
		delete(c.origins, other)
	}
	e = new(altSvcEntry)
	c.origins[origin] = e
	return e
}

// Lookup returns the address, "host:port", at which an https origin, "host:port", has HTTP/3.
// It reports false when nothing is known (the address is empty), or HTTP/3 has failed there
// and is left alone: for a minute after the first failure, twice as long after each further
// one, two hours at most.
func (c *AltSvcCache) Lookup(origin string) (addr string, ok bool) {
	addr, why := c.lookup(origin)
	return addr, why == nil
}

// lookup is Lookup that says why not.
func (c *AltSvcCache) lookup(origin string) (addr string, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.origins[origin]
	now := c.now()
	if e != nil && now.After(e.expires) {
		delete(c.origins, origin)
		e = nil
	}
	switch {
	case e == nil || e.addr == "":
		return "", errNoAltSvc
	case now.Before(e.brokenUntil):
		return e.addr, fmt.Errorf("http3: left alone until %s, as it has failed at %s: %w", e.brokenUntil.Format(time.TimeOnly), e.addr, e.cause)
	}
	return e.addr, nil
}

// failed takes note that HTTP/3 did not work for an origin: it is left alone for
// a while, each time for longer.
func (c *AltSvcCache) failed(origin string, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.origins[origin]; e != nil && !c.now().Before(e.brokenUntil) { // not yet told by another request
		wait := brokenMax
		if e.failures < 10 {
			wait = min(brokenMin<<e.failures, brokenMax)
		}
		e.failures++
		e.cause = cause
		e.brokenUntil = c.now().Add(wait)
	}
}

// worked takes note that HTTP/3 has worked for an origin.
func (c *AltSvcCache) worked(origin string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.origins[origin]; e != nil {
		e.failures, e.cause, e.brokenUntil = 0, nil, time.Time{}
	}
}
