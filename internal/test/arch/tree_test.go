// Package arch holds the module to its design: what each package may import, how long
// files and functions may be, where there are timers, and what is documented. It has
// tests only.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the path of the module, with a slash.
const module = "github.com/godwit-quic/godwit/"

// root is the module's directory, seen from this one.
const root = "../../.."

// file is a Go file of the module.
type file struct {
	*ast.File
	name  string // below root, with slashes
	lines int
}

// pkg returns the directory of the file.
func (f *file) pkg() string { return filepath.ToSlash(filepath.Dir(f.name)) }

// test reports whether only tests are in the file.
func (f *file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

var fset = token.NewFileSet()

// line returns where something is in a file.
func line(n ast.Node) int { return fset.Position(n.Pos()).Line }

// length returns on how many lines something is.
func length(n ast.Node) int { return fset.Position(n.End()).Line - line(n) + 1 }

// files returns all Go files of the module, for every system.
func files(t *testing.T) []*file {
	t.Helper()
	list, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var parseAll = sync.OnceValues(func() (list []*file, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || isModule(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		list = append(list, &file{File: parsed, name: filepath.ToSlash(name), lines: fset.File(parsed.Pos()).LineCount()})
		return nil
	})
	return list, err
})

// isModule reports whether a directory has a go.mod of its own.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
