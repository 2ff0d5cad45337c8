package h3

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// noSettings is the beginning of a control stream: its type and empty SETTINGS.
var noSettings = []byte{0x00, 0x04, 0x00}

func TestControlStream(t *testing.T) {
	large := append(AppendFrameHeader(nil, FrameSettings, maxSettingsPayload+1), make([]byte, maxSettingsPayload+1)...)
	var many []byte
	for i := range maxSettings + 1 {
		many = wire.AppendVarint(wire.AppendVarint(many, uint64(0x1000+i)), 0)
	}
	for _, tt := range []struct {
		name           string
		stream         []byte
		client, server ErrorCode // of the connection error at this side
	}{
		{"empty SETTINGS", noSettings, 0, 0},
		{"SETTINGS of Chromium", unhex(t, "00 04 18 01 80010000 06 80004000 07 4064 33 01 c0000000b5d9c0fa 00"), 0, 0},
		{"not SETTINGS first", join([]byte{0}, frame(FrameGoAway, 0), noSettings[1:]), MissingSettings, MissingSettings},
		{"reserved frame first", join([]byte{0}, frame(0x21), noSettings[1:]), MissingSettings, MissingSettings},
		{"DATA first", join([]byte{0}, frame(FrameData)), MissingSettings, MissingSettings},
		{"SETTINGS twice", join(noSettings, noSettings[1:]), FrameUnexpected, FrameUnexpected},
		{"setting twice", join([]byte{0}, frame(FrameSettings, 6, 1, 6, 1)), SettingsError, SettingsError},
		{"unknown setting twice", join([]byte{0}, frame(FrameSettings, 0x21, 1, 0x21, 2)), SettingsError, SettingsError},
		{"setting 0x00", join([]byte{0}, frame(FrameSettings, 0, 1)), SettingsError, SettingsError},
		{"setting 0x02", join([]byte{0}, frame(FrameSettings, 2, 1)), SettingsError, SettingsError},
		{"setting 0x03", join([]byte{0}, frame(FrameSettings, 3, 1)), SettingsError, SettingsError},
		{"setting 0x04", join([]byte{0}, frame(FrameSettings, 4, 1)), SettingsError, SettingsError},
		{"setting 0x05", join([]byte{0}, frame(FrameSettings, 5, 1)), SettingsError, SettingsError},
		{"setting without value", join([]byte{0}, frame(FrameSettings, 6)), FrameError, FrameError},
		{"setting cut in its value", join([]byte{0}, frame(FrameSettings, 6, 0x40)), FrameError, FrameError},
		{"setting cut in its identifier", join([]byte{0}, frame(FrameSettings, 0xc0)), FrameError, FrameError},
		{"long SETTINGS", join([]byte{0}, large), ExcessiveLoad, ExcessiveLoad},
		{"many settings", join([]byte{0}, frame(FrameSettings, many...)), ExcessiveLoad, ExcessiveLoad},

		{"unknown frames", join(noSettings, frame(0x21, 1, 2, 3), frame(0x0a), frame(0x3fff)), 0, 0},
		{"DATA", join(noSettings, frame(FrameData, 1)), FrameUnexpected, FrameUnexpected},
		{"HEADERS", join(noSettings, frame(FrameHeaders, 0, 0)), FrameUnexpected, FrameUnexpected},
		{"PUSH_PROMISE", join(noSettings, frame(FramePushPromise, 0, 0, 0)), FrameUnexpected, FrameUnexpected},
		{"frame 0x02 of HTTP/2", join(noSettings, frame(0x02)), FrameUnexpected, FrameUnexpected},
		{"frame 0x06 of HTTP/2", join(noSettings, frame(0x06)), FrameUnexpected, FrameUnexpected},
		{"frame 0x08 of HTTP/2", join(noSettings, frame(0x08)), FrameUnexpected, FrameUnexpected},
		{"frame 0x09 of HTTP/2", join(noSettings, frame(0x09)), FrameUnexpected, FrameUnexpected},

		{"GOAWAY", join(noSettings, frame(FrameGoAway, 8), frame(FrameGoAway, 8), frame(FrameGoAway, 4)), 0, 0},
		{"GOAWAY with larger ID", join(noSettings, frame(FrameGoAway, 4), frame(FrameGoAway, 8)), IDError, IDError},
		{"PRIORITY_UPDATE", join(noSettings, priorityUpdate(4, "u=1, i")), FrameUnexpected, 0},
		{"PRIORITY_UPDATE without a priority", join(noSettings, priorityUpdate(4, "")), FrameUnexpected, 0},
		{"PRIORITY_UPDATE that is no dictionary", join(noSettings, priorityUpdate(4, "u=9,,(=\x00")), FrameUnexpected, 0},
		{"PRIORITY_UPDATE of a stream that is no request's", join(noSettings, priorityUpdate(3, "u=1")), FrameUnexpected, IDError},
		{"PRIORITY_UPDATE without ID", join(noSettings, frame(FramePriorityUpdate)), FrameUnexpected, FrameError},
		{"PRIORITY_UPDATE cut in its ID", join(noSettings, frame(FramePriorityUpdate, 0x40)), FrameUnexpected, FrameError},
		{"PRIORITY_UPDATE too long", join(noSettings, priorityUpdate(4, strings.Repeat("u=1,", maxPriorityUpdate/4))), FrameUnexpected, ExcessiveLoad},
		{"PRIORITY_UPDATE of a push", join(noSettings, frame(FramePriorityUpdatePush, 0)), FrameUnexpected, IDError},

		{"GOAWAY with push ID", join(noSettings, frame(FrameGoAway, 5)), IDError, 0},
		{"GOAWAY without ID", join(noSettings, frame(FrameGoAway)), FrameError, FrameError},
		{"GOAWAY too long", join(noSettings, frame(FrameGoAway, 0, 0)), FrameError, FrameError},
		{"GOAWAY of nine bytes", join(noSettings, frame(FrameGoAway, make([]byte, 9)...)), FrameError, FrameError},
		{"GOAWAY cut short", join(noSettings, frame(FrameGoAway, 0x40)), FrameError, FrameError},
		{"MAX_PUSH_ID", join(noSettings, frame(FrameMaxPushID, 5), frame(FrameMaxPushID, 5), frame(FrameMaxPushID, 6)), FrameUnexpected, 0},
		{"MAX_PUSH_ID going down", join(noSettings, frame(FrameMaxPushID, 5), frame(FrameMaxPushID, 4)), FrameUnexpected, IDError},
		{"MAX_PUSH_ID too long", join(noSettings, frame(FrameMaxPushID, 0, 0)), FrameUnexpected, FrameError},
		{"CANCEL_PUSH", join(noSettings, frame(FrameCancelPush, 0)), IDError, IDError},
		{"CANCEL_PUSH of what was not promised", join(noSettings, frame(FrameMaxPushID, 5), frame(FrameCancelPush, 5)), FrameUnexpected, IDError},
		{"CANCEL_PUSH beyond", join(noSettings, frame(FrameMaxPushID, 5), frame(FrameCancelPush, 6)), FrameUnexpected, IDError},
		{"CANCEL_PUSH cut short", join(noSettings, frame(FrameCancelPush, 0xc0, 0)), FrameError, FrameError},
	} {
		for _, size := range pieceSizes {
			for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
				c := newState(side, Settings{})
				var u peerStream
				err := inPieces(tt.stream, size, func(b []byte) error {
					verdict, err := c.HandleUni(1, &u, b)
					if verdict != uniContinue {
						t.Errorf("%s: verdict %d", tt.name, verdict)
					}
					return err
				})
				want := tt.client
				if side == wire.ServerSide {
					want = tt.server
				}
				wantCode(t, fmt.Sprintf("%s, %v, in pieces of %d", tt.name, side, size), err, want, true)
			}
		}
	}
}

func TestPeerSettingsAndGoAway(t *testing.T) {
	sent := Settings{MaxFieldSectionSize: 16 << 10, QPACKMaxTableCapacity: 4096, QPACKBlockedStreams: 7}
	for _, random := range []uint64{0, 0x123456789abcdef, 1<<64 - 1} {
		c, s := client(), newState(wire.ServerSide, sent)
		if got := c.PeerSettings(); got != nil {
			t.Errorf("settings %v before they arrived", got)
		}
		var u peerStream
		if _, err := c.HandleUni(1, &u, s.AppendControlStream(nil, random)); err != nil {
			t.Fatal(err)
		}
		if got := c.PeerSettings(); !reflect.DeepEqual(got, &sent) {
			t.Errorf("settings %v, want %v", got, sent)
		}
		if id, ok := c.PeerGoAway(); ok {
			t.Errorf("GOAWAY %d before it arrived", id)
		}
		if err := s.HandleRequestStream(4); err != nil {
			t.Fatal(err)
		}
		if _, err := c.HandleUni(1, &u, s.AppendGoAway(nil)); err != nil {
			t.Fatal(err)
		}
		if id, ok := c.PeerGoAway(); !ok || id != 8 {
			t.Errorf("GOAWAY %d, %v, want 8", id, ok)
		}
	}
}

func TestRequestsAfterGoAway(t *testing.T) {
	s := server()
	for _, id := range []uint64{4, 0, 8} {
		wantCode(t, fmt.Sprint("request ", id), s.HandleRequestStream(id), 0, false)
	}
	if got, want := s.AppendGoAway(nil), frame(FrameGoAway, 12); !bytes.Equal(got, want) {
		t.Errorf("GOAWAY %x, want %x", got, want)
	}
	wantCode(t, "late arrival of an earlier request", s.HandleRequestStream(0), 0, false)
	wantCode(t, "next request", s.HandleRequestStream(12), RequestRejected, false)
	wantCode(t, "later request", s.HandleRequestStream(16), RequestRejected, false)
	wantCode(t, "bidirectional stream of a server", client().HandleRequestStream(1), StreamCreationError, true)
	if got, want := client().AppendGoAway(nil), frame(FrameGoAway, 0); !bytes.Equal(got, want) {
		t.Errorf("client's GOAWAY %x, want %x", got, want)
	}
}

// TestControlStreamKeepsNothing is the row "Length-driven allocation" of the
// known attacks: unknown frames are skipped without being stored.
func TestControlStreamKeepsNothing(t *testing.T) {
	c := server()
	var u peerStream
	if _, err := c.HandleUni(1, &u, join(noSettings, AppendFrameHeader(nil, 0x21, 1<<40))); err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 4096)
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := c.HandleUni(1, &u, chunk); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for %d bytes of an unknown frame", allocs, len(chunk))
	}
}

// TestControlFrameChurn is the row "MAX_PUSH_ID/SETTINGS churn" of the known
// attacks.
func TestControlFrameChurn(t *testing.T) {
	for name, useless := range map[string][]byte{
		"MAX_PUSH_ID": frame(FrameMaxPushID, 1),
		"GOAWAY":      frame(FrameGoAway, 1),
		"reserved":    frame(0x21),
	} {
		c := server()
		var u peerStream
		if _, err := c.HandleUni(1, &u, noSettings); err != nil {
			t.Fatal(err)
		}
		for i := range churnBurst + 1 {
			_, err := c.HandleUni(1, &u, useless)
			want := ErrorCode(0)
			if i == churnBurst {
				want = ExcessiveLoad
			}
			wantCode(t, fmt.Sprint(name, " ", i), err, want, true)
		}
	}
}

// TestChurnBeforeZero: the clock may begin at any time, as it does in virtual time.
func TestChurnBeforeZero(t *testing.T) {
	var c churn
	for range churnBurst {
		if c.add(monotime.Time(-time.Hour)) {
			t.Fatal("too much within the burst")
		}
	}
	if !c.add(monotime.Time(-time.Hour)) {
		t.Error("not too much beyond the burst")
	}
}

func TestChurn(t *testing.T) {
	var c churn
	now := monotime.Time(1)
	for range churnBurst {
		if c.add(now) {
			t.Fatal("too much within the burst")
		}
	}
	c.forgive()
	if c.add(now) || !c.add(now) {
		t.Error("a request of use does not make up for exactly one without")
	}
	// One in each interval can go on for ever, two cannot.
	for i := range 10 * churnBurst {
		now = now.Add(churnInterval)
		if c.add(now); c.level > churnBurst+1 {
			t.Fatalf("level %d after %d intervals", c.level, i)
		}
	}
	now = now.Add(churnInterval * churnBurst * 2)
	if c.add(now); c.level != 1 {
		t.Errorf("level %d after a long pause, want 1", c.level)
	}
	acts := 0
	for range 10 * churnBurst {
		now = now.Add(churnInterval / 2)
		if acts++; c.add(now) {
			break
		}
	}
	if acts < churnBurst || acts > 2*churnBurst+1 {
		t.Errorf("%d acts at twice the rate before it is too much", acts)
	}
	c = churn{}
	c.forgive()
	if c.level != 0 {
		t.Errorf("level %d below zero", c.level)
	}
}

func FuzzControlStream(f *testing.F) {
	f.Add(join(noSettings, frame(FrameGoAway, 8), frame(0x21, 1, 2)), uint8(3), true)
	f.Add([]byte("\x00\x04\x04\x06\x01\x07\x01"), uint8(1), false)
	f.Add([]byte("\x03\x48\x7f\xe1\x0f"), uint8(2), false)
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8, isServer bool) {
		side := wire.ClientSide
		if isServer {
			side = wire.ServerSide
		}
		run := func(size int) (*state, error) {
			c := newState(side, Settings{})
			var u peerStream
			return c, inPieces(stream, size, func(b []byte) error {
				_, err := c.HandleUni(1, &u, b)
				return err
			})
		}
		whole, want := run(1 << 20)
		pieces, got := run(max(1, int(cut)))
		if orNone(got) != orNone(want) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
		if !reflect.DeepEqual(whole.PeerSettings(), pieces.PeerSettings()) || whole.peerGoAway != pieces.peerGoAway {
			t.Fatalf("in pieces %+v %d, whole %+v %d", pieces.PeerSettings(), pieces.peerGoAway, whole.PeerSettings(), whole.peerGoAway)
		}
		if cap(whole.controlData) > 2*maxSettingsPayload {
			t.Fatalf("%d bytes kept", cap(whole.controlData))
		}
	})
}

func TestExtensionSettings(t *testing.T) {
	sent := Settings{ExtendedConnect: true, Datagrams: true, Extra: []Setting{{0x2b61, 7}, {0x2c7cf000, 1}}}
	var keeps, drops peerStream
	stream := newState(wire.ServerSide, sent).AppendControlStream(nil, 1)
	c := client()
	c.AddSettings(Setting{0x2b603742, 1})
	if _, err := c.HandleUni(1, &keeps, stream); err != nil {
		t.Fatal(err)
	}
	got := c.PeerSettings()
	got.Extra = slices.DeleteFunc(got.Extra, func(s Setting) bool { return (s.ID-0x21)%0x1f == 0 }) // reserved
	if !reflect.DeepEqual(got, &sent) {
		t.Errorf("settings %+v, want %+v", got, sent)
	}
	c = client()
	if _, err := c.HandleUni(1, &drops, stream); err != nil {
		t.Fatal(err)
	}
	if got := c.PeerSettings(); !got.Datagrams || !got.ExtendedConnect || got.Extra != nil {
		t.Errorf("an end without extensions keeps %+v", got)
	}
}

func TestExtensionSettingsErrors(t *testing.T) {
	for _, id := range []SettingID{SettingEnableConnectProtocol, SettingDatagram} {
		_, err := parseSettings(appendSetting(nil, id, 2), false)
		if code, whole := Code(err); code != SettingsError || !whole {
			t.Errorf("setting %#x with value 2: %v, want %v", uint64(id), err, SettingsError)
		}
	}
}

func TestClaimedStreams(t *testing.T) {
	for _, typ := range [][]byte{{0x40, 0x54}, {0x80, 0, 0, 0x54}, {0xc0, 0, 0, 0, 0, 0, 0, 0x54}} {
		c := newState(wire.ServerSide, Settings{})
		c.ClaimUni(0x54)
		var u peerStream
		for n := 0; n < len(typ); {
			missing := u.Missing()
			if missing == 0 || n+missing > len(typ) {
				t.Fatalf("%x: after %d bytes, %d are missing", typ, n, missing)
			}
			verdict, err := c.HandleUni(1, &u, typ[n:n+missing])
			n += missing
			if want := n == len(typ); err != nil || (verdict == uniExtension) != want {
				t.Fatalf("%x: after %d bytes %v, %v", typ, n, verdict, err)
			}
		}
		if u.Missing() != 0 {
			t.Errorf("%x: %d bytes are missing in the end", typ, u.Missing())
		}
	}
}

func TestReservedFrames(t *testing.T) {
	r := NewMessageReader(wire.ServerSide, 100)
	r.Reserve(0x41)
	_, _, err := r.Next(AppendFrameHeader(AppendFrameHeader(nil, 0x21, 0), 0x41, 0))
	if code, whole := Code(err); code != FrameError || !whole {
		t.Errorf("reserved frame on a request stream: %v, want %v", err, FrameError)
	}
	c := newState(wire.ServerSide, Settings{})
	c.Reserve(0x41)
	var u peerStream
	_, err = c.HandleUni(1, &u, AppendFrameHeader(client().AppendControlStream(nil, 0), 0x41, 0))
	if code, whole := Code(err); code != FrameError || !whole {
		t.Errorf("reserved frame on the control stream: %v, want %v", err, FrameError)
	}
}
