package engine

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestSendTransitions holds every state and event of a sending half against
// RFC 9000, Figure 2.
func TestSendTransitions(t *testing.T) {
	want := map[sendState]map[sendEvent]sendState{
		sendAbsent: {},
		sendSend:   {sendEventFin: sendDataSent, sendEventReset: sendResetSent},
		sendDataSent: {
			sendEventReset: sendResetSent, sendEventAllAcked: sendDataRecvd,
		},
		sendResetSent:  {sendEventResetAcked: sendResetRecvd},
		sendDataRecvd:  {},
		sendResetRecvd: {},
	}
	if len(want) != int(numSendStates) {
		t.Fatalf("%d states", numSendStates)
	}
	for s := range numSendStates {
		for e := range numSendEvents {
			h := sendHalf{sendProgress: sendProgress{state: s}}
			next, changes := want[s][e]
			if !changes {
				next = s
			}
			if got := h.to(e); got != changes || h.state != next {
				t.Errorf("state %d, event %d: state %d, changed %v; want %d, %v", s, e, h.state, got, next, changes)
			}
		}
		if terminal := len(want[s]) == 0; s.ended() != terminal {
			t.Errorf("state %d: ended %v", s, s.ended())
		}
	}
}

// TestRecvTransitions does so for a receiving half and Figure 3.
func TestRecvTransitions(t *testing.T) {
	want := map[recvState]map[recvEvent]recvState{
		recvAbsent: {},
		recvRecv: {
			recvEventFin: recvSizeKnown, recvEventAll: recvDataRecvd,
			recvEventReset: recvResetRead, recvEventRead: recvDataRead,
		},
		recvSizeKnown: {
			recvEventAll: recvDataRecvd, recvEventReset: recvResetRead, recvEventRead: recvDataRead,
		},
		recvDataRecvd: {recvEventRead: recvDataRead},
		recvDataRead:  {},
		recvResetRead: {},
	}
	if len(want) != int(numRecvStates) {
		t.Fatalf("%d states", numRecvStates)
	}
	for s := range numRecvStates {
		for e := range numRecvEvents {
			h := recvHalf{recvProgress: recvProgress{state: s}}
			next, changes := want[s][e]
			if !changes {
				next = s
			}
			if got := h.to(e); got != changes || h.state != next {
				t.Errorf("state %d, event %d: state %d, changed %v; want %d, %v", s, e, h.state, got, next, changes)
			}
		}
		if terminal := len(want[s]) == 0; s.ended() != terminal {
			t.Errorf("state %d: ended %v", s, s.ended())
		}
	}
}

// TestSentVal walks a fact through every state.
func TestSentVal(t *testing.T) {
	type op func(*sentVal)
	set := func(v *sentVal) { v.set() }
	clear := func(v *sentVal) { v.clear() }
	sent := func(pn wire.PacketNumber) op { return func(v *sentVal) { v.setSent(pn) } }
	fates := func(pn wire.PacketNumber, f fate) op { return func(v *sentVal) { v.settle(pn, f) } }
	tests := []struct {
		name                 string
		ops                  []op
		isSet, due, received bool
	}{
		{"unset", nil, false, false, false},
		{"set", []op{set}, true, true, false},
		{"sent", []op{set, sent(0)}, true, false, false},
		{"acknowledged", []op{set, sent(0), fates(0, acked)}, true, false, true},
		{"lost", []op{set, sent(7), fates(7, lost)}, true, true, false},
		{"another packet's fate", []op{set, sent(7), fates(8, lost), fates(6, acked)}, true, false, false},
		{"the fate before last", []op{set, sent(7), fates(7, lost), sent(9), fates(7, acked)}, true, false, false},
		{"changed on its way", []op{set, sent(7), set, fates(7, acked)}, true, true, false},
		{"lost after it was changed and sent", []op{set, sent(7), set, sent(8), fates(7, lost)}, true, false, false},
		{"cleared", []op{set, sent(7), clear, fates(7, lost)}, false, false, false},
		{"set again once received", []op{set, sent(7), fates(7, acked), set}, true, true, false},
		{"acknowledged, then lost", []op{set, sent(7), fates(7, acked), fates(7, lost)}, true, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v sentVal
			for _, op := range tt.ops {
				op(&v)
			}
			if v.isSet() != tt.isSet || v.due() != tt.due || v.received() != tt.received {
				t.Fatalf("set %v, due %v, received %v", v.isSet(), v.due(), v.received())
			}
		})
	}
}

// TestStreamQueue keeps the order of first pushes, each stream once, and lets
// a stream wait in both queues.
func TestStreamQueue(t *testing.T) {
	var control, data streamQueue
	streams := make([]*Stream, 4)
	for i := range streams {
		streams[i] = &Stream{ID: wire.StreamID(i)}
		data.push(dataQueue, streams[i])
	}
	data.push(dataQueue, streams[2])
	control.push(controlQueue, streams[3])
	control.push(controlQueue, streams[0])
	control.push(controlQueue, streams[3])
	if got := drain(controlQueue, &control); !sameIDs(got, 3, 0) {
		t.Fatalf("control: %v", got)
	}
	data.pop(dataQueue)
	data.push(dataQueue, streams[0])
	if got := drain(dataQueue, &data); !sameIDs(got, 1, 2, 3, 0) {
		t.Fatalf("data: %v", got)
	}
	data.push(dataQueue, streams[1])
	if got := drain(dataQueue, &data); !sameIDs(got, 1) {
		t.Fatalf("data: %v", got)
	}
	for _, s := range streams {
		if s.links != (queueLinks{}) {
			t.Fatalf("stream %d keeps links", s.ID)
		}
	}
}

func drain(kind queueIndex, q *streamQueue) (ids []wire.StreamID) {
	for s := q.head(kind); s != nil; s = q.head(kind) {
		ids = append(ids, s.ID)
		q.pop(kind)
	}
	return ids
}

func sameIDs(got []wire.StreamID, want ...wire.StreamID) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}

// TestDeadlineTable: the earliest counts, each is taken once and on time.
func TestDeadlineTable(t *testing.T) {
	var d deadlines
	if d.next() != 0 || d.take(slotIdle, 100) {
		t.Fatal("an empty table is due")
	}
	d = deadlines{slotIdle: 30, slotLoss: 10, slotAck: 20}
	for _, want := range []struct {
		slot deadlineSlot
		at   int64
	}{{slotLoss, 10}, {slotAck, 20}, {slotIdle, 30}} {
		if got := int64(d.next()); got != want.at {
			t.Fatalf("next %d, want %d", got, want.at)
		}
		if d.take(want.slot, d.next()-1) {
			t.Fatal("taken early")
		}
		if !d.take(want.slot, d.next()) || d.take(want.slot, 1000) {
			t.Fatal("not taken, or twice")
		}
	}
	if d != (deadlines{}) {
		t.Fatalf("left: %v", d)
	}
}
