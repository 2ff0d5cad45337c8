package http3

import (
	"strconv"
	"testing"
	"time"
)

func TestAltSvcCache(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	c := &AltSvcCache{clock: func() time.Time { return now }}
	const origin = "a.example:443"
	want := func(what, addr string, ok bool) {
		t.Helper()
		if got, gotOK := c.Lookup(origin); got != addr || gotOK != ok {
			t.Errorf("%s: %q, %v, want %q, %v", what, got, gotOK, addr, ok)
		}
	}
	want("nothing learned", "", false)
	c.Learn(origin, `h3=":8443"; ma=100`)
	want("own host", "a.example:8443", true)
	c.Learn(origin, `h3="b.example:1"; ma=100`)
	want("other host", "b.example:1", true)
	c.Learn(origin, "nonsense")
	want("after nonsense", "b.example:1", true)
	now = now.Add(101 * time.Second)
	want("too old", "", false)

	c.Learn(origin, `h3=":1"; ma=100000`)
	c.failed(origin, errHeadStart)
	c.failed(origin, errHeadStart) // of another request at the same time
	want("failed", "a.example:1", false)
	now = now.Add(brokenMin)
	want("after a while", "a.example:1", true)
	c.failed(origin, errHeadStart)
	now = now.Add(brokenMin)
	want("failed again", "a.example:1", false)
	now = now.Add(brokenMin)
	want("after a longer while", "a.example:1", true)
	c.worked(origin)
	c.failed(origin, errHeadStart)
	now = now.Add(brokenMin)
	want("the first failure after success", "a.example:1", true)
	c.failed(origin, errHeadStart)
	c.Learn(origin, `h3=":1"`)
	want("learned again what has failed", "a.example:1", false)
	c.Learn(origin, `h3=":2"`)
	want("learned something else", "a.example:2", true)
	c.Learn(origin, "clear")
	want("cleared", "", false)
	c.Learn(origin, `h3=":3"; ma=0`)
	want("good for no time", "", false)
	c.failed(origin, errHeadStart)
	c.worked(origin)
	want("of nothing", "", false)
}

// TestAltSvcCacheBound learns of more origins than are remembered.
func TestAltSvcCacheBound(t *testing.T) {
	var c AltSvcCache
	for i := range 3 * maxAltSvcOrigins {
		c.Learn("host"+strconv.Itoa(i)+":443", `h3=":443"`)
	}
	if len(c.origins) != maxAltSvcOrigins {
		t.Errorf("%d origins", len(c.origins))
	}
	if _, ok := c.Lookup("host" + strconv.Itoa(3*maxAltSvcOrigins-1) + ":443"); !ok {
		t.Error("the last one is forgotten")
	}
}
