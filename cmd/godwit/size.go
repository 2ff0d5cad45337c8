package main

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// size is a flag for a number of bytes, with an optional unit: K, M, G or T,
// which are powers of 1024, and iB or B behind them if one likes.
type size uint64

var _ pflag.Value = (*size)(nil)

// Set parses a size.
func (s *size) Set(text string) error {
	number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	shift := 0
	if i := strings.IndexAny(number, "KMGT"); i >= 0 && i == len(number)-1 {
		shift = 10 * (1 + strings.IndexByte("KMGT", number[i]))
		number = number[:i]
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && bits.Len64(n)+shift > 62 {
		return fmt.Errorf("%q is more bytes than QUIC can count (RFC 9000, Section 16)", text)
	}
	if err != nil {
		return fmt.Errorf("%q is not a number of bytes like 1000, 64KiB or 16M", text)
	}
	*s = size(n << shift)
	return nil
}

// String returns the number of bytes, or nothing for 0.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*s), 10)
}

// Type is the flag's placeholder in the help.
func (s *size) Type() string { return "bytes" }
