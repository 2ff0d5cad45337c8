package main

import (
	"encoding/binary"
	"io"
)

// pieceSize is how many bytes are written at a time, as Godwit's own server does.
const pieceSize = 256 << 10

// zeros is what is sent.
var zeros [pieceSize]byte

// answer reads a request, 8 bytes with a count and an upload, and writes that
// many bytes. The caller ends the stream.
func answer(s io.ReadWriter) error {
	var head [8]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	for left := binary.BigEndian.Uint64(head[:]); left > 0; {
		n, err := s.Write(zeros[:min(left, pieceSize)])
		if err != nil {
			return err
		}
		left -= uint64(n)
	}
	return nil
}
