package arch

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// loggerRow is a row of the table of docs/operating.md, with the names in its first cell and
// in its last.
var loggerRow = regexp.MustCompile("(?m)^\\| `([\\w.]+)`[^|]*\\|[^|]*\\| `(Test\\w+)` \\|$")

// TestLoggers: who takes a *slog.Logger of the user's is in the table of docs/operating.md,
// whose rule is theirs.
func TestLoggers(t *testing.T) {
	document := readDocument(t, "docs/operating.md")
	_, section, _ := strings.Cut(document, "\n## Logs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed, have []string
	tests := make(map[string]bool)
	for _, row := range loggerRow.FindAllStringSubmatch(section, -1) {
		listed = append(listed, row[1])
		tests[row[2]] = false
	}
	for _, f := range files(t) {
		pkg := f.pkg()
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test() {
				if _, named := tests[fn.Name.Name]; named {
					tests[fn.Name.Name] = true
				}
			}
		}
		if f.test() || !forUsers(pkg) {
			continue
		}
		for _, d := range f.Decls {
			for _, name := range takesLogger(d) {
				have = append(have, path.Base(pkg)+"."+name)
			}
		}
	}
	slices.Sort(listed)
	slices.Sort(have)
	if !slices.Equal(listed, have) {
		t.Errorf("docs/operating.md lists the loggers of %v, there are those of %v", listed, have)
	}
	for name, found := range tests {
		if !found {
			t.Errorf("docs/operating.md names %s, which is not there", name)
		}
	}
}

// forUsers reports whether users import a package.
func forUsers(pkg string) bool {
	top, _, _ := strings.Cut(pkg, "/")
	return top == "quic" || top == "http3" || top == "webtransport"
}

// takesLogger returns the exported functions and fields of a declaration that take a logger.
func takesLogger(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && hasLogger(d.Type.Params) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			typ, ok := spec.(*ast.TypeSpec)
			if !ok || !typ.Name.IsExported() {
				continue
			}
			s, ok := typ.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range s.Fields.List {
				for _, name := range field.Names {
					if name.IsExported() && isLogger(field.Type) {
						names = append(names, typ.Name.Name+"."+name.Name)
					}
				}
			}
		}
	}
	return names
}

func hasLogger(list *ast.FieldList) bool {
	return slices.ContainsFunc(list.List, func(f *ast.Field) bool { return isLogger(f.Type) })
}

// isLogger reports whether an expression is *slog.Logger.
func isLogger(e ast.Expr) bool {
	star, ok := e.(*ast.StarExpr)
	if !ok {
		return false
	}
	s, ok := star.X.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "slog" && s.Sel.Name == "Logger"
}
