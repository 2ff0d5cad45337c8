package site

import (
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// coding is a way to compress.
type coding struct {
	name, ext string
	encoder   func(io.Writer) io.WriteCloser
}

// The levels cost about as much time as sending what they save. brotli's higher ones are for
// files that are compressed beforehand.
const (
	gzipLevel   = 5
	brotliLevel = 4
	zstdWindow  = 1 << 20 // bytes; more gains little, and each response would hold it
)

// codings are those there are, the best first.
var codings = []coding{
	{"br", ".br", func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, brotliLevel) }},
	{"zstd", ".zst", func(w io.Writer) io.WriteCloser {
		e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are right
		}
		return e
	}},
	{"gzip", ".gz", func(w io.Writer) io.WriteCloser {
		e, err := gzip.NewWriterLevel(w, gzipLevel)
		if err != nil {
			panic(err) // the level is right
		}
		return e
	}},
}

// onTheWay are the codings of what is compressed while it is sent, the fastest first.
var onTheWay = []int{1, 0, 2}

// minCompressed is how many bytes a file has that is worth it: less fits into a packet.
const minCompressed = 1200

// choice is what is sent for a file.
type choice struct {
	name     string // of the file that is read
	coding   string // "" for the file as it is
	compress func(io.Writer) io.WriteCloser
}

// choose returns in which coding a file is sent: as a file of that name, .br, .zst or .gz
// behind it, has it, or compressed on the way. Ranges are of the file as it is.
func (s *Site) choose(header http.Header, r *http.Request, name, kind string, info fs.FileInfo) choice {
	plain := choice{name: name}
	compressible := !s.opts.Plain && isCompressible(kind) && info.Size() >= minCompressed
	accepted := acceptedCodings(r.Header.Values("Accept-Encoding"))
	varies := compressible
	for _, c := range codings {
		ready, err := s.root.Stat(name + c.ext)
		if err != nil || !ready.Mode().IsRegular() || ready.ModTime().Before(info.ModTime()) {
			continue
		}
		varies = true
		if accepted(c.name) && plain.coding == "" {
			plain = choice{name: name + c.ext, coding: c.name}
		}
	}
	if varies {
		header.Add("Vary", "Accept-Encoding")
	}
	if plain.coding != "" || !compressible || r.Header.Get("Range") != "" {
		return plain
	}
	for _, i := range onTheWay {
		if c := codings[i]; accepted(c.name) {
			return choice{name: name, coding: c.name, compress: c.encoder}
		}
	}
	return plain
}

// isCompressible reports whether a media type is of text, or of what compresses as well.
func isCompressible(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "application/json", "application/javascript", "application/wasm", "application/xml", "application/manifest+json", "application/pdf",
		"image/svg+xml", "image/x-icon", "image/bmp", "font/ttf", "font/otf":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// acceptedCodings reads Accept-Encoding (RFC 9110, Section 12.5.3).
func acceptedCodings(values []string) func(coding string) bool {
	weights := make(map[string]bool)
	for _, item := range strings.Split(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		wanted := true
		if q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q="); ok {
			weight, err := strconv.ParseFloat(q, 64)
			wanted = err == nil && weight > 0
		}
		weights[strings.ToLower(strings.TrimSpace(name))] = wanted
	}
	return func(coding string) bool {
		if wanted, ok := weights[coding]; ok {
			return wanted
		}
		return weights["*"]
	}
}
