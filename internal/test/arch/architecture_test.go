package arch

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// architecture is the document that shows the whole house.
const architecture = "docs/architecture.md"

// everywhere is the node of the packages that all others may import, and to which no
// arrow leads.
const everywhere = "small"

// diagram is a picture of packages in a document.
type diagram struct {
	nodes  map[string][]string  // the packages of a box, by its name
	arrows map[[2]string]string // from one box to another, with the line
}

var (
	mermaid = regexp.MustCompile("(?s)```mermaid\n(.*?)```")
	boxes   = regexp.MustCompile(`(\w+)\["([^"]*)"\]`)
	arrows  = regexp.MustCompile(`^\s*(\w+)(?:\["[^"]*"\])? --> (\w+)`)
	words   = regexp.MustCompile(`[\w/]+`)
)

// readDiagram reads the picture of a document.
func readDiagram(t *testing.T, name string) *diagram {
	t.Helper()
	found := mermaid.FindStringSubmatch(readDocument(t, name))
	if found == nil {
		t.Fatalf("%s has no diagram", name)
	}
	d := &diagram{nodes: make(map[string][]string), arrows: make(map[[2]string]string)}
	for _, box := range boxes.FindAllStringSubmatch(found[1], -1) {
		for _, word := range words.FindAllString(box[2], -1) {
			if _, ok := may[word]; ok {
				d.nodes[box[1]] = append(d.nodes[box[1]], word)
			}
		}
	}
	for text := range strings.Lines(found[1]) {
		if arrow := arrows.FindStringSubmatch(text); arrow != nil {
			d.arrows[[2]string{arrow[1], arrow[2]}] = strings.TrimSpace(text)
		}
	}
	return d
}

func readDocument(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// imports reports whether a package of one box may import one of another.
func (d *diagram) imports(from, to string) bool {
	return slices.ContainsFunc(d.nodes[from], func(pkg string) bool {
		return slices.ContainsFunc(strings.Fields(may[pkg]), func(other string) bool {
			return slices.Contains(d.nodes[to], other)
		})
	})
}

// TestDiagramsOfDocuments: an arrow stands for an import of the table.
func TestDiagramsOfDocuments(t *testing.T) {
	for _, name := range []string{"README.md", architecture} {
		d := readDiagram(t, name)
		if len(d.arrows) < 10 {
			t.Errorf("%s: found only %d arrows", name, len(d.arrows))
		}
		for arrow, text := range d.arrows {
			if !d.imports(arrow[0], arrow[1]) {
				t.Errorf("%s: no such import: %s", name, text)
			}
		}
	}
}

// TestWholeDiagramOfDocument: in the large diagram every package of the library has a
// place, and every import an arrow.
func TestWholeDiagramOfDocument(t *testing.T) {
	d := readDiagram(t, architecture)
	for pkg := range may {
		outside := slices.ContainsFunc([]string{"cmd/", "examples", "internal/test/", "internal/attack"}, func(prefix string) bool {
			return strings.HasPrefix(pkg, prefix)
		})
		places := 0
		for _, pkgs := range d.nodes {
			if slices.Contains(pkgs, pkg) {
				places++
			}
		}
		if !outside && places != 1 {
			t.Errorf("package %s has %d places in the diagram", pkg, places)
		}
	}
	for from := range d.nodes {
		for to := range d.nodes {
			_, drawn := d.arrows[[2]string{from, to}]
			if from != to && to != everywhere && d.imports(from, to) && !drawn {
				t.Errorf("no arrow for an import: %s --> %s", from, to)
			}
		}
	}
}

var (
	tests = regexp.MustCompile("`(Test\\w+)`")
	paths = regexp.MustCompile("`([\\w./-]+/[\\w./-]*|[\\w.-]+\\.(?:go|md))`")
)

// TestNamesInDocument: the tests, packages and files that it names exist.
func TestNamesInDocument(t *testing.T) {
	known := make(map[string]bool)
	for _, f := range files(t) {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test() {
				known[fn.Name.Name] = true
			}
		}
	}
	text := readDocument(t, architecture)
	for _, found := range tests.FindAllStringSubmatch(text, -1) {
		if !known[found[1]] {
			t.Errorf("%s: there is no %s", architecture, found[1])
		}
	}
	for _, found := range paths.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(found[1]))); err != nil {
			t.Errorf("%s: there is no %s", architecture, found[1])
		}
	}
}
