package udp

// growBuffer asks set for a buffer of want bytes and, while it refuses, for
// half of that, and returns what get reports. Linux never refuses but may give
// less than asked; the BSDs refuse.
func growBuffer(want int, set func(bytes int) error, get func() int) int {
	const pointless = 64 << 10 // every system starts with about this much
	for size := want; size > pointless && get() < want; size /= 2 {
		if set(size) == nil {
			break
		}
	}
	return get()
}

// warnBuffers tells the operator, in one record, what the kernel withheld. A
// size that the system does not tell is taken for granted.
func warnBuffers(cfg Config, count *counters) {
	shortOf := func(got, want int) bool { return got > 0 && got < want }
	if cfg.Logger == nil || !shortOf(count.readBuffer, cfg.ReadBuffer) && !shortOf(count.writeBuffer, cfg.WriteBuffer) {
		return
	}
	cfg.Logger.Warn("udp: the kernel gave smaller socket buffers than asked, so bursts may lose packets",
		"read_buffer", count.readBuffer, "read_buffer_asked", cfg.ReadBuffer,
		"write_buffer", count.writeBuffer, "write_buffer_asked", cfg.WriteBuffer,
		"remedy", bufferRemedy(cfg.ReadBuffer, cfg.WriteBuffer))
}
