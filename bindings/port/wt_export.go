package port

import (
	"encoding/binary"

	"github.com/godwit-quic/godwit/internal/wt"
)

// maxExport is how many bytes of keying material TLS 1.3 gives at once, at least: 255 times
// its shortest hash (RFC 5869, Section 2.3).
const maxExport = 255 * 32

// export tells of keying material of the session
// (draft-ietf-webtrans-http3, Section 4.8).
func (s *session) export(r *record) {
	h := s.wt.http
	material, failed := s.keyingMaterial(r.payload)
	if failed != nil {
		h.complain(r, failed)
		return
	}
	h.put(record{typ: uint8(EvExported), id: s.id, payload: material})
}

// keyingMaterial returns what a command asks for: the length, that of the label, the label,
// the context.
func (s *session) keyingMaterial(payload []byte) ([]byte, *failure) {
	if s.machine == nil {
		return nil, fault(ErrCommand, "the session is not there yet")
	}
	if len(payload) < 8 {
		return nil, fault(ErrCommand, "the command is not whole")
	}
	length, label := binary.LittleEndian.Uint32(payload), binary.LittleEndian.Uint32(payload[4:])
	rest := payload[8:]
	if uint64(label) > uint64(len(rest)) || length == 0 || length > maxExport {
		return nil, fault(ErrCommand, "the label is not whole, or %d bytes are not from 1 to %d", length, maxExport)
	}
	context, err := s.machine.ExporterContext(string(rest[:label]), rest[label:])
	if err != nil {
		return nil, fault(ErrCommand, "%v", err)
	}
	material, err := s.wt.http.turn.TLS().ExportKeyingMaterial(wt.ExporterLabel, context, int(length))
	if err != nil {
		return nil, fault(ErrTLS, "%v", err)
	}
	return material, nil
}
