// Package event is QUIC for programs that are called: handlers on event loops take the
// place of package quic's calls that wait. A connection with nothing to do costs no
// goroutine, and what handlers share needs no lock, so this suits programs that hold very
// many connections, or carry a protocol of their own. The connections, their
// configuration and their errors are package quic's.
//
// Listen and Dial are given a function that returns a Handler for each new connection.
// A Handler is told of the streams that the peer opens, and returns for each a
// StreamHandler, which is told what there is to be read, when there is room to write, and
// how the stream has ended:
//
//	func (echo) HandleStream(t event.Turn, s event.Stream) event.StreamHandler { return echo{} }
//
//	func (echo) HandleReadable(t event.Turn, s event.Stream) {
//		var buf [4096]byte
//		for {
//			n, err := t.Read(s, buf[:])
//			if err == io.EOF {
//				t.WriteLast(s, nil)
//			}
//			if n == 0 || err != nil {
//				return
//			}
//			t.Write(s, buf[:n])
//		}
//	}
//
// # The contract
//
// All callbacks of a connection, and of all others that live on the same event loop, run on
// the loop's goroutine, one at a time. They must not block: every connection of the loop
// waits meanwhile. What they do with their connection are methods of the Turn that they are
// given, which counts until they return; what they write leaves when the loop has told of
// everything that has arrived. Timers (Turn.SetTimer) cost no goroutine either.
//
// What takes long is for goroutines. Run brings them, or what they have found out, back to
// the loop, Open opens streams for them, and Stream.Detach gives them a stream, with package
// quic's calls that wait. The other way, Of names a stream of package quic for callbacks.
// Functions, and methods of Stream, may be called from any goroutine.
//
// A stream whose memory is to serve the next one is given up with Turn.Release when
// StreamEnded has been told of it; using it afterwards fails, and does no harm.
package event
