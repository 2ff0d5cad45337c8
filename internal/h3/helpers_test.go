package h3

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// unhex reads hexadecimal digits in groups.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// wantCode checks that err is a connection error, or a stream error, with this
// code; the code 0 stands for no error.
func wantCode(t *testing.T, what string, err error, code ErrorCode, wholeConn bool) {
	t.Helper()
	if code == 0 {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	got, conn := Code(err)
	if err == nil || got != code || conn != wholeConn {
		t.Errorf("%s: %v, want %v, whole connection %v", what, err, code, wholeConn)
	}
}

// frame builds a frame with its shortest header.
func frame(t FrameType, payload ...byte) []byte {
	return append(AppendFrameHeader(nil, t, uint64(len(payload))), payload...)
}

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// inPieces calls f with consecutive pieces of b, each of size bytes at most,
// until it returns an error.
func inPieces(b []byte, size int, f func([]byte) error) error {
	for len(b) > 0 {
		n := min(size, len(b))
		if err := f(b[:n:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// pieceSizes are the sizes each stream of the tests is cut into.
var pieceSizes = []int{1, 2, 3, 7, 1 << 20}

var errNone = errors.New("no error")

// orNone makes errors comparable where there may be none.
func orNone(err error) string {
	if err == nil {
		err = errNone
	}
	return err.Error()
}

func server() *state { return newState(wire.ServerSide, Settings{}) }
func client() *state { return newState(wire.ClientSide, Settings{}) }
