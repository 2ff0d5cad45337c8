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

func (q *dataQueues) empty() bool {
	for u := range q {
		if q[u].tail != nil {
			return false
		}
	}
	return true
}

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
	queued := s.links[dataQueue] != nil
	if queued && u != s.urgency {
		c.streams.data.remove(s)
	}
	s.urgency, s.sequential = u, !incremental
	if queued {
		c.streams.queueData(s)
	}
}

// remove takes s, which is in its queue, out of it. It looks through the queue:
// priorities change rarely, and few streams have data at once.
func (q *dataQueues) remove(s *Stream) {
	before := q[s.urgency].tail
	for before.links[dataQueue] != s {
		before = before.links[dataQueue]
	}
	q[s.urgency].removeAfter(dataQueue, before)
}
