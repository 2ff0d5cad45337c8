package streambuf

import "fmt"

// Tally adds up what the buffers of a connection hold, to be compared with what its
// Account says: for tests.
type Tally struct{ unsent, toSend, received int64 }

// AddSend counts a buffer.
func (t *Tally) AddSend(b *SendBuffer) {
	if b.err == nil {
		t.unsent += int64(b.end - b.sent)
	}
	t.toSend += b.data.held()
}

// AddRecv counts a buffer, and returns an error when its marks contradict each other
// or go beyond highest, which is how far the peer has sent.
func (t *Tally) AddRecv(b *RecvBuffer, highest uint64) error {
	t.received += b.held()
	if b.ready > highest || b.read > b.ready {
		return fmt.Errorf("read %d, ready %d, highest %d", b.read, b.ready, highest)
	}
	return b.got.Check()
}

// AddDatagrams counts a queue.
func (t *Tally) AddDatagrams(q *DatagramQueue) { t.received += q.data.held() }

// Check returns an error when the account says something else.
func (t *Tally) Check(a *Account) error {
	if n := a.unsent.Load(); n != t.unsent {
		return fmt.Errorf("%d unsent bytes are counted, there are %d", n, t.unsent)
	}
	if n, m := a.toSend.Load(), a.received.Load(); n != t.toSend || m != t.received {
		return fmt.Errorf("%d bytes to send and %d received are counted, there are %d and %d", n, m, t.toSend, t.received)
	}
	if n := a.counted.Load(); a.pool.Memory != nil && (n < a.Held() || n > a.Held()+3*AccountStep) {
		return fmt.Errorf("%d bytes are held, the memory knows of %d", a.Held(), n)
	}
	return nil
}
