package compliance

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
)

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)

// testNames returns the tests of a checkout, as folder.TestName with the folder's path
// from the root.
func testNames(root string) (map[string]bool, error) {
	names := make(map[string]bool)
	checkout := os.DirFS(root)
	err := fs.WalkDir(checkout, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "dist") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := fs.ReadFile(checkout, name)
		if err != nil {
			return err
		}
		for _, m := range testFunc.FindAllSubmatch(file, -1) {
			names[path.Dir(name)+"."+string(m[1])] = true
		}
		return nil
	})
	return names, err
}
