package http3

import (
	"net/http"
	"time"
)

const (
	// defaultMaxHeaderBytes is the largest header or trailer section of a request
	// that is accepted unless the user says otherwise, in bytes as RFC 9114, Section
	// 4.2.2, counts them: decoded, and 32 more for each field. It is net/http's, so
	// that what is accepted over TCP is accepted over UDP.
	defaultMaxHeaderBytes = http.DefaultMaxHeaderBytes

	// defaultMaxHeaderValueCount is how many fields a header or trailer section of a
	// request may have unless the user says otherwise, as in net/http since Go 1.27:
	// each takes a good deal more memory than its bytes.
	defaultMaxHeaderValueCount = 500

	// loopHeaderBytes is the largest header section that is decoded on the event
	// loop's goroutine, in bytes as above: the few kilobytes that most requests
	// have cost less there than a goroutine, but a packet of references to the
	// dynamic table can stand for hundreds of them, for which all other
	// connections of the loop would wait.
	loopHeaderBytes = 16 << 10

	// defaultMaxResponseHeaderBytes is defaultMaxHeaderBytes for clients, who choose
	// their servers: that of net/http, so that what works over HTTP/2 does here. Only
	// a server that sends so much makes a client hold it.
	defaultMaxResponseHeaderBytes = 10 << 20

	// tunnelHeaderBytes is the largest header section of the response to an extended
	// CONNECT request, in the same bytes: it is decoded on the event loop.
	tunnelHeaderBytes = 64 << 10

	// defaultMaxConcurrentRequests is how many requests a client may have open
	// on one connection unless quic.Config.MaxIncomingStreams says otherwise.
	// RFC 9114, Section 6.1, wants 100 at least.
	defaultMaxConcurrentRequests = 100

	// maxUniStreams is how many unidirectional streams the peer may have open:
	// its control stream, QPACK's two, and some of unknown types, which end as
	// soon as their type has been read.
	maxUniStreams = 10

	// minUniStreams is how many the peer may have whatever quic.Config says: it cannot
	// do without the first three (RFC 9114, Section 6.2).
	minUniStreams = 3

	// freeResponse is how many bytes a new stream takes without asking, whatever
	// credit the client gives and however short memory is: it has a block of 4 KiB.
	freeResponse = 4 << 10

	// requestValues is how many values of a request's header need no memory of their
	// own: as many as programs send, fewer than browsers do, and what makes what a handler
	// is given 320 bytes, a size that Go has.
	requestValues = 5

	// handlersPerStream is how many handlers may run for each stream a client
	// may have open. More than one, as a handler may run on after its client
	// has reset the stream and opened another; a client that does nothing else
	// is refused further requests, and then the connection
	// (CVE-2023-44487 in HTTP/2).
	handlersPerStream = 2

	// defaultMaxIdleTimeout is package quic's.
	defaultMaxIdleTimeout = 30 * time.Second

	// qpackTableCapacity is the largest dynamic table a peer may fill here, in
	// bytes: what repeats in one connection's messages fits, and the memory that
	// an idle connection keeps stays small.
	qpackTableCapacity = 4 << 10
	// qpackBlockedStreams is how many streams a peer may have wait for
	// insertions: all requests of a burst. Package qpack bounds their bytes.
	qpackBlockedStreams = 100

	// certainSize is the size of a header section, in bytes, that every server
	// accepts: those in use have limits of 8 KiB and more.
	certainSize = 4 << 10

	// scratchSize is the size of the buffers that beginnings of messages are
	// read into, in bytes; a request without content is rarely longer.
	scratchSize = 4 << 10

	// maxScratchFields is the number of fields beyond which the memory for a
	// section's is not used again.
	maxScratchFields = 1024

	// writeBufferSize is how much of a response is held back in the hope that
	// it is all, in bytes: then it leaves in one write, with Content-Length.
	writeBufferSize = 4 << 10

	// maxPooledBuffer is the size beyond which a response's buffer is not used
	// again, in bytes: few header sections are as large, and what is kept for
	// them all would be.
	maxPooledBuffer = 64 << 10

	// smallContent is the size, in bytes, up to which a request's content that is in memory
	// leaves along with the header: what most forms and documents of JSON need.
	smallContent = 4 << 10

	// uploadBufferSize is the piece, in bytes, in which a request's content is
	// read and sent.
	uploadBufferSize = 32 << 10
)
