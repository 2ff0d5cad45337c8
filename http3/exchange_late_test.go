package http3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
)

// lateUser is a goroutine of a handler's that uses what that was given, while it returns and
// when it has.
type lateUser struct {
	w        http.ResponseWriter
	r        *http.Request
	answered chan struct{} // closed when the client has the response
}

// edge does what changes nothing of a response, if it comes before the handler has returned.
func (u *lateUser) edge() {
	rc := http.NewResponseController(u.w)
	_ = rc.Flush()
	_ = rc.SetWriteDeadline(time.Now().Add(time.Hour))
	_ = rc.SetReadDeadline(time.Now().Add(time.Hour))
	_, _ = io.WriteString(u.w, "")
	_, _ = AcceptTunnel(u.w)
	_ = u.r.Context().Err()
	_ = RequestConn(u.r)
	_, _ = u.r.Body.Read(make([]byte, 1))
}

// late wants errors.
func (u *lateUser) late(t *testing.T) {
	u.w.WriteHeader(http.StatusTeapot)
	if _, err := io.WriteString(u.w, "late"); err == nil {
		t.Error("a write after the response is none of an error")
	}
	if err := http.NewResponseController(u.w).SetWriteDeadline(time.Now().Add(-time.Hour)); !errors.Is(err, errHandlerReturned) {
		t.Errorf("SetWriteDeadline: %v", err)
	}
	if _, err := AcceptTunnel(u.w); err == nil {
		t.Error("AcceptTunnel of a response that is over")
	}
	if <-u.r.Context().Done(); RequestConn(u.r) == nil {
		t.Error("the context lost its connection")
	}
	_ = u.r.Body.Close()
}

// TestLateUsers has handlers leave goroutines behind that go on with what is not theirs any
// more, while others are served by the same memory, connections end, and handlers panic.
func TestLateUsers(t *testing.T) {
	const clients, requests = 6, 40
	var users sync.WaitGroup
	var mu sync.Mutex
	answered := make(map[string]chan struct{}) // by path
	answeredOf := func(path string) chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		if answered[path] == nil {
			answered[path] = make(chan struct{})
		}
		return answered[path]
	}
	serveLate := func(w http.ResponseWriter, r *http.Request) {
		u := &lateUser{w, r, answeredOf(r.URL.Path)}
		users.Go(func() {
			for range 4 {
				u.edge()
			}
			<-u.answered
			u.late(t)
		})
		switch r.URL.Query().Get("do") {
		case "abort":
			panic(http.ErrAbortHandler)
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
		case "deadline":
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour))
		case "watch":
			<-time.After(time.Microsecond)
			_ = r.Context().Err()
		}
		_, _ = io.WriteString(w, r.URL.Path)
	}
	slow := http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, _ = io.Copy(io.Discard, r.Body)
	}), time.Millisecond, "slow")
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/timeout" {
			slow.ServeHTTP(w, r)
			return
		}
		serveLate(w, r)
	})
	var asking sync.WaitGroup
	for client := range clients {
		asking.Go(func() {
			for n := range requests {
				do := []string{"", "early", "abort", "deadline", "watch"}[n%5]
				path := fmt.Sprintf("/%d/%d", client, n)
				method, body := "GET", io.Reader(nil)
				if n%3 == 0 {
					method, body = "POST", strings.NewReader("content")
				}
				ts.wantLate(t, method, path, do, body)
				close(answeredOf(path))
			}
		})
		asking.Go(func() { // whose connections end meanwhile
			for range requests / 4 {
				c := ts.dialRaw(t)
				c.request(true, headers(getFields+"x=timeout"))
				c.request(true, headers(":method=GET :scheme=https :authority=localhost :path=/timeout"))
				c.request(false, join(headers(":method=POST :scheme=https :authority=localhost :path=/timeout"), frame(h3.FrameData, "a part")))
				_ = c.qc.CloseWithError(uint64(h3.NoError), "")
			}
		})
	}
	asking.Wait()
	close(answeredOf("/"))
	users.Wait()
}

// wantLate sends a request and wants the answer of its own.
func (ts *testServer) wantLate(t *testing.T, method, path, do string, body io.Reader) {
	req, err := http.NewRequestWithContext(testContext(t), method, ts.url+path+"?do="+do, body)
	if err != nil {
		t.Error(err)
		return
	}
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		if do != "abort" {
			t.Errorf("%s %s, %s: %v", method, path, do, err)
		}
		return
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if aborted := do == "abort"; aborted != (err != nil) || !aborted && string(content) != path {
		t.Errorf("%s %s, %s: %q, %v", method, path, do, content, err)
	}
}
