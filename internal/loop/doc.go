// Package loop moves bytes between a socket and the engine.
//
// A Loop is one goroutine that owns one socket, one engine.Endpoint, the
// connections living on it and their deadlines. It is the only goroutine that
// touches their engines and the only caller of the clock. It reads a batch of
// datagrams, feeds the engines, fires what is due, tells the connections'
// handlers what happened, sends what there is to send in long trains, and
// sleeps until the earliest deadline or the next datagram. An idle connection
// costs memory and nothing else.
//
//	l := loop.Start(socket, loop.Config{Endpoint: endpoint, Accept: accept})
//	defer l.Close()
//	l.Do(func() {
//		conn, err := l.Dial(path, config, tls, handler)
//		…
//	})
//
// What other goroutines want done reaches the loop through its mailbox: Do for
// a function, and the methods of Stream for the frequent cases, which cost one
// lock and allocate nothing. Nothing here waits, except Close.
package loop
