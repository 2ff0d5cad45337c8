package engine

// Urgency says how soon a stream's data is to be sent: 0 first, 7 last
// (RFC 9218, Section 4.1).
type Urgency uint8

const (
	// DefaultUrgency is that of a stream nothing is known of.
	DefaultUrgency Urgency = 3

	numUrgencies = 8
)

// dataQueues are the streams that have data to send, by urgency. Nothing of a
// queue is sent while an earlier one can use the room.
type dataQueues [numUrgencies]streamQueue

// SetPriority says in which order the data of s is sent. What has a lower
// urgency goes first. Streams of one urgency take turns if they are incremental;
// one that is not sends all it has before the next has its turn (RFC 9218,
// Section 10). A new stream is incremental and has DefaultUrgency. Urgencies
// beyond 7 count as 7.
func (c *Conn) SetPriority(s *Stream, u Urgency, incremental bool) {
	if c.state >= stateClosing {
		return
	}
	u = min(u, numUrgencies-1)
	queued := s.links[dataQueue] != nil && u != s.urgency
	if queued {
		c.streams.unqueue(s)
	}
	s.urgency, s.sequential = u, !incremental
	if queued {
		c.streams.queueData(s)
	}
}
