package streambuf

import "errors"

// ErrWriteClosed is the error of writing to a stream after its end was written.
var ErrWriteClosed = errors.New("write on a stream whose sending side is closed")

// Writer is the application's end of a SendBuffer. Any goroutine may use it, but only
// one at a time may write.
type Writer struct{ sendState }

// Write takes bytes of p as far as the limit allows and returns how many. A
// count below len(p) with no error means that the buffer is full; the owner of the
// buffer is told when it is worth trying again. The error is ErrWriteClosed after
// CloseWrite, or what ended writing. p is copied.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.append(p, false)
}

// WriteLast is Write without the limit and CloseWrite in one, for the last bytes of
// a short message.
func (w *Writer) WriteLast(p []byte) (int, error) { return w.writeLast(p, true) }

// TryWriteLast is Write, and CloseWrite if all of p was taken.
func (w *Writer) TryWriteLast(p []byte) (int, error) { return w.writeLast(p, false) }

func (w *Writer) writeLast(p []byte, all bool) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.append(p, all)
	if err == nil && n == len(p) {
		w.fin = true
	}
	return n, err
}

// Room returns how many bytes Write would take now.
func (w *Writer) Room() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	room, _ := w.room()
	return max(room, 0)
}

// append copies p in; the lock is held, but not while copying.
func (w *Writer) append(p []byte, all bool) (n int, err error) {
	if err := w.writeError(); err != nil {
		return 0, err
	}
	room, wakeAt := len(p), int32(notWaiting)
	if !all {
		if room, wakeAt = w.room(); room >= len(p) {
			room, wakeAt = len(p), notWaiting
		}
	}
	w.wakeAt = wakeAt
	for n < room && w.err == nil {
		if n > 0 && !all && w.data.held() > 0 && w.account.full() {
			w.wakeAt = forAcks // others took at the same time what there was room for
			break
		}
		before := w.data.held()
		dst := w.data.grow(w.end, w.account.pool)
		w.account.holdToSend(w.data.held() - before)
		dst = dst[:min(len(dst), room-n)]
		w.writer = true
		w.mu.Unlock()
		copy(dst, p[n:]) // nobody reads at end or above
		w.mu.Lock()
		w.writer = false
		if w.err != nil {
			break
		}
		n += len(dst)
		w.end += uint64(len(dst))
	}
	w.account.addUnsent(int64(n))
	if w.err != nil {
		w.drop()
	}
	return n, w.err
}

func (w *Writer) writeError() error {
	if w.err != nil {
		return w.err
	}
	if w.fin {
		return ErrWriteClosed
	}
	return nil
}

// CloseWrite marks the end of the stream: FIN goes out after the last byte.
// Closing twice is no error.
func (w *Writer) CloseWrite() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.fin = true
	}
	return w.err
}

// MarkReliable makes what was written so far survive a later reset
// (draft-ietf-quic-reliable-stream-reset).
func (w *Writer) MarkReliable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended() {
		w.mark = w.end
	}
}

// Unsent returns how many bytes were written that will never be sent, as the
// stream was reset by either side. known is false while it is not.
func (w *Writer) Unsent() (n uint64, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reset {
		return 0, false
	}
	return w.end - min(w.end, w.limit), true
}

// Err returns what ended writing, nil while it goes on.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// AwaitSent returns how many bytes have not been sent yet, not even once. If there
// are any, the owner of the buffer is told when all of them have been.
func (w *Writer) AwaitSent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0
	}
	w.awaited = w.end > w.sent
	return int(w.end - w.sent)
}

// NothingSent reports whether no byte has been sent, not even once.
func (w *Writer) NothingSent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent == 0
}
