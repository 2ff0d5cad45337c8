package compliance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

var addFlag = flag.Bool("compliance.add", false, "append what the documents demand and the lists lack")

// root is the checkout's, from here.
const root = "../../.."

// documents are what the project implements: its list's name, and its file's. A draft or
// RFC in Markdown has headings for numbers of sections.
var documents = []struct{ list, file string }{
	{"rfc8999", "rfc8999.txt"},
	{"rfc9000", "rfc9000.txt"},
	{"rfc9001", "rfc9001.txt"},
	{"rfc9002", "rfc9002.txt"},
	{"rfc9114", "rfc9114.txt"},
	{"rfc9204", "rfc9204.txt"},
	{"rfc9221", "rfc9221.txt"},
	{"rfc9297", "rfc9297.txt"},
	{"rfc9368", "rfc9368-version-negotiation.md"},
	{"rfc9369", "rfc9369-quic-v2.md"},
	{"webtransport", "draft-ietf-webtrans-http3.md"},
}

// TestCompliance fails for a demand that has neither a test nor a reason, and for a test
// that does not exist.
func TestCompliance(t *testing.T) {
	tests, err := testNames(root)
	if err != nil {
		t.Fatal(err)
	}
	var all, tested, reasons int
	for _, d := range documents {
		rows := readList(t, d.list)
		var n, by int
		for _, r := range rows {
			if len(r.tests) == 0 && r.reason == "" {
				t.Errorf("%s, %s: no test and no reason: %s", d.list, r.section, r.quote)
			}
			for _, name := range r.tests {
				if !tests[name] {
					t.Errorf("%s, %s: there is no test %s", d.list, r.section, name)
				}
			}
			if n++; len(r.tests) > 0 {
				by++
			}
		}
		t.Logf("%-13s %4d demands, %4d held by tests, %3d by a reason alone", d.list, n, by, n-by)
		all, tested, reasons = all+n, tested+by, reasons+n-by
	}
	t.Logf("%-13s %4d demands, %4d held by tests, %3d by a reason alone", "in all", all, tested, reasons)
}

// TestListsAreWhole holds the lists against the documents.
func TestListsAreWhole(t *testing.T) {
	folder := os.Getenv("SPECS")
	if folder == "" {
		folder = filepath.Join(root, "../shared/specs")
	}
	for _, d := range documents {
		document, err := os.ReadFile(filepath.Join(folder, d.file))
		if err != nil {
			peertest.LeaveOut(t, "specs", "SPECS="+folder+" is to have the documents: "+err.Error())
		}
		demands := requirements(string(document), strings.HasSuffix(d.file, ".md"))
		have := make(map[requirement]bool)
		for _, r := range readList(t, d.list) {
			if have[r.requirement] {
				t.Errorf("%s, %s: twice: %s", d.list, r.section, r.quote)
			}
			if have[r.requirement] = true; !slices.Contains(demands, r.requirement) {
				t.Errorf("%s, %s: the document does not say: %s", d.list, r.section, r.quote)
			}
		}
		var missing []requirement
		for _, r := range demands {
			if !have[r] && !slices.Contains(missing, r) {
				missing = append(missing, r)
			}
		}
		if *addFlag {
			add(t, d.list, missing)
		} else if len(missing) > 0 {
			t.Errorf("%s lacks %d demands, among them %v", d.list, len(missing), missing[0])
		}
	}
}

func listFile(name string) string { return filepath.Join("requirements", name+".txt") }

func readList(t *testing.T, name string) []row {
	text, err := os.ReadFile(listFile(name))
	if err != nil && !*addFlag {
		t.Fatal(err)
	}
	rows, err := parseList(string(text))
	if err != nil {
		t.Fatalf("%s: %v", listFile(name), err)
	}
	return rows
}

// add appends demands to a list.
func add(t *testing.T, name string, missing []requirement) {
	f, err := os.OpenFile(listFile(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var section string
	for _, r := range missing {
		if r.section != section {
			section = r.section
			fmt.Fprintf(f, "\n# %s\n", section)
		}
		fmt.Fprintf(f, "> %s\n", r.quote)
	}
	t.Logf("%s: %d added", name, len(missing))
}
