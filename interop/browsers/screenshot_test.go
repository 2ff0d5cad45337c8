package browsers

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// screenshot writes the picture of the README:
//
//	go test -run ScreenshotChromium ./browsers -screenshot ../../docs/page.png
var screenshot = flag.String("screenshot", "", "write a picture of the demo's page in Chromium to this `file`, relative to this directory")

// screenshotPatience bounds all that is done with the page in one browser.
const screenshotPatience = 3 * time.Minute

// shown is what the page shows after something was done.
type shown struct {
	Did, State, Message, Button, Label string
	Steps                              []struct{ Title, Outcome, Class string }
	Points                             int
	Stats, About                       map[string]string
	Commands                           []string
	Talked                             []string
}

// usePage uses the page of `godwit serve` in a browser and returns what it showed.
func usePage(t *testing.T, name, executable, picture string) map[string]shown {
	t.Helper()
	node, library := needPuppeteer(t)
	ctx, cancel := context.WithTimeout(t.Context(), screenshotPatience)
	t.Cleanup(cancel)
	page, _ := serveDemo(t, ctx)
	cmd := exec.CommandContext(ctx, node, "screenshot.mjs", library, name, executable, page+"/", publicKeyHash(t, page))
	if picture != "" {
		cmd.Args = append(cmd.Args, picture)
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("driving %s: %v\n%s\n%s", name, err, out, complaints.String())
	}
	all := make(map[string]shown)
	for line := range strings.Lines(string(out)) {
		var s shown
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all[s.Did] = s
	}
	return all
}

func testPage(t *testing.T, name, executable, protocol, picture string) {
	all := usePage(t, name, executable, picture)
	if s := all["open"]; s.State != "idle" || s.Points != 0 || s.Message != "" {
		t.Errorf("at first: %+v", s)
	}
	for _, command := range all["open"].Commands {
		if !strings.HasPrefix(command, "godwit ") || !strings.HasSuffix(command, "Copy") {
			t.Errorf("a command is %q", command)
		}
	}
	for _, did := range []string{"try", "again"} {
		s := all[did]
		if s.State != "running" || s.Message != "" || s.Button != "Close the session" || len(s.Steps) != 7 {
			t.Errorf("%s: %+v", did, s)
			continue
		}
		for _, step := range s.Steps {
			if step.Class != "done" || step.Outcome == "" {
				t.Errorf("%s: %+v", did, step)
			}
		}
		if got, want := s.Steps[0].Outcome, "came over "+protocol; got != want {
			t.Errorf("%s: the page %s, want %q", did, got, want)
		}
		if got := s.Steps[3].Outcome; !strings.HasPrefix(got, "session open over HTTP/3 in ") {
			t.Errorf("%s: the session is %q", did, got)
		}
		if got := s.About["WebTransport’s draft"]; !strings.HasPrefix(got, "draft-ietf-webtrans-http3-") || !strings.HasSuffix(s.Steps[3].Outcome, got) || s.About["This browser has"] == "" {
			t.Errorf("%s: of the session the page says %q", did, s.About)
		}
		if s.Points < 30 || !strings.HasPrefix(s.Label, "Round-trip times of the last ") || !strings.HasSuffix(s.Stats["median"], " ms") || s.Stats["back"] == "0" {
			t.Errorf("%s: a chart of %d points, labelled %q, with %v", did, s.Points, s.Label, s.Stats)
		}
	}
	if s := all["close"]; s.State != "closed" || s.Message != "" || s.Button != "Try again" {
		t.Errorf("closed: %+v", s)
	}
	if s := all["listen"]; !slices.Equal(s.Talked, []string{"theirs: from the other tab"}) {
		t.Errorf("one tab of the chat shows %q", s.Talked)
	}
	if s := all["talk"]; !slices.Equal(s.Talked, []string{"mine: from the other tab"}) {
		t.Errorf("the other tab of the chat shows %q", s.Talked)
	}
	if s := all["without WebTransport"]; s.State != "failed" || !strings.Contains(s.Message, "This browser has no WebTransport") {
		t.Errorf("without WebTransport: %+v", s)
	}
}

// TestScreenshotChromium tries the page in Chromium, which is made to trust it.
func TestScreenshotChromium(t *testing.T) {
	testPage(t, "chrome", chromium(t), "HTTP/3", *screenshot)
}

// TestScreenshotFirefox tries the page in Firefox as it is: the page's certificate
// is accepted by hand, which HTTP/3 does not get.
func TestScreenshotFirefox(t *testing.T) {
	testPage(t, "firefox", firefox(t), "HTTP/2", "")
}
