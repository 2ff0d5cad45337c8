//go:build !amd64 || purego

package gcm

const available = false

const missing = "gcm: not available"

func seal(*Key, *byte, *Packet, int) { panic(missing) }

func open(*Key, *byte, *Packet, int) { panic(missing) }

func expand128(*schedule, *byte) { panic(missing) }

func expand256(*schedule, *byte) { panic(missing) }

func hashKeys(*Key) { panic(missing) }

func masks(*Masks, *[BlockSize]byte, int) { panic(missing) }
