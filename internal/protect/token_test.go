package protect

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

func TestToken(t *testing.T) {
	key := NewTokenKey(&[32]byte{1})
	id, _ := wire.NewConnectionID([]byte("original ID"))
	longID, _ := wire.NewConnectionID(bytes.Repeat([]byte{7}, wire.MaxConnectionIDLen))
	nonce := &[TokenNonceLen]byte{9}
	for _, want := range []Token{
		{Retry: true, Version: wire.Version2, IssuedAt: time.UnixMilli(12345), Address: []byte("address"), OriginalDstID: id},
		{IssuedAt: time.UnixMilli(1 << 50), Address: bytes.Repeat([]byte{1}, MaxTokenAddress), OriginalDstID: longID},
		{IssuedAt: time.UnixMilli(-1), Address: []byte{}},
	} {
		b := key.Seal([]byte("x"), &want, nonce)[1:]
		if len(b) > MaxTokenLen {
			t.Errorf("token has %d bytes", len(b))
		}
		var got Token
		if err := key.Open(bytes.Clone(b), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("opened %+v, %v; want %+v", got, err, want)
		}
		for i := range b {
			b[i] ^= 0x80
			if err := key.Open(b, &got); !errors.Is(err, ErrToken) {
				t.Errorf("byte %d changed: %v, want ErrToken", i, err)
			}
			b[i] ^= 0x80
			if err := key.Open(b[:i], &got); !errors.Is(err, ErrToken) {
				t.Errorf("truncated to %d bytes: %v, want ErrToken", i, err)
			}
		}
		if err := NewTokenKey(&[32]byte{2}).Open(b, &got); !errors.Is(err, ErrToken) {
			t.Errorf("another key: %v, want ErrToken", err)
		}
		if err := key.Open(append(b, make([]byte, MaxTokenLen)...), &got); !errors.Is(err, ErrToken) {
			t.Errorf("too long: %v, want ErrToken", err)
		}
	}
}

// Which kind a token is, is authenticated, and can be read without the key.
func TestTokenKinds(t *testing.T) {
	key, nonce := NewTokenKey(&[32]byte{1}), &[TokenNonceLen]byte{9}
	for _, retry := range []bool{false, true} {
		b := key.Seal(nil, &Token{Retry: retry}, nonce)
		if LooksLikeRetryToken(b) != retry || TokenNonce(b) != *nonce {
			t.Errorf("Retry %v: the token looks like one of a Retry packet: %v", retry, LooksLikeRetryToken(b))
		}
		b[len(tokenFormat)] ^= kindRetry
		if err := key.Open(b, new(Token)); !errors.Is(err, ErrToken) {
			t.Errorf("Retry %v, called the other kind: %v, want ErrToken", retry, err)
		}
	}
	for _, b := range [][]byte{nil, []byte("gw"), []byte("gw1"), []byte("gw2\x01"), []byte("gw1\x02")} {
		if LooksLikeRetryToken(b) {
			t.Errorf("%q looks like a token of a Retry packet", b)
		}
	}
}

// A token of any of the keys is opened, and the newest makes them.
func TestTokenKeys(t *testing.T) {
	nonce := &[TokenNonceLen]byte{9}
	old := NewTokenKeys([][32]byte{{1}})
	both := NewTokenKeys([][32]byte{{2}, {1}})
	want := Token{Version: wire.Version1, IssuedAt: time.UnixMilli(5), Address: []byte("address")}
	var got Token
	if err := both.Open(old.Seal(nil, &want, nonce), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of the key before: %+v, %v", got, err)
	}
	b := both.Seal(nil, &want, nonce)
	if err := both.Open(b, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of the newest key: %+v, %v", got, err)
	}
	if err := old.Open(b, &got); !errors.Is(err, ErrToken) {
		t.Errorf("of a key that is not there: %v, want ErrToken", err)
	}
}

// A token costs no more memory than it has bytes.
func TestTokenSealDoesNotAllocate(t *testing.T) {
	key, nonce := NewTokenKey(&[32]byte{1}), &[TokenNonceLen]byte{9}
	buf := make([]byte, 0, MaxTokenLen)
	token := &Token{Address: make([]byte, 18), IssuedAt: time.UnixMilli(1)}
	if n := testing.AllocsPerRun(100, func() { key.Seal(buf, token, nonce) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzTokenPlain seals arbitrary contents with the right key: what an older
// version may have issued must not be read as something else.
func FuzzTokenPlain(f *testing.F) {
	key := NewTokenKey(&[32]byte{1})
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x05\x02ab\x03abc"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x15"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		nonce := [TokenNonceLen]byte{1}
		header := []byte(tokenFormat + "\x00")
		token := key.aead.Seal(append(bytes.Clone(header), nonce[:]...), nonce[:], plain, header)
		var got Token
		if err := key.Open(token, &got); err != nil {
			if !errors.Is(err, ErrToken) {
				t.Fatalf("%v, want ErrToken", err)
			}
			return
		}
		var again Token
		if err := key.Open(key.Seal(nil, &got, &nonce), &again); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%+v became %+v, %v", got, again, err)
		}
	})
}

func TestStatelessReset(t *testing.T) {
	key := &[32]byte{1}
	id, _ := wire.NewConnectionID([]byte("an ID"))
	other, _ := wire.NewConnectionID([]byte("another ID"))
	token := StatelessResetToken(key, &id)
	if token != StatelessResetToken(key, &id) {
		t.Error("the token changes")
	}
	if token == StatelessResetToken(key, &other) || token == StatelessResetToken(&[32]byte{2}, &id) {
		t.Error("another ID or key gives the same token")
	}
}
