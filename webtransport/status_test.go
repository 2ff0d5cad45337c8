package webtransport

import (
	"net/http"
	"testing"
)

// TestAcceptedWithStatus: any status of 2xx opens a session, and no other does.
func TestAcceptedWithStatus(t *testing.T) {
	for status, accepts := range map[int]bool{0: true, 200: true, 202: true, 204: true, 299: true, 302: false, 404: false, 100: false} {
		ts := serve(t, nil, &UpgradeConfig{Status: status})
		session, resp, err := ts.dialer().Dial(testContext(t), "https://"+ts.addr+"/", nil)
		if accepts != (err == nil) {
			t.Errorf("status %d: %v", status, err)
		}
		if err != nil {
			continue
		}
		if want := max(status, http.StatusOK); resp.StatusCode != want {
			t.Errorf("status %d, want %d", resp.StatusCode, want)
		}
		st, err := session.OpenUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte("x"))
		if _, err := ts.accept().AcceptUniStream(testContext(t)); err != nil {
			t.Error(err)
		}
		_ = session.CloseWithError(0, "")
	}
}
