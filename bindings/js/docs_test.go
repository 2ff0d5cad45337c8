package js

import (
	"os"
	"regexp"
	"testing"
)

// program is one in a document.
type program struct {
	text string
}

var fence = regexp.MustCompile("(?sm)^```js\n(.*?)^```$")

// programs returns those of a document.
func programs(t *testing.T, name string) []program {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []program
	for _, m := range fence.FindAllSubmatch(text, -1) {
		list = append(list, program{string(m[1])})
	}
	return list
}
