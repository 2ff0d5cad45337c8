// Package congestion decides how much may be in flight on a path, and how fast it may
// leave: the congestion controllers that connections of package quic use, and the
// interface of one's own.
//
// CUBIC (RFC 9438) with HyStart++ (RFC 9406) is the default. NewReno is the one of RFC 9002,
// Section 7, whose name has the "New"; BBR, version 3 (draft-ietf-ccwg-bbr), keeps queues
// short and does not slow down for a few random losses. Config.Congestion of package quic
// chooses by the function that makes one:
//
//	conf := &quic.Config{Congestion: congestion.NewBBR}
//
// A connection has a controller for each path, made by that function when the path comes
// into use. It tells the controller what happens to packets that count as in flight (RFC
// 9002, Section 2), and asks it how to go on:
//
//	OnSent                            for each packet that leaves
//	OnFeedback                        for each ACK frame, and when packets have taken too long
//	Window, PacingRate, SendQuantum   before packets leave
//
// Sizes are UDP payload in bytes: they include QUIC's headers and tags, but not those of UDP
// and IP. Moments are of a clock that begins at an arbitrary one, and is never 0 when
// something happens; it is the clock of Turn.Now in package quic.
//
// # One call for all
//
// An ACK frame may show at once that most packets have arrived, that some were marked, that
// others are lost, and that an earlier loss was none. OnFeedback is given all of it, because
// no order of several calls would be right for every controller. NewReno and CUBIC undo a
// reduction without a reason first, so that the next one is not reckoned from it; then the
// window grows by what has arrived, as that was sent under it, and is reduced last: it is
// the window at the time when the loss is found that RFC 9002, Section 7.3.2, has reduced.
// BBR's model (draft-ietf-ccwg-bbr, Section 5.2) takes the losses first, and then the
// arrivals that showed them.
//
// # A controller of one's own
//
// The methods are called by one goroutine at a time, an event loop that serves other
// connections as well: they must not block, and what is called for packets should not
// allocate. A controller has no timer; what depends on time it finds out when it is told
// something. It draws from Config.Rand, so that a simulation with a seed is the same every
// time. The package's example has one that runs: go doc does not show it, but pkg.go.dev does.
package congestion
