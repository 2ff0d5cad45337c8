package loop

// Hold says that work is outstanding for which the connection must stay alive
// although nothing is sent, until as many Unhold have been called. The loop looks
// at their number when it is time for a PING, so that work which takes less costs
// it nothing. Any goroutine may call it.
func (c *Conn) Hold() {
	c.holds.Add(1)
	if c.flags.Load()&lapsed != 0 && c.flags.And(^uint32(lapsed))&lapsed != 0 {
		c.Do(c.resume)
	}
}

// Unhold says that work is done. Any goroutine may call it.
func (c *Conn) Unhold() { c.holds.Add(-1) }

// held reports whether work is outstanding.
func (c *Conn) held() bool { return c.holds.Load() > 0 }

// resume tells the engine of work on a connection that was quiet.
func (c *Conn) resume() {
	c.engine.SetHeld(c.loop.clock(), c.held())
	c.touch()
}

// noteLapse makes the next Hold tell the engine if no PING is due. One that came in
// the meantime may not have seen the note, so it is looked for afterwards.
func (c *Conn) noteLapse() {
	if !c.engine.KeepAliveLapsed() {
		return
	}
	c.flags.Or(lapsed)
	if c.held() && c.flags.And(^uint32(lapsed))&lapsed != 0 {
		c.engine.SetHeld(c.loop.now, true)
	}
}
