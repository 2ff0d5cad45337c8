package main

import (
	"time"

	"github.com/godwit-quic/godwit/interop/runner/network"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// testCase is a case of the QUIC Interop Runner.
type testCase struct {
	name   string
	about  string
	client string // TESTCASE of the client, if it is not name
	server string // and of the server
	// files are the sizes of those to move, and nameLen is how long their names are, 0 for
	// any length.
	files   []int
	nameLen int
	network network.Scenario
	timeout time.Duration
	chain   int // certificates of the server
	ipv6    bool
	check   func(*evidence) error

	// Of WebTransport's cases:
	webTransport bool
	way          string // one of contract.Transfers
	serverAsks   bool   // the server wants the files, and the client has them
}

func (c *testCase) clientCase() string { return orElse(c.client, c.name) }
func (c *testCase) serverCase() string { return orElse(c.server, c.name) }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// times returns n sizes.
func times(n, size int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = size
	}
	return list
}

// ordinary is the network of most cases.
func ordinary() network.Scenario {
	return network.Scenario{Delay: 15 * time.Millisecond, Rate: 10e6, Queue: 25}
}

const (
	usualTimeout = 60 * time.Second
	longTimeout  = 300 * time.Second
)

// allCases returns the runner's cases, QUIC's first. With quick they move less, and break
// the network sooner: the same things happen, in a third of the time.
func allCases(quick bool) []*testCase {
	size := func(whole, little int) int {
		if quick {
			return little
		}
		return whole
	}
	list := quicCases(size)
	for _, c := range list {
		if c.timeout == 0 {
			c.timeout = usualTimeout
		}
		if c.network.Rate == 0 {
			weather := c.network
			c.network = ordinary()
			c.network.ToServer, c.network.ToClient = weather.ToServer, weather.ToClient
		}
	}
	return append(list, sessionCases(size)...)
}

func quicCases(size func(int, int) int) []*testCase {
	slow := network.Scenario{Delay: 750 * time.Millisecond, Rate: 10e6, Queue: 25}
	dead := ordinary()
	dead.On, dead.Off = time.Duration(size(5000, 700))*time.Millisecond, time.Duration(size(2000, 1000))*time.Millisecond
	port := ordinary()
	port.FirstRebind, port.RebindEvery = time.Duration(size(1000, 400))*time.Millisecond, time.Duration(size(5000, 900))*time.Millisecond
	addr := port
	addr.RebindAddr = true
	connections := size(50, 8)
	return append([]*testCase{
		{name: "handshake", about: "a handshake", files: []int{kib}, check: checkHandshake},
		{name: "transfer", about: "flow control, several streams", files: []int{size(2, 1) * mib, size(3, 1) * mib, size(5, 1) * mib}, check: checkOne},
		{name: "longrtt", about: "a round trip of 1.5 s", client: "handshake", server: "handshake", files: []int{kib}, network: slow, check: checkLongRTT},
		{name: "chacha20", about: "no other cipher suite", files: []int{size(3*mib, 300*kib)}, check: checkChaCha20},
		{name: "multiplexing", about: "1999 files on one connection", client: "transfer", server: "transfer", files: times(1999, 32), check: checkMultiplexing},
		{name: "retry", about: "a Retry packet", files: []int{10 * kib}, check: checkRetry},
		{name: "resumption", about: "a session resumed", files: []int{5 * kib, 10 * kib}, check: checkResumption},
		{name: "zerortt", about: "requests in 0-RTT packets", files: times(earlyFiles, 32), nameLen: earlyNameLen, check: checkZeroRTT},
		{name: "http3", about: "HTTP/3", files: []int{5 * kib, 10 * kib, 500 * kib}, check: checkOne},
		{name: "blackhole", about: "a network that is dead for a while", client: "transfer", server: "transfer", files: []int{size(10, 2) * mib}, network: dead, check: checkBlackhole},
		{name: "keyupdate", about: "keys updated on both sides", server: "transfer", files: []int{size(3, 1) * mib}, check: checkKeyUpdate},
		{name: "ecn", about: "ECN on both sides", client: "handshake", server: "handshake", files: []int{100 * kib}, check: checkECN},
		{name: "amplificationlimit", about: "a long certificate chain, and lost packets", client: "transfer", server: "transfer", files: []int{5 * kib}, chain: 9,
			network: network.Scenario{ToServer: network.Weather{Drop: []int{2, 3, 4, 5, 6, 7}}}, check: checkAmplification},
	}, lossyCases(size, connections, port, addr)...)
}

func lossyCases(size func(int, int) int, connections int, port, addr network.Scenario) []*testCase {
	loss := func(rate float64) network.Scenario {
		w := network.Weather{Loss: rate, Burst: 3}
		return network.Scenario{ToServer: w, ToClient: w}
	}
	corruption := func(rate float64) network.Scenario {
		w := network.Weather{Corruption: rate, Burst: 3}
		return network.Scenario{ToServer: w, ToClient: w}
	}
	handshakes := checkHandshakes(connections)
	return []*testCase{
		{name: "handshakeloss", about: "connections where 30 % are lost", client: "multiconnect", server: "multiconnect", files: times(connections, kib),
			network: loss(0.3), timeout: longTimeout, check: handshakes},
		{name: "transferloss", about: "2 % lost", client: "transfer", server: "transfer", files: []int{2 * mib}, network: loss(0.02), check: checkOne},
		{name: "handshakecorruption", about: "connections where 30 % are changed", client: "multiconnect", server: "multiconnect", files: times(connections, kib),
			network: corruption(0.3), timeout: longTimeout, check: handshakes},
		{name: "transfercorruption", about: "2 % changed", client: "transfer", server: "transfer", files: []int{2 * mib}, network: corruption(0.02), check: checkOne},
		{name: "ipv6", about: "IPv6", client: "transfer", server: "transfer", files: []int{5 * kib, 10 * kib}, ipv6: true, check: checkOne},
		{name: "v2", about: "compatible version negotiation to QUIC version 2", files: []int{kib}, check: checkV2},
		{name: "rebind-port", about: "a NAT that changes the client's port", client: "transfer", server: "transfer", files: []int{size(10, 2) * mib}, network: port, check: checkRebinding},
		{name: "rebind-addr", about: "a NAT that changes the client's address", client: "transfer", server: "transfer", files: []int{size(10, 2) * mib}, network: addr, check: checkRebinding},
	}
}

// sessionCases are those of WebTransport.
func sessionCases(size func(int, int) int) []*testCase {
	list := []*testCase{{name: "handshake", about: "a session, and its subprotocol", check: checkSession}}
	streams := []int{100 * kib, size(500, 100) * kib, 250 * kib, size(1024, 200) * kib, size(2048, 300) * kib}
	datagrams := make([]int, size(200, 100))
	for i := range datagrams {
		datagrams[i] = 600 + 2*i
	}
	for _, way := range []string{"unidirectional", "bidirectional", "datagram"} {
		files := streams
		if way == "datagram" {
			files = datagrams
		}
		list = append(list,
			&testCase{name: "transfer-" + way + "-receive", about: "the client asks for files", server: "transfer", files: files, way: way, check: checkSession},
			&testCase{name: "transfer-" + way + "-send", about: "the server asks for files", client: "transfer", files: files, way: way, serverAsks: true, check: checkSession})
	}
	for _, c := range list {
		c.webTransport, c.network, c.timeout = true, ordinary(), usualTimeout
	}
	return list
}
