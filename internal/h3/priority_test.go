package h3

import (
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// priorityUpdate is a PRIORITY_UPDATE frame of a request.
func priorityUpdate(id uint64, value string) []byte {
	return frame(FramePriorityUpdate, append(wire.AppendVarint(nil, id), value...)...)
}

func TestParsePriority(t *testing.T) {
	for value, want := range map[string]Priority{
		"":                      {3, false},
		"u=0":                   {0, false},
		"u=7, i":                {7, true},
		"i,u=5":                 {5, true},
		"i=?1":                  {3, true},
		"i, i=?0":               {3, false}, // the last counts
		"u=2, u=4":              {4, false},
		"u=8":                   {3, false},
		"u=-1":                  {3, false},
		"u=1.5":                 {3, false},
		"u":                     {3, false},
		"i=1":                   {3, false},
		"U=1, I":                {3, false}, // keys are lowercase
		"u=1;x=\"y\", i;z":      {1, true},
		"something=else,u=1,,=": {1, false},
		"\tu=6 , i ":            {6, true},
	} {
		if got := ParsePriority(value); got != want {
			t.Errorf("%q is %+v, want %+v", value, got, want)
		}
	}
}

// TestPriorityUpdates keeps the last for each request until it is taken.
func TestPriorityUpdates(t *testing.T) {
	c := newState(wire.ServerSide, Settings{})
	stream := join(noSettings, priorityUpdate(0, "u=1"), priorityUpdate(8, "i"), priorityUpdate(0, "u=2"))
	var u peerStream
	if err := inPieces(stream, 3, func(b []byte) error { _, err := c.HandleUni(1, &u, b); return err }); err != nil {
		t.Fatal(err)
	}
	var got []PriorityUpdate
	c.TakeUpdates(func(u PriorityUpdate) bool { got = append(got, u); return u.StreamID == 8 })
	if want := []PriorityUpdate{{0, Priority{1, false}}, {8, Priority{3, true}}, {0, Priority{2, false}}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	c.TakeUpdates(func(u PriorityUpdate) bool { t.Errorf("%v once more", u); return true })
	if p, ok := c.TakePriority(8); ok {
		t.Errorf("%v is kept of a request that has it", p)
	}
	if p, ok := c.TakePriority(0); !ok || p != (Priority{2, false}) {
		t.Errorf("%v, %v is kept of a request that has not begun", p, ok)
	}
	if p, ok := c.TakePriority(0); ok {
		t.Errorf("%v is kept for good", p)
	}
}

// TestPriorityCost: what is known of requests to come is looked at when they come, and
// by nothing else that the peer sends.
func TestPriorityCost(t *testing.T) {
	h := newFake(serverConf())
	control := h.feed(2, noSettings, false)
	h.unknown = true
	for i := range uint64(maxPriorityUpdates) {
		control.feed(priorityUpdate(4000+4*i, "u=1"), false)
	}
	looked := h.priorities
	for i := range uint64(100) {
		h.feed(6+4*i, []byte{0x40}, false).fail() // half of a stream's type
		control.feed([]byte{0x21}, false)
		control.feed([]byte{0}, false)
		h.feed(4*i, headers(getFields), true)
	}
	if h.priorities != looked {
		t.Errorf("%d looks at priorities for 400 pieces that say nothing of them", h.priorities-looked)
	}
	h.feed(4000, headers(getFields), true)
	if h.priorities != looked+1 {
		t.Errorf("%d looks for a request with a priority", h.priorities-looked)
	}
}

// TestPriorityFlood names very many requests that never come.
func TestPriorityFlood(t *testing.T) {
	c := newState(wire.ServerSide, Settings{})
	var u peerStream
	if _, err := c.HandleUni(1, &u, noSettings); err != nil {
		t.Fatal(err)
	}
	var err error
	sent := uint64(0)
	for ; err == nil && sent < 10*churnBurst; sent++ {
		_, err = c.HandleUni(1, &u, priorityUpdate(4*sent, "u=1"))
		c.TakeUpdates(func(PriorityUpdate) bool { return false })
	}
	wantCode(t, "flood", err, ExcessiveLoad, true)
	if len(c.priorities) != maxPriorityUpdates {
		t.Errorf("%d are kept", len(c.priorities))
	}
}

func FuzzParsePriority(f *testing.F) {
	f.Add("u=1, i")
	f.Add("i=?0;a,u=9")
	f.Fuzz(func(t *testing.T, value string) {
		if p := ParsePriority(value); p.Urgency > 7 {
			t.Errorf("%q is %+v", value, p)
		}
	})
}
