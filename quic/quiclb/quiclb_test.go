package quiclb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/quic"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// The test vectors of the draft, and its example of encryption.
func TestVectors(t *testing.T) {
	const key = "8f95f09245765f80256934e50c66207f"
	for _, tt := range []struct {
		id                       uint8
		serverID, nonce, k, want string
	}{
		{0, "c4605e", "4504cc4f", "", "07c4605e4504cc4f"},
		{1, "350d28b420", "3487d970b2", "", "2a350d28b4203487d970b2"}, // the draft lacks the nonce's last digit, which is ours
		{0, "ed793a", "ee080dbf", key, "0720b1d07b359d3c"},
		{1, "ed793a51d49b8f5fab65", "ee080dbf48", key, "2fcc381bc74cb4fbad2823a3d1f8fed2"},
		{2, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", key, "504dd2d05a7b0de9b2b9907afb5ecf8cc3"},
		{3, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d", key, "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"},
		{0, "31441a", "9c69c275", "fdf726a9893ec05c0632d3956680baf0", "0767947d29be054a"},
	} {
		c := Config{ID: tt.id, ServerIDLen: len(tt.serverID) / 2, NonceLen: len(tt.nonce) / 2, Key: unhex(tt.k), EncodeLength: true}
		l, err := c.layout()
		if err != nil {
			t.Fatal(err)
		}
		plain := unhex(tt.serverID + tt.nonce)
		b := bytes.Clone(plain)
		l.seal(b)
		want := unhex(tt.want)
		if !bytes.Equal(b, want[1:]) {
			t.Errorf("%s %s: %x, want %x", tt.serverID, tt.nonce, b, want[1:])
		}
		if l.open(b); !bytes.Equal(b, plain) {
			t.Errorf("%s %s is decrypted to %x", tt.serverID, tt.nonce, b)
		}
	}
}

// randomly returns a source that is the same each time.
func randomly() func([]byte) {
	source := rand.NewChaCha8([32]byte{1})
	return func(b []byte) { _, _ = source.Read(b) }
}

// Every configuration's IDs say the server and the event loop, and look like the draft's.
func TestGenerators(t *testing.T) {
	random := randomly()
	for _, key := range [][]byte{nil, bytes.Repeat([]byte{7}, 16)} {
		for serverLen := 1; serverLen <= 15; serverLen++ {
			for nonceLen := 4; serverLen+nonceLen <= 19; nonceLen++ {
				c := Config{ID: uint8(nonceLen % 7), ServerIDLen: serverLen, NonceLen: nonceLen, Key: key, EncodeLength: serverLen%2 == 0}
				serverID := bytes.Repeat([]byte{byte(serverLen)}, serverLen)
				g, err := New(c, serverID)
				if err != nil {
					t.Fatal(err)
				}
				d, err := c.NewDecoder()
				if err != nil {
					t.Fatal(err)
				}
				for _, shards := range []int{1, 3, connid.MaxShards} {
					if err := connid.Check(g, shards); err != nil {
						t.Fatal(err)
					}
					for shard := range shards {
						id := g.New([]byte("x"), shard, shards, random)[1:]
						if len(id) != 1+serverLen+nonceLen || g.Len(id[0]) != len(id) || id[0]>>5 != c.ID {
							t.Fatalf("%+v makes %x", c, id)
						}
						if c.EncodeLength && int(id[0]&0x1f) != len(id)-1 {
							t.Fatalf("%+v makes %x, whose length is not encoded", c, id)
						}
						if got, ok := g.Shard(id, shards); !ok || got != shard {
							t.Fatalf("%+v: %x is for loop %d, %v, not %d", c, id, got, ok, shard)
						}
						if got, err := d.AppendServerID(nil, append(id, "more"...)); err != nil || !bytes.Equal(got, serverID) {
							t.Fatalf("%+v: %x is for server %x, %v", c, id, got, err)
						}
					}
				}
			}
		}
	}
}

// What cannot work is refused.
func TestRefused(t *testing.T) {
	good := Config{ServerIDLen: 2, NonceLen: 6}
	for name, c := range map[string]Config{
		"the reserved configuration": {ID: 7, ServerIDLen: 2, NonceLen: 6},
		"no server ID":               {NonceLen: 6},
		"a short nonce":              {ServerIDLen: 2, NonceLen: 3},
		"too much":                   {ServerIDLen: 12, NonceLen: 8},
		"an overflow":                {ServerIDLen: 1 << 62, NonceLen: 1 << 62},
		"a short key":                {ServerIDLen: 2, NonceLen: 6, Key: make([]byte, 15)},
	} {
		if _, err := New(c, make([]byte, 2)); err == nil {
			t.Errorf("%s is accepted", name)
		}
		if _, err := c.NewDecoder(); err == nil {
			t.Errorf("%s is accepted by a decoder", name)
		}
	}
	if _, err := New(good, make([]byte, 3)); err == nil {
		t.Error("a server ID of another length is accepted")
	}
	old, err := New(good, make([]byte, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(good, make([]byte, 2), old); err == nil {
		t.Error("two configurations with one ID are accepted")
	}
	if _, err := New(good, make([]byte, 2), quic.RandomConnectionIDs(8, 0)); err == nil {
		t.Error("another generator is accepted for an older one")
	}
	for _, n := range []int{-1, 7, 21} {
		if _, err := Katran(1, n); err == nil {
			t.Errorf("Katran with %d bytes is accepted", n)
		}
	}
}

// IDs of a configuration before are known as long as they are in use, and new ones are of the
// newest.
func TestRotation(t *testing.T) {
	random := randomly()
	before, err := New(Config{ID: 1, ServerIDLen: 2, NonceLen: 6}, []byte{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	now, err := New(Config{ID: 2, ServerIDLen: 3, NonceLen: 13, Key: make([]byte, 16)}, []byte{9, 9, 9}, before)
	if err != nil {
		t.Fatal(err)
	}
	old, fresh := before.New(nil, 3, 4, random), now.New(nil, 2, 4, random)
	if now.Len(old[0]) != 9 || now.Len(fresh[0]) != 17 || fresh[0]>>5 != 2 {
		t.Errorf("lengths %d and %d", now.Len(old[0]), now.Len(fresh[0]))
	}
	if shard, ok := now.Shard(old, 4); !ok || shard != 3 {
		t.Errorf("the older ID is for loop %d, %v", shard, ok)
	}
	newest := Config{ID: 3, ServerIDLen: 2, NonceLen: 4}
	for _, older := range [][]quic.ConnectionIDGenerator{{now}, {now, before}, {before, now}} {
		later, err := New(newest, []byte{5, 5}, older...)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range [][]byte{old, fresh} {
			if _, ok := later.Shard(id, 4); !ok || later.Len(id[0]) != len(id) {
				t.Errorf("%x is of no configuration before the newest", id)
			}
		}
	}
	if _, err := New(Config{ID: 1, ServerIDLen: 2, NonceLen: 4}, []byte{5, 5}, now); err == nil {
		t.Error("the ID of the oldest configuration is taken again")
	}
}

// Servers' IDs are no others', nor other configurations': so nobody answers for another
// server's connection.
func TestForeignIDs(t *testing.T) {
	random := randomly()
	of := func(n byte) map[string]quic.ConnectionIDGenerator {
		made := map[string]quic.ConnectionIDGenerator{"NLB": NLB([8]byte{n})}
		for name, c := range map[string]Config{
			"plain": {ServerIDLen: 2, NonceLen: 6}, "encrypted": {ID: 1, ServerIDLen: 2, NonceLen: 6, Key: make([]byte, 16)},
		} {
			g, err := New(c, []byte{n, 0})
			if err != nil {
				t.Fatal(err)
			}
			made[name] = g
		}
		k, err := Katran(uint16(n), 8)
		if err != nil {
			t.Fatal(err)
		}
		made["Katran"] = k
		return made
	}
	others := of(2)
	for name, g := range of(1) {
		if _, ok := g.Shard(g.New(nil, 1, 4, random), 4); !ok {
			t.Errorf("%s: an ID of its own is not", name)
		}
		if id := others[name].New(nil, 1, 4, random); func() bool { _, ok := g.Shard(id, 4); return ok }() {
			t.Errorf("%s: another server's ID %x is its own", name, id)
		}
		id := g.New(nil, 1, 4, random)
		id[0] ^= 0xc0
		if _, ok := g.Shard(id, 4); ok {
			t.Errorf("%s: an ID %x of another configuration is its own", name, id)
		}
	}
}

// The layouts of AWS and of Katran.
func TestLayouts(t *testing.T) {
	random := randomly()
	id := NLB([8]byte{1, 2, 3, 4, 5, 6, 7, 8}).New(nil, 0, 1, random)
	if len(id) != 16 || id[0]>>5 != 0 || !bytes.Equal(id[1:9], []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("NLB: %x", id)
	}
	for _, server := range []uint16{0, 1, 0x1234, 0xffff} {
		g, err := Katran(server, 8)
		if err != nil || connid.Check(g, 5) != nil {
			t.Fatal(err)
		}
		for shard := range 5 {
			id := g.New(nil, shard, 5, random)
			// what Katran computes of the first three bytes
			got := uint16(id[0]&0x3f)<<10 | uint16(id[1])<<2 | uint16(id[2]>>6)
			if at, ok := g.Shard(id, 5); id[0]>>6 != 1 || got != server || !ok || at != shard || len(id) != 8 {
				t.Errorf("server %x, loop %d: %x says %x, %d, %v", server, shard, id, got, at, ok)
			}
		}
	}
}

// FuzzIDs: any bytes are of a server, or not, and of a loop that there is.
func FuzzIDs(f *testing.F) {
	c := Config{ServerIDLen: 3, NonceLen: 4, Key: make([]byte, 16)}
	d, err := c.NewDecoder()
	if err != nil {
		f.Fatal(err)
	}
	g, err := New(c, []byte{1, 2, 3})
	if err != nil {
		f.Fatal(err)
	}
	k, err := Katran(5, 8)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(g.New(nil, 1, 4, randomly()))
	f.Add(k.New(nil, 1, 4, randomly()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, id []byte) {
		if got, err := d.AppendServerID(nil, id); err == nil && len(got) != 3 || err != nil && !errors.Is(err, ErrUnroutable) {
			t.Fatalf("%x: %x, %v", id, got, err)
		}
		for _, g := range []quic.ConnectionIDGenerator{g, k, NLB([8]byte{})} {
			if shard, ok := g.Shard(id, 4); ok && (shard < 0 || shard > 3) {
				t.Fatalf("%x: loop %d", id, shard)
			}
		}
	})
}
