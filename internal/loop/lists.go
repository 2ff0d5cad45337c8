package loop

// dirtyList is the connections that have something to tell or to send, first
// come, first served, linked through themselves.
type dirtyList struct{ head, tail *Conn }

// push puts c at the end unless it is in the list already.
func (d *dirtyList) push(c *Conn) {
	if c.dirty {
		return
	}
	c.dirty = true
	if d.tail == nil {
		d.head = c
	} else {
		d.tail.nextDirty = c
	}
	d.tail = c
}

// pop takes the first one out; the list must not be empty.
func (d *dirtyList) pop() *Conn {
	c := d.head
	d.head = c.nextDirty
	if d.head == nil {
		d.tail = nil
	}
	c.nextDirty, c.dirty = nil, false
	return c
}

// connList is all connections of a loop, linked both ways.
type connList struct{ head *Conn }

func (l *connList) add(c *Conn) {
	c.next = l.head
	if c.next != nil {
		c.next.prev = c
	}
	l.head = c
}

func (l *connList) remove(c *Conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}
