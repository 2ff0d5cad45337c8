package qpack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// corpusDir is where the QPACK offline interoperability data is
// (github.com/qpackers/qifs): header lists and what other encoders made of them.
// It is not part of the repository; QIFS names the place.
func corpusDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("QIFS")
	if dir == "" {
		peertest.LeaveOut(t, "qifs", "set QIFS to a clone of github.com/qpackers/qifs")
	}
	return dir
}

// readLists reads a .qif file: a field on each line, an empty line after each
// list.
func readLists(t testing.TB, path string) [][]Field {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lists := [][]Field{nil}
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if scanner.Text() == "" {
			lists = append(lists, nil)
			continue
		}
		name, value, _ := strings.Cut(scanner.Text(), "\t")
		last := len(lists) - 1
		lists[last] = append(lists[last], Field{name, value})
	}
	return slices.DeleteFunc(lists, func(l []Field) bool { return l == nil })
}

// block is a part of an encoded file: bytes of the encoder stream, whose ID is 0
// there, or a field section.
type block struct {
	stream uint64
	bytes  []byte
}

func readBlocks(t testing.TB, path string) (blocks []block) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for len(raw) > 0 {
		stream, n := binary.BigEndian.Uint64(raw), binary.BigEndian.Uint32(raw[8:])
		blocks = append(blocks, block{stream, raw[12 : 12+n]})
		raw = raw[12+n:]
	}
	return blocks
}

// encodedFile is a file of the corpus, named LIST.out.CAPACITY.BLOCKED.ACK.
type encodedFile struct {
	path, encoder, list string
	capacity            uint64
	blocked             int
	acked               bool
}

func encodedFiles(t testing.TB, dir string) (files []encodedFile) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "encoded", "*", "*.out.*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no encoded files in %s: %v", dir, err)
	}
	for _, path := range paths {
		parts := strings.Split(filepath.Base(path), ".")
		f := encodedFile{path: path, encoder: filepath.Base(filepath.Dir(path)), list: parts[0], acked: parts[4] == "1"}
		if f.capacity, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
			t.Fatal(err)
		}
		if f.blocked, err = strconv.Atoi(parts[3]); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// offlineDecoder decodes an encoded file.
type offlineDecoder struct {
	table *DecoderTable
	d     Decoder
	lists map[uint64][]Field // by stream
	err   error
}

func newOfflineDecoder(capacity uint64, blocked int) *offlineDecoder {
	o := &offlineDecoder{table: NewDecoderTable(capacity, blocked), lists: make(map[uint64][]Field)}
	tableOf(o.table).setCapacity(capacity) // which the files do not do
	return o
}

// waitingBlock is a section that waits for insertions.
type waitingBlock struct {
	o      *offlineDecoder
	stream *ReadStream
	bytes  []byte
}

func (w *waitingBlock) HandleUnblocked() { w.o.decode(w.stream, w.bytes) }

func (o *offlineDecoder) decode(s *ReadStream, section []byte) {
	fields, err := o.table.AppendFields(&o.d, s, nil, section, manyBytes)
	if err == ErrBlocked {
		_, err = o.table.Park(s, section, &waitingBlock{o, s, section})
	} else if err == nil {
		o.lists[s.ID] = fields
	}
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("stream %d: %w", s.ID, err)
	}
}

func (o *offlineDecoder) decodeAll(blocks []block) error {
	for _, b := range blocks {
		if b.stream != 0 {
			o.decode(&ReadStream{ID: b.stream}, b.bytes)
		} else if err := o.table.HandleEncoderStream(b.bytes); err != nil {
			return err
		}
		if o.err != nil {
			return o.err
		}
	}
	return nil
}

// TestCorpusDecode decodes what the other encoders made.
func TestCorpusDecode(t *testing.T) {
	dir := corpusDir(t)
	for _, f := range encodedFiles(t, dir) {
		want := readLists(t, filepath.Join(dir, f.list+".qif"))
		o := newOfflineDecoder(f.capacity, f.blocked)
		if err := o.decodeAll(readBlocks(t, f.path)); err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		for i, list := range want {
			if got := o.lists[uint64(i+1)]; !slices.Equal(got, list) {
				t.Errorf("%s: list %d: %q, want %q", f.path, i, got, list)
				break
			}
		}
		if len(o.lists) != len(want) || len(o.table.parked) != 0 || o.table.parkedBytes != 0 {
			t.Errorf("%s: %d lists of %d, %d parked", f.path, len(o.lists), len(want), len(o.table.parked))
		}
	}
}

// TestCorpusErrors decodes what a decoder must refuse.
func TestCorpusErrors(t *testing.T) {
	dir := corpusDir(t)
	paths, err := filepath.Glob(filepath.Join(dir, "errors", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no inputs to refuse in %s: %v", dir, err)
	}
	// These are from the time of HPACK's static table: the indexes 0 and 62 are
	// in that of RFC 9204.
	valid := map[string]Field{"err9": staticTable[0], "err10": staticTable[62]}
	for _, path := range paths {
		blocks := readBlocks(t, path)
		o := newOfflineDecoder(4096, 100)
		err := o.decodeAll(blocks)
		if f, ok := valid[filepath.Base(path)]; ok {
			if err != nil || !slices.Equal(o.lists[1], []Field{f}) {
				t.Errorf("%s: %q, %v, want %q", path, o.lists[1], err, f)
			}
			continue
		}
		code := DecompressionFailed
		if blocks[0].stream == 0 {
			code = EncoderStreamError
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v, want %v", path, err, code)
		}
	}
}

// TestCorpusEncode compares our encoding of the corpus with the others', which
// take into account what the decoder would acknowledge, or that it acknowledges
// nothing. Sizes are of sections and instructions together.
func TestCorpusEncode(t *testing.T) {
	dir := corpusDir(t)
	type setup struct {
		list     string
		capacity uint64
		blocked  int
		acked    bool
	}
	var setups []setup
	theirs, best := make(map[setup]string), make(map[setup]int)
	for _, f := range encodedFiles(t, dir) {
		key := setup{f.list, f.capacity, f.blocked, f.acked}
		if !slices.Contains(setups, key) {
			setups = append(setups, key)
		}
		size, dynamic := measure(t, readBlocks(t, f.path))
		remark := ""
		if !f.acked && dynamic > f.blocked {
			// RFC 9204, Section 2.1.2
			remark = fmt.Sprintf(" (may block %d streams)", dynamic)
		} else if best[key] == 0 || size < best[key] {
			best[key] = size
		}
		theirs[key] += fmt.Sprintf(", %s %d%s", f.encoder, size, remark)
	}
	sum, bestSum := 0, 0
	for _, key := range setups {
		size := encodeOffline(t, readLists(t, filepath.Join(dir, key.list+".qif")), key.capacity, key.blocked, key.acked)
		t.Logf("%-8s %4d bytes, %3d blocked, acknowledged %-5v: %6d bytes, %.3f of the best%s",
			key.list, key.capacity, key.blocked, key.acked, size, float64(size)/float64(best[key]), theirs[key])
		if size > best[key]*105/100 {
			t.Errorf("%v: %d bytes, more than five per cent above the best, %d", key, size, best[key])
		}
		sum += size
		bestSum += best[key]
	}
	t.Logf("all: %d bytes, %.3f of the best", sum, float64(sum)/float64(bestSum))
}

// measure returns the size of an encoded file without its framing, in bytes, and
// the number of sections that refer to the dynamic table.
func measure(t *testing.T, blocks []block) (size, dynamic int) {
	for _, b := range blocks {
		size += len(b.bytes)
		if b.stream == 0 {
			continue
		}
		p, _, err := consumePrefix(b.bytes)
		if err != nil {
			t.Fatal(err)
		}
		if p.encodedInsertCount > 0 {
			dynamic++
		}
	}
	return size, dynamic
}

// encodeOffline encodes lists and checks them with our decoder. It returns the
// bytes it took.
func encodeOffline(t *testing.T, lists [][]Field, capacity uint64, blocked int, acked bool) (size int) {
	t.Helper()
	p := newPair(t, capacity, blocked)
	for i, list := range lists {
		section, instructions := p.exchange(uint64(i+1), list...)
		size += len(section) + len(instructions)
		if acked {
			p.acknowledge()
		}
	}
	return size
}
