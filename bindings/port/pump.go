package port

import "sync/atomic"

// pump reads commands when no lane does.
func (p *Port) pump() {
	for {
		p.readAsPump()
		switch {
		case p.ended():
			return
		case p.reader.Load() != nil:
			select {
			case <-p.handed:
			case <-p.done:
				return
			}
		default:
			p.bells[0].wait()
			atomic.CompareAndSwapUint32(p.mem.u32(offAsleep), pumpAsleep, awake)
		}
	}
}

// ended reports whether nothing is to be read any more.
func (p *Port) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return p.failed.Load()
	}
}

// readAsPump carries out commands until there are none and the bell has been set, or a
// lane reads.
func (p *Port) readAsPump() {
	p.reading.Lock()
	defer p.reading.Unlock()
	for p.reader.Load() == nil && !p.ended() {
		for p.drain(nil) {
		}
		if p.ev.resumable() {
			p.resume(nil)
		}
		p.ev.wake()
		if p.sleep(pumpAsleep) {
			return
		}
	}
}

// sleep sets the bell that wakes whoever reads, unless there is something to do.
func (p *Port) sleep(how uint32) bool {
	asleep := p.mem.u32(offAsleep)
	atomic.StoreUint32(asleep, how)
	if !p.commands.pending() && !p.ev.resumable() {
		return true
	}
	atomic.CompareAndSwapUint32(asleep, how, awake)
	return false
}

// take makes a lane the one that reads, if none does, and reports whether it is. The
// lane's loop may have begun.
func (p *Port) take(l *lane) bool {
	p.reading.Lock()
	defer p.reading.Unlock()
	return !p.closing.Load() && p.reader.CompareAndSwap(nil, l)
}

// handBack has the pump read instead of a lane that ends. The pump waits for either.
func (p *Port) handBack(l *lane) {
	if p.reader.CompareAndSwap(l, nil) {
		select {
		case p.handed <- struct{}{}:
		default:
		}
		p.bells[0].ring()
	}
}

// finishCommands carries out what the host has committed before it closes the port.
func (p *Port) finishCommands() {
	if l := p.reader.Load(); l != nil {
		l.finish()
		return
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	for p.reader.Load() == nil && p.drain(nil) {
	}
}

// drain carries out commands, as many as a turn may, and reports whether there are more.
// on is the lane that reads, nil for the pump.
func (p *Port) drain(on *lane) (more bool) {
	for taken := 0; p.commands.pending() && !p.failed.Load(); {
		if taken >= maxPoll {
			return true
		}
		b, ok := p.commands.next()
		n := 0
		if ok {
			n = p.performFirst(on, b)
		}
		if n == 0 {
			p.fail("the command ring has no whole record where one should be")
			return false
		}
		p.commands.done(n)
		taken += n
	}
	return false
}

// performFirst carries out the first command, and those that follow for the same handle.
// It returns how many bytes they have, 0 if they make no sense.
func (p *Port) performFirst(on *lane, b []byte) (n int) {
	r, size := consumeRecord(b)
	if size == 0 || r.typ == skip {
		return int(size)
	}
	switch Command(r.typ) {
	case CmdListen:
		p.listen(&r)
		return int(size)
	case CmdConnect:
		p.connect(&r)
		return int(size)
	}
	end := size
	for end < uint32(len(b)) {
		next, size := consumeRecord(b[end:])
		if size == 0 || next.conn != r.conn || next.typ == skip || Command(next.typ) <= CmdConnect {
			break
		}
		end += size
	}
	if x := p.find(r.conn); x != nil {
		x.perform(on, b[:end])
	} else {
		p.disappoint(r.conn, b[:end], errConnGone)
	}
	return int(end)
}

// disappoint tells of the end of what commands would have begun.
func (p *Port) disappoint(handle uint32, commands []byte, why *failure) {
	for len(commands) > 0 {
		r, n := consumeRecord(commands)
		if n == 0 {
			return
		}
		commands = commands[n:]
		switch Command(r.typ) {
		case CmdOpen, CmdRequest, CmdSession:
			event := why.record(EvEnded, r.id)
			event.conn = handle
			p.tell(event)
		}
	}
}
