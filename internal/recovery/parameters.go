package recovery

// What logs tell of how losses are found (RFC 9002, Appendix A.2).
const (
	PacketThreshold     = packetThreshold // in the beginning: paths that reorder get a higher one
	TimeThreshold       = 9.0 / 8         // in round trips; Section 6.1.2
	PersistentThreshold = persistentThreshold
	Granularity         = granularity
)
