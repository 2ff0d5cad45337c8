package arch

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// selfEvident are methods of well-known interfaces that need no words.
var selfEvident = []string{"Error", "String", "Unwrap"}

// TestExportedNamesAreDocumented: functions, methods, types, constants and variables.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range files(t) {
		if f.test() || f.Name.Name == "main" {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && !(d.Recv != nil && slices.Contains(selfEvident, d.Name.Name)) && exportedReceiver(d) {
					t.Errorf("%s:%d: %s is not documented", f.name, line(d), d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(t, f, d)
			}
		}
	}
}

// exportedReceiver reports whether a function has no receiver, or one whose type others see.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return false
		}
	}
}

// checkSpecs wants a comment for each type, and for each constant and variable or the
// group that it is in.
func checkSpecs(t *testing.T, f *file, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				t.Errorf("%s:%d: type %s is not documented", f.name, line(s), s.Name.Name)
			}
		case *ast.ValueSpec:
			documented := d.Doc != nil || s.Doc != nil || s.Comment != nil
			if !documented && d.Tok != token.IMPORT && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
				t.Errorf("%s:%d: %s is not documented", f.name, line(s), s.Names[0].Name)
			}
		}
	}
}
