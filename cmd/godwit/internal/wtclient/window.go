package wtclient

import "time"

// lateAfter is how long a numbered datagram may take until it is no longer
// expected. It bounds what an endless ping remembers.
const lateAfter = 10 * time.Second

// window remembers when the datagrams were sent that have not come back. The zero
// value is empty.
type window struct {
	first uint64 // number of the first in sent, from 1 on; 0 before anything was sent
	sent  []time.Time
}

// add notes that the next number was sent.
func (w *window) add(now time.Time) {
	if w.first == 0 {
		w.first = 1
	}
	w.sent = append(w.sent, now)
	for len(w.sent) > 0 && (w.sent[0].IsZero() || now.Sub(w.sent[0]) > lateAfter) {
		w.sent = w.sent[1:]
		w.first++
	}
}

// take returns when a number was sent, once.
func (w *window) take(number uint64) (time.Time, bool) {
	if number < w.first || number-w.first >= uint64(len(w.sent)) {
		return time.Time{}, false
	}
	at := w.sent[number-w.first]
	w.sent[number-w.first] = time.Time{}
	return at, !at.IsZero()
}

// since returns how many were sent after a time and have not come back.
func (w *window) since(at time.Time) (n uint64) {
	for _, sent := range w.sent {
		if sent.After(at) { // which the zero time of what came back is not
			n++
		}
	}
	return n
}
