package http3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

// init makes b the content of a message that arrives on a stream.
func (b *body) init(c *conn, id uint64, owner bodyOwner, maxSize int) {
	side := wire.ClientSide
	if c.isServer {
		side = wire.ServerSide
	}
	b.conn, b.owner = c, owner
	b.reader = h3.NewMessageReader(side, maxSize)
	b.sections.ID = id
}

// decodeNow decodes a field section of the message into sc. It returns
// qpack.ErrBlocked when the section has to wait.
func (b *body) decodeNow(sc *scratch, section []byte) ([]qpack.Field, error) {
	return b.decodeUpTo(sc, section, b.reader.MaxSection())
}

// decodeUpTo is decodeNow for a section of maxSize bytes at most, decoded.
func (b *body) decodeUpTo(sc *scratch, section []byte, maxSize int) ([]qpack.Field, error) {
	table := b.conn.state.Decoder()
	var err error
	sc.fields, err = table.AppendFields(&sc.decoder, &b.sections, sc.fields[:0], section, maxSize)
	if err == qpack.ErrAbandoned {
		err = b.whyAbandoned()
	}
	b.conn.tellDecoded()
	return sc.fields, err
}

// decode is decodeNow that waits, in a goroutine.
func (b *body) decode(sc *scratch, section []byte) ([]qpack.Field, error) {
	for {
		fields, err := b.decodeNow(sc, section)
		if err != qpack.ErrBlocked {
			return fields, err
		}
		if err := b.awaitInsertions(section); err != nil {
			return nil, err
		}
	}
}

// errTooManyFields says that a field section has more fields than allowed.
var errTooManyFields = fmt.Errorf("%w: too many fields", h3.ErrSectionTooLarge)

// checkCount checks the number of fields of a section.
func (c *conn) checkCount(fields int) error {
	if c.maxFields > 0 && fields > int(c.maxFields) {
		return errTooManyFields
	}
	return nil
}

// insertions is a channel on which the wait for insertions ends.
type insertions chan struct{}

// HandleUnblocked is called when the insertions have arrived or the stream was
// given up, on any goroutine.
func (i insertions) HandleUnblocked() { i <- struct{}{} }

// blockedPoll is how often who waits for insertions looks whether the stream was
// reset or a deadline has passed, for which there is no channel to wait on. To
// wait at all is rare: something was lost, and is about to be sent again.
const blockedPoll = 20 * time.Millisecond

// awaitInsertions waits until it is worth trying again to decode a section.
func (b *body) awaitInsertions(section []byte) error {
	table, arrived := b.conn.state.Decoder(), make(insertions, 1)
	parked, err := table.Park(&b.sections, section, arrived)
	switch {
	case err == qpack.ErrAbandoned:
		return b.whyAbandoned()
	case err != nil || !parked:
		return err
	}
	ticker := time.NewTicker(blockedPoll)
	defer ticker.Stop()
	for {
		select {
		case <-arrived:
			return nil
		case <-b.conn.qc.Done():
			return b.conn.qc.Err()
		case <-ticker.C:
			if _, err := b.stream.TryRead(nil); err != nil && err != io.EOF {
				table.Unpark(&b.sections)
				return err
			}
		}
	}
}

// whyAbandoned returns why a section that arrived is not decoded.
func (b *body) whyAbandoned() error {
	if b.stream != nil {
		if _, err := b.stream.TryRead(nil); err != nil && err != io.EOF {
			return err
		}
	}
	return http.ErrBodyReadAfterClose
}

// takeTrailers decodes a trailer section, or keeps it for readBlocked.
func (b *body) takeTrailers(section []byte) error {
	sc := getScratch()
	defer sc.release()
	fields, err := b.decodeNow(sc, section)
	if err == qpack.ErrBlocked {
		b.blocked = bytes.Clone(section)
		return nil
	}
	return b.handleTrailers(fields, err)
}

// readBlocked decodes the trailer section that takeTrailers has kept. It can be
// tried again after a deadline has passed.
func (b *body) readBlocked() error {
	sc := getScratch()
	defer sc.release()
	fields, err := b.decode(sc, b.blocked)
	if isDeadline(err) {
		return err
	}
	b.blocked = nil
	return b.handleTrailers(fields, err)
}

func (b *body) handleTrailers(fields []qpack.Field, err error) error {
	if err == nil {
		err = b.conn.checkCount(len(fields))
	}
	if err == nil {
		err = h3.ParseTrailers(fields)
	}
	if err == nil {
		b.owner.handleTrailers(fields)
	}
	return err
}

// abandon tells the client's or server's encoder that no further section of the
// stream will be decoded, unless all have been (RFC 9204, Section 2.2.2.2). Any
// goroutine may call it, as often as it likes.
func (b *body) abandon() {
	if b.whole || b.complete.Load() {
		return
	}
	b.abandonSections()
}

func (b *body) abandonSections() {
	b.conn.state.Decoder().Abandon(&b.sections)
	b.conn.tellDecoded()
}
