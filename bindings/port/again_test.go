package port

import "testing"

// A port whose only listener has been closed still carries out commands: the pump reads
// them in place of the lane that is gone.
func TestListenAgain(t *testing.T) {
	h := open(t, Config{})
	for range 5 {
		l, _ := h.listen("alpn", "a")
		h.write(CmdClose, 0, closeAbort, l, 0, le64(0))
		h.commit()
		h.want(EvClosed, l)
	}
}

// A listener that is closed as soon as the host knows that it is there is closed once.
func TestCloseListenerAtOnce(t *testing.T) {
	h := open(t, Config{})
	for range 100 {
		l, _, err := h.tryListen("alpn", "a")
		if err != nil {
			t.Fatal(err)
		}
		h.write(CmdClose, 0, closeAbort, l, 0, le64(0))
		h.commit()
		h.want(EvClosed, l)
	}
}

// A listener is told to be closed with its connections when its address can be had again.
func TestAddressFree(t *testing.T) {
	h := open(t, Config{})
	l, address := h.listen("alpn", "test")
	for range 20 {
		h.connect(address, "alpn", "test")
		h.want(EvAccepted, 0)
		h.write(CmdClose, 0, closeAbort, l, 0, le64(0))
		h.commit()
		h.want(EvClosed, l)
		l, _ = h.listen("alpn", "test", "address", address)
	}
}
