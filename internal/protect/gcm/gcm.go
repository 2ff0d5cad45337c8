// Package gcm seals and opens QUIC packets with AES-GCM (NIST SP 800-38D), in assembly for
// processors that encrypt several blocks with one instruction (VAES, VPCLMULQDQ).
//
// It knows the shape of a packet (RFC 9001, Section 5.3): the nonce is made of an IV and the
// packet number, the header is what is authenticated besides, and the tag stands behind the
// payload. So packets are sealed and opened in place, a whole train in one call: while the
// last blocks of a packet wait for each other, the next packet has begun.
//
//	key := gcm.NewKey(secret, &iv) // if gcm.Available()
//	key.Seal(train, packets)
//	masks.Encrypt(samples)
//
// What it does takes time that depends on lengths only. Keys are nowhere but in Key and
// Masks, and leave nothing in registers or on the stack.
package gcm

const (
	// TagSize is the length of the tag behind each payload.
	TagSize = 16
	// IVSize is the length of the IV that packet numbers are added to.
	IVSize = 12
	// BlockSize is the length of a block of AES.
	BlockSize = 16
	maxPower  = 17 // of H; a batch of the assembly is 16 blocks, and lengths may follow
)

// schedule are the round keys of AES (FIPS 197, Section 5.2): the first one, four that only
// AES-256 has, and the last ten, which have the same place in both.
type schedule [1 + 4 + 10][BlockSize]byte

// Key is what packets are sealed and opened with. Its blank fields only assembly knows.
type Key struct {
	schedule schedule
	_        [maxPower][BlockSize]byte // powers of H, from the highest down
	iv       [BlockSize]byte           // with a counter of zero, and with round key 0 added
	_        [maxPower][BlockSize]byte // sums of the halves of each power
	long     uint64                    // 1 for AES-256
	_        uint64                    // is read along with the last sum
}

// Packet is where a packet lies in a train.
type Packet struct {
	Start  int    // where it begins
	Header int    // length of the header, the packet number included
	End    int    // behind the tag
	Number uint64 // the packet number

	// Authentic is set by Open: the tag was right.
	Authentic bool
}

// NewKey returns the Key for a key of AES-128 or AES-256 and an IV. It panics for other
// lengths, and where Available is false.
func NewKey(key []byte, iv *[IVSize]byte) *Key {
	k := new(Key)
	k.long = k.schedule.expand(key)
	copy(k.iv[:], iv[:])
	hashKeys(k)
	return k
}

// expand makes the round keys, and returns 1 for AES-256.
func (s *schedule) expand(key []byte) (long uint64) {
	if !available {
		panic("gcm: not available")
	}
	switch len(key) {
	case 16:
		expand128(s, &key[0])
	case 32:
		expand256(s, &key[0])
		return 1
	default:
		panic("gcm: key is neither of 16 nor of 32 bytes")
	}
	return 0
}

// Available reports whether the processor, the operating system and those who run the
// program let the rest of the package be used: see the switches in docs/operating.md.
func Available() bool { return available }

// Seal encrypts packets of a train in place and puts the tag behind each, where there must
// be TagSize bytes. It panics unless packets lie one behind the other in train.
func (k *Key) Seal(train []byte, packets []Packet) {
	if check(train, packets) {
		seal(k, &train[0], &packets[0], len(packets))
	}
}

// Open decrypts packets of a train in place. The payload of one that is not authentic is
// destroyed, its tag is not. It panics unless packets lie one behind the other in train.
func (k *Key) Open(train []byte, packets []Packet) {
	if !check(train, packets) {
		return
	}
	open(k, &train[0], &packets[0], len(packets))
	for i := range packets {
		if p := &packets[i]; !p.Authentic {
			clear(train[p.Start+p.Header : p.End-TagSize])
		}
	}
}

// check holds packets to lie in train, one behind the other. It reports whether there are
// any: the assembly believes what it is told.
func check(train []byte, packets []Packet) bool {
	end := 0
	for i := range packets {
		p := &packets[i]
		if p.Start < end || p.End > len(train) || p.Header < 0 || p.Header > p.End-p.Start-TagSize || p.End < p.Start {
			panic("gcm: packet is not in its train")
		}
		end = p.End
	}
	return len(packets) > 0
}

// Masks makes the masks of header protection (RFC 9001, Section 5.4.3). Assembly knows its
// fields.
type Masks struct {
	schedule schedule
	long     uint64
}

// NewMasks returns the Masks for a key of AES-128 or AES-256. It panics for other lengths,
// and where Available is false.
func NewMasks(key []byte) *Masks {
	m := new(Masks)
	m.long = m.schedule.expand(key)
	return m
}

// Encrypt turns blocks, which are samples of ciphertext, into masks. Eight take little more
// time than one.
func (m *Masks) Encrypt(blocks [][BlockSize]byte) {
	if len(blocks) > 0 {
		masks(m, &blocks[0], len(blocks))
	}
}
