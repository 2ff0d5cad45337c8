package interop

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The packages of the guide's two columns, and what its lines find declared.
var (
	theirs = migration{
		imports: "quic \"github.com/quic-go/quic-go\"\nhttp3 \"github.com/quic-go/quic-go/http3\"\nwebtransport \"github.com/quic-go/webtransport-go\"",
		sections: map[string]string{
			"quic":         common + ", udpAddr net.Addr, conf *quic.Config, tr *quic.Transport, ln *quic.Listener, conn *quic.Conn, stream *quic.Stream",
			"http3":        common + ", srv *http3.Server, rt *http3.Transport, header http.Header",
			"webtransport": common + ", h3 *http3.Server, srv *webtransport.Server, d *webtransport.Transport, session *webtransport.Session, w http.ResponseWriter, r *http.Request",
		},
	}
	ours = migration{
		imports: "quic \"github.com/godwit-quic/godwit/quic\"\nhttp3 \"github.com/godwit-quic/godwit/http3\"\nwebtransport \"github.com/godwit-quic/godwit/webtransport\"",
		sections: map[string]string{
			"quic":         common + ", conf *quic.Config, tr *quic.Transport, ln *quic.Listener, conn *quic.Conn, stream *quic.Stream, short context.Context",
			"http3":        common + ", srv *http3.Server, rt *http3.Transport",
			"webtransport": common + ", h3 *http3.Server, d *webtransport.Dialer, session *webtransport.Session, w http.ResponseWriter, r *http.Request",
		},
	}
)

// common are parameters that lines of every table find.
const common = "ctx context.Context, addr string, tlsConf *tls.Config, udp *net.UDPConn, key [32]byte, p []byte, err error, deadline time.Time, handler http.Handler"

// migration is one column of the guide.
type migration struct {
	imports  string
	sections map[string]string // parameters by table
	funcs    []string
}

// TestMigrationGuide compiles every line of docs/from-quic-go.md.
func TestMigrationGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/from-quic-go.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	section := ""
	marker := regexp.MustCompile(`^<!-- compile: (\w+) -->$`)
	cells := regexp.MustCompile("^\\| `(.*)` \\| `(.*)` \\|$")
	for line := range strings.Lines(string(guide)) {
		line = strings.TrimSpace(line)
		if m := marker.FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		m := cells.FindStringSubmatch(line)
		if m == nil || section == "" {
			continue
		}
		rows++
		theirs.add(t, section, m[1])
		ours.add(t, section, m[2])
	}
	if rows < 70 {
		t.Fatalf("the guide has %d rows", rows)
	}
	theirs.compile(t)
	ours.compile(t)
}

// add makes a function of a line.
func (m *migration) add(t *testing.T, section, line string) {
	t.Helper()
	parameters, ok := m.sections[section]
	if !ok {
		t.Fatalf("nothing is known of table %s", section)
	}
	m.funcs = append(m.funcs, fmt.Sprintf("func _(%s) { {\n%s\n%s} }\n", parameters, line, uses(t, line)))
}

// uses returns statements that use what a line declares.
func uses(t *testing.T, line string) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+line+"\n}", 0)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var b strings.Builder
	use := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok {
			fmt.Fprintf(&b, "_ = %s\n", id.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				use(e)
			}
		}
		return true
	})
	return b.String()
}

// compile has Go check all lines.
func (m *migration) compile(t *testing.T) {
	t.Helper()
	imports := "\"context\"\n\"crypto/tls\"\n\"errors\"\n\"net\"\n\"net/http\"\n\"time\"\n" + m.imports
	var b bytes.Buffer
	fmt.Fprintf(&b, "package main\nimport (\n%s\n)\nvar _ = errors.Is\nfunc main() {}\n", imports)
	for _, f := range m.funcs {
		b.WriteString(f)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-o", os.DevNull, file).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
