package protect

import "github.com/godwit-quic/godwit/internal/wire"

// secrets are what the ciphers of one direction can be made from at any time.
// The header key stays when one phase follows the other (RFC 9001, Section 6.1).
type secrets struct {
	phase  hashValue       // of the current phase, Suite.secretLen bytes
	header [maxKeyLen]byte // Suite.keyLen bytes
}

func newSecrets(v wire.Version, s Suite, first []byte) secrets {
	made := secrets{header: headerSecret(v, s, first)}
	copy(made.phase[:], first)
	return made
}

// appCiphers are the ciphers of AppKeys. They open packets of three phases: the
// current one, the one before, and the one after. The key of the latter is made
// ahead, so that the time a packet takes does not tell whether it begins a phase
// (RFC 9001, Section 6.3).
type appCiphers struct {
	openingHeader, sealingHeader headerKey
	previous, current, next      packetKey
	nextSecret                   hashValue // of next
	sealing                      packetKey
}

// wake makes the ciphers again, all of them, so that the time it takes does not
// tell what the packet is that they are needed for.
func (k *AppKeys) wake() {
	k.appCiphers = new(appCiphers)
	mustWork(k.makeOpening())
	mustWork(k.makeSealing())
}

// mustWork panics for the error of a suite that has worked before.
func mustWork(err error) {
	if err != nil {
		panic("protect: keys made again: " + err.Error())
	}
}

// makeOpening makes the ciphers to open packets with.
func (k *AppKeys) makeOpening() (err error) {
	if k.current, err = k.packetKey(&k.read.phase); err != nil {
		return err
	}
	if k.openingHeader, err = makeHeaderKey(k.suite, k.read.header); err != nil {
		return err
	}
	return k.makeNext()
}

// makeNext makes the cipher of the phase after the current one.
func (k *AppKeys) makeNext() (err error) {
	k.nextSecret = k.secretAfter(&k.read.phase)
	k.next, err = k.packetKey(&k.nextSecret)
	return err
}

// makeSealing makes the ciphers to seal packets with.
func (k *AppKeys) makeSealing() (err error) {
	if k.sealing, err = k.packetKey(&k.write.phase); err != nil {
		return err
	}
	k.sealingHeader, err = makeHeaderKey(k.suite, k.write.header)
	return err
}

// packetKey makes the cipher of the phase that has a secret.
func (k *AppKeys) packetKey(secret *hashValue) (packetKey, error) {
	return newPacketKey(k.version, k.suite, secret[:k.suite.secretLen()])
}

// secretAfter derives the secret of the phase after the one that has a secret
// (RFC 9001, Section 6.1).
func (k *AppKeys) secretAfter(secret *hashValue) (next hashValue) {
	n := k.suite.secretLen()
	k.suite.derive(&next, secret[:n], labelsOf(k.version).ku, n)
	return next
}

// opening returns the key that packets of a phase are opened with.
func (k *AppKeys) opening(phase uint64) *packetKey {
	switch {
	case phase < k.phase:
		return &k.previous
	case phase > k.phase:
		return &k.next
	}
	return &k.current
}

// advance makes the next phase the current one, in both directions.
func (k *AppKeys) advance() {
	k.phase++
	k.previous, k.current = k.current, k.next
	k.read.begin(k.nextSecret)
	mustWork(k.makeNext())
	k.write.begin(k.secretAfter(&k.write.phase))
	mustWork(k.makeSealing())
}
