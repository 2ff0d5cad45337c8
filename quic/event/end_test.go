package event

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// ends is a StreamHandler that is told of ends, of one kind or, for nil, of all.
type ends struct {
	kinds []Kind
	told  chan End
}

func (ends) HandleReadable(Turn, Stream) {}
func (ends) HandleWritable(Turn, Stream) {}

func (h ends) HandleEnd(_ Turn, _ Stream, end End) {
	for _, kind := range h.kinds {
		if kind == end.Kind {
			h.told <- end
		}
	}
}

// watch returns a channel on which ends of a stream are told.
func watch(s *quic.Stream, kinds ...Kind) <-chan End {
	h := ends{kinds, make(chan End, 8)}
	Run(s.Conn(), func(t Turn) { t.Handle(Of(s), h) })
	return h.told
}

// TestReceivingCut tells how much is not read of streams that either side cancels.
func TestReceivingCut(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		const sent = 1000 // beyond the byte that is read
		for name, cancel := range map[string]func(cs, ss *quic.Stream){
			"the reader":                  func(_, ss *quic.Stream) { ss.CancelRead(1) },
			"the writer":                  func(cs, ss *quic.Stream) { cs.CancelWrite(2); synctest.Wait(); ss.CancelRead(2) },
			"the reader, after the end":   func(cs, ss *quic.Stream) { cs.Close(); synctest.Wait(); ss.CancelRead(3) },
			"the reader, before the end":  func(cs, ss *quic.Stream) { ss.CancelRead(4); cs.Close() },
			"both":                        func(cs, ss *quic.Stream) { ss.CancelRead(6); cs.CancelWrite(7) },
			"the reader, after the reset": func(cs, ss *quic.Stream) { cs.CancelWrite(8); time.Sleep(time.Second); ss.CancelRead(9) },
		} {
			cs, ss := e.streams(client, server)
			if _, err := cs.Write(make([]byte, sent)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // of virtual time, until it has arrived
			replaced := watch(ss, ReceivingCut)
			told := watch(ss, ReceivingCut)
			synctest.Wait()
			if len(told) != 0 {
				t.Fatalf("%s: told before anything happened: %+v", name, <-told)
			}
			cancel(cs, ss)
			if end := <-told; end.Lost != sent || end.Err == nil {
				t.Errorf("%s: told of %+v, want %d bytes", name, end, sent)
			}
			if end := <-watch(ss, ReceivingCut); end.Lost != sent {
				t.Errorf("%s: a later handler is told of %+v, want %d bytes", name, end, sent)
			}
			if len(replaced) != 0 {
				t.Errorf("%s: the first handler was told", name)
			}
		}
	})
}

// TestReadBeforeReset reads what has come before the other side cancels, and tells of
// what is never read only then.
func TestReadBeforeReset(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, ss := e.streams(client, server)
		told := watch(ss, ReceivingCut)
		if _, err := cs.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // of virtual time, until they have arrived
		cs.CancelWrite(5)
		time.Sleep(time.Second)
		if len(told) != 0 {
			t.Fatalf("told of %+v of what can be read", <-told)
		}
		got, err := io.ReadAll(ss)
		var reset *quic.StreamError
		if string(got) != "last words" || !errors.As(err, &reset) || reset.Code != 5 {
			t.Fatalf("read %q and %v", got, err)
		}
		if end := <-told; end.Lost != 0 {
			t.Errorf("told of %d bytes, all were read", end.Lost)
		}
	})
}

// TestSendingCut tells how much is not sent of streams that either side cancels.
func TestSendingCut(t *testing.T) {
	const window, written = 2000, 4000 // as much as is taken without the peer's leave
	conf := &quic.Config{InitialStreamWindow: window, MaxStreamWindow: window}
	bubble(t, conf, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		for name, cancel := range map[string]func(cs, ss *quic.Stream){
			"the writer":                func(cs, ss *quic.Stream) { cs.CancelWrite(1); synctest.Wait(); ss.CancelRead(1) },
			"the reader":                func(_, ss *quic.Stream) { ss.CancelRead(2) },
			"the reader, after the end": func(cs, ss *quic.Stream) { cs.Close(); ss.CancelRead(3) },
		} {
			cs, ss := e.streams(client, server)
			if _, err := cs.Write(make([]byte, written)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // of virtual time, until the window is used up
			told, discarded := watch(cs, SendingCut), watch(ss, ReceivingCut)
			cancel(cs, ss)
			if unsent, sent := (<-told).Lost, (<-discarded).Lost; unsent+sent != written || unsent == 0 || sent == 0 {
				t.Errorf("%s: %d bytes are not sent, %d not read, of %d", name, unsent, sent, written)
			}
		}
	})
}

// TestPeerReset tells of a reset while nobody reads, of one that has come before,
// and not of this side's own doing.
func TestPeerReset(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, ss := e.streams(client, server)
		told := watch(ss, PeerReset)
		synctest.Wait()
		if len(told) != 0 {
			t.Fatalf("told of %+v before anything happened", <-told)
		}
		cs.CancelWrite(43)
		want := quic.StreamError{StreamID: cs.ID(), Code: 43, Remote: true}
		if got := <-told; *got.Err != want {
			t.Fatalf("told of %v, want %v", got.Err, want)
		}
		if got := <-watch(ss, PeerReset); *got.Err != want {
			t.Errorf("a later handler is told of %v, want %v", got.Err, want)
		}

		cs, ss = e.streams(client, server)
		told = watch(ss, PeerReset)
		ss.CancelRead(1)
		<-cs.Context().Done()
		time.Sleep(time.Second) // of virtual time
		if len(told) != 0 {
			t.Errorf("told of %+v after CancelRead", <-told)
		}
	})
}

// TestStreamEnded tells once both halves have ended, whatever the way, and after all else.
func TestStreamEnded(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		for name, end := range map[string]func(cs, ss *quic.Stream){
			"to the end": func(cs, ss *quic.Stream) {
				_, _ = cs.Close(), ss.Close()
				if _, err := io.ReadAll(cs); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadAll(ss); err != nil {
					t.Error(err)
				}
			},
			"cancelled": func(cs, _ *quic.Stream) { cs.CancelRead(1); cs.CancelWrite(2) },
			"mixed": func(cs, ss *quic.Stream) {
				cs.Close()
				if _, err := io.ReadAll(ss); err != nil {
					t.Error(err)
				}
				cs.CancelRead(3)
			},
		} {
			cs, ss := e.streams(client, server)
			told := []<-chan End{watch(cs, PeerReset, ReceivingCut, SendingCut, StreamEnded), watch(ss, StreamEnded)}
			synctest.Wait()
			if len(told[0])+len(told[1]) != 0 {
				t.Errorf("%s: told of an end before there was one", name)
			}
			end(cs, ss)
			time.Sleep(time.Second) // of virtual time, for the other side
			if name == "cancelled" {
				ss.CancelRead(1) // which has not been read
				time.Sleep(time.Second)
			}
			for side, told := range told {
				if len(told) == 0 {
					t.Errorf("%s: side %d is not told", name, side)
				}
				for len(told) > 0 {
					if last := <-told; len(told) == 0 && last.Kind != StreamEnded {
						t.Errorf("%s: side %d is told of %+v last", name, side, last)
					}
				}
			}
		}
	})
}
