package browsers

import (
	"context"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
)

func TestMain(m *testing.M) { jspeer.Main(m) }

// javaScriptChecks are those that are run with the npm package's server: of each kind, and
// none that takes seconds.
var javaScriptChecks = []string{
	"ready", "datagram", "bidirectional", "unidirectional", "emptyStream", "fiftyStreams", "serverStreams",
	"closedByServer", "rejected", "twoSessions", "chat", "closedWithStream",
}

// testJavaScript has a browser use the npm package's server in Node and in Bun.
func testJavaScript(t *testing.T, name, executable string, special map[string]any) {
	needPuppeteer(t)
	for _, r := range []*jspeer.Runtime{jspeer.Node, jspeer.Bun} {
		js := r.Need(t, "javascript")
		t.Run(r.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			line := js.Start(t, ctx, "serve.mjs")
			url, hash := line(), line()
			about := map[string]string{"url": url, "recorder": url + "/", "hash": hash, "recorderHash": hash}
			checks := append([]string{}, javaScriptChecks...)
			for check := range special {
				checks = append(checks, check)
			}
			results := drive(t, ctx, name, executable, about, checks...)
			for _, check := range checks {
				want, ok := special[check]
				if !ok {
					want = wanted[check]
				}
				t.Run(check, func(t *testing.T) { judge(t, results, check, want) })
			}
		})
	}
}

func TestJavaScriptChromium(t *testing.T) {
	testJavaScript(t, "chrome", chromium(t), chromiumOnly)
}

func TestJavaScriptFirefox(t *testing.T) {
	testJavaScript(t, "firefox", firefox(t), firefoxOnly)
}
