package qlog

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// maxSafeInteger is the largest integer that every JSON reader keeps exact
// (RFC 7493, Section 2.2). Larger ones are written as strings.
const maxSafeInteger = 1<<53 - 1

// record builds one JSON object without allocating. An empty key stands for an
// element of an array.
type record struct{ buf []byte }

// open begins an object or an array: bracket is '{' or '['.
func (r *record) open(key string, bracket byte) {
	r.key(key)
	r.buf = append(r.buf, bracket)
}

// close ends the object or array that was opened last: bracket is '}' or ']'.
func (r *record) close(bracket byte) { r.buf = append(r.buf, bracket) }

// key writes what comes before a value: a comma, unless the value is the first
// of its object or array, and its name.
func (r *record) key(key string) {
	if n := len(r.buf); n > 0 && r.buf[n-1] != '{' && r.buf[n-1] != '[' && r.buf[n-1] != recordSeparator {
		r.buf = append(r.buf, ',')
	}
	if key != "" {
		r.buf = append(r.buf, '"')
		r.buf = append(r.buf, key...)
		r.buf = append(r.buf, '"', ':')
	}
}

func (r *record) uint(key string, v uint64) {
	r.key(key)
	if v > maxSafeInteger {
		r.buf = append(r.buf, '"')
		r.buf = strconv.AppendUint(r.buf, v, 10)
		r.buf = append(r.buf, '"')
		return
	}
	r.buf = strconv.AppendUint(r.buf, v, 10)
}

func (r *record) float(key string, v float64) {
	r.key(key)
	r.buf = strconv.AppendFloat(r.buf, v, 'g', -1, 64)
}

// millis writes a duration in milliseconds, exact to the microsecond.
func (r *record) millis(key string, d time.Duration) {
	r.key(key)
	us := max(d.Microseconds(), 0)
	r.buf = strconv.AppendInt(r.buf, us/1000, 10)
	r.buf = append(r.buf, '.', byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
}

// word writes a string of ours, which needs no escapes.
func (r *record) word(key, v string) {
	r.key(key)
	r.buf = append(r.buf, '"')
	r.buf = append(r.buf, v...)
	r.buf = append(r.buf, '"')
}

// text writes a string that somebody else chose.
func (r *record) text(key, v string) {
	quoted, err := json.Marshal(v)
	if err != nil { // no string is an error
		quoted = []byte(`""`)
	}
	r.key(key)
	r.buf = append(r.buf, quoted...)
}

func (r *record) hex(key string, b []byte) {
	r.key(key)
	r.buf = append(r.buf, '"')
	r.buf = hex.AppendEncode(r.buf, b)
	r.buf = append(r.buf, '"')
}

func (r *record) bool(key string, v bool) {
	r.key(key)
	r.buf = strconv.AppendBool(r.buf, v)
}

// rawLength writes the lengths of something whose bytes are not logged.
func (r *record) rawLength(name string, n int) {
	r.open("raw", '{')
	r.uint(name, uint64(n))
	r.close('}')
}
