// Package streambuf holds the bytes that an application and an event loop pass each
// other: those of streams (RFC 9000, Section 2.2) and datagrams (RFC 9221). Its locks
// are the only ones that the two share.
//
// A buffer has two ends, each with a type of its own: a SendBuffer is what the engine
// takes from, and its Writer what the application fills; a RecvBuffer is what the
// engine fills, and its Reader what the application takes from. One goroutine uses the
// Writer or the Reader, another the buffer. The Writer and the Reader hold the lock to
// look up blocks and to move marks, not while they copy; the buffer, which copies no more
// than a packet carries, holds it then as well.
//
// All buffers of a connection have one Account, which bounds what they hold; accounts
// share a Memory, which bounds what all of them hold; and blocks come from a Pool,
// which belongs to an endpoint.
package streambuf
