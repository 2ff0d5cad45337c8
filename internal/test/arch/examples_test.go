package arch

import (
	"go/ast"
	"go/doc"
	"path"
	"slices"
	"strings"
	"testing"
)

// public are the packages that users import.
var public = []string{"quic", "quic/event", "http3", "http3/http3test", "webtransport"}

// TestExamples: every exported function and type of a public package is shown by an
// example, which has its name or uses it. Examples run, and can be copied: they have an
// output, and import nothing that others cannot.
func TestExamples(t *testing.T) {
	for _, pkg := range public {
		shown := make(map[string]bool)
		for _, f := range files(t) {
			if f.pkg() != pkg || !f.test() {
				continue
			}
			examples := doc.Examples(f.File)
			if len(examples) == 0 {
				continue
			}
			for _, e := range examples {
				checkExample(t, f, e)
				name, _, _ := strings.Cut(e.Name, "_")
				shown[name] = true
			}
			for n := range ast.Preorder(f.File) {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == path.Base(pkg) {
						shown[s.Sel.Name] = true
					}
				}
			}
		}
		for _, name := range entryPoints(t, pkg) {
			if !shown[name] {
				t.Errorf("%s.%s has no example", pkg, name)
			}
		}
	}
}

// checkExample wants an example that runs and can be copied.
func checkExample(t *testing.T, f *file, e *doc.Example) {
	if e.Output == "" && !e.EmptyOutput {
		t.Errorf("%s: Example%s has no output, and so does not run", f.name, e.Name)
	}
	if !strings.HasSuffix(f.Name.Name, "_test") {
		t.Errorf("%s: Example%s is not in a package of its own, as users' code is", f.name, e.Name)
	}
	for _, spec := range f.Imports {
		if strings.Contains(spec.Path.Value, "/internal/") {
			t.Errorf("%s: Example%s cannot be copied: the file imports %s", f.name, e.Name, spec.Path.Value)
		}
	}
}

// entryPoints returns the exported functions and types of a package, but for interfaces and
// functions as types, which users implement as the docs say.
func entryPoints(t *testing.T, pkg string) (names []string) {
	for _, f := range files(t) {
		if f.pkg() != pkg || f.test() {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					names = append(names, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						if _, ok := s.Type.(*ast.StructType); ok {
							names = append(names, s.Name.Name)
						}
					}
				}
			}
		}
	}
	slices.Sort(names)
	return names
}
