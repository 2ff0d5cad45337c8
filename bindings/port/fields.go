package port

import (
	"encoding/binary"
	"errors"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// errFields is the error of fields that are not written as godwit.h says.
var errFields = errors.New("port: fields are not whole")

// fieldsHead is how many bytes come before the sizes of fields, and sizePair how many a
// name's and a value's are.
const fieldsHead, sizePair = 8, 8

// fieldsSize returns how many bytes fields take.
func fieldsSize(fields []qpack.Field) int {
	n := fieldsHead + sizePair*len(fields)
	for i := range fields {
		n += len(fields[i].Name) + len(fields[i].Value)
	}
	return n
}

// putFields writes fields to b, which has room for them.
func putFields(b []byte, fields []qpack.Field) {
	sizes, text := b[fieldsHead:], b[fieldsHead+sizePair*len(fields):]
	all := 0
	for i := range fields {
		name, value := fields[i].Name, fields[i].Value
		binary.LittleEndian.PutUint32(sizes, uint32(len(name)))
		binary.LittleEndian.PutUint32(sizes[4:], uint32(len(value)))
		sizes = sizes[sizePair:]
		n := copy(text, name)
		n += copy(text[n:], value)
		text = text[n:]
		all += n
	}
	binary.LittleEndian.PutUint32(b, uint32(len(fields)))
	binary.LittleEndian.PutUint32(b[4:], uint32(all))
}

// appendFields is putFields at the end of b.
func appendFields(b []byte, fields []qpack.Field) []byte {
	at := len(b)
	b = append(b, make([]byte, fieldsSize(fields))...)
	putFields(b[at:], fields)
	return b
}

// consumeFields appends the fields at the beginning of b to dst, and returns what follows
// them. The text is copied once, for all.
func consumeFields(dst []qpack.Field, b []byte) (fields []qpack.Field, rest []byte, err error) {
	if len(b) < fieldsHead {
		return dst, nil, errFields
	}
	count, all := uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[4:]))
	begin := fieldsHead + sizePair*count
	if begin+all > uint64(len(b)) {
		return dst, nil, errFields
	}
	sizes, text := b[fieldsHead:begin], string(b[begin:begin+all])
	for len(sizes) > 0 {
		name := uint64(binary.LittleEndian.Uint32(sizes))
		both := name + uint64(binary.LittleEndian.Uint32(sizes[4:]))
		if both > uint64(len(text)) {
			return dst, nil, errFields
		}
		dst = append(dst, qpack.Field{Name: text[:name], Value: text[name:both]})
		sizes, text = sizes[sizePair:], text[both:]
	}
	return dst, b[begin+all:], nil
}
