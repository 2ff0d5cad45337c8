package demo

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// info is what /info answers.
type info struct {
	Protocol string    `json:"protocol"`
	Local    string    `json:"local"`
	Remote   string    `json:"remote"`
	TLS      *tlsInfo  `json:"tls,omitempty"`
	QUIC     *connInfo `json:"quic,omitempty"`
}

type tlsInfo struct {
	Version    string `json:"version"`
	Cipher     string `json:"cipher"`
	Group      string `json:"group"`
	ALPN       string `json:"alpn"`
	ServerName string `json:"server_name"`
}

// connInfo is the connection's statistics: times in milliseconds, sizes in bytes.
type connInfo struct {
	MinRTT           float64 `json:"min_rtt_ms"`
	SmoothedRTT      float64 `json:"smoothed_rtt_ms"`
	LatestRTT        float64 `json:"latest_rtt_ms"`
	RTTVar           float64 `json:"rtt_var_ms"`
	CongestionWindow int     `json:"congestion_window"`
	BytesInFlight    int     `json:"bytes_in_flight"`
	SentBytes        uint64  `json:"sent_bytes"`
	ReceivedBytes    uint64  `json:"received_bytes"`
	SentPackets      uint64  `json:"sent_packets"`
	ReceivedPackets  uint64  `json:"received_packets"`
	LostPackets      uint64  `json:"lost_packets"`
	LostBytes        uint64  `json:"lost_bytes"`
}

// serveInfo describes the connection of the request.
func serveInfo(w http.ResponseWriter, r *http.Request) {
	out := info{Protocol: r.Proto, Remote: r.RemoteAddr, TLS: describeTLS(r.TLS)}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		out.Local = addr.String()
	}
	if conn := http3.RequestConn(r); conn != nil {
		out.QUIC = describeConn(conn.Stats())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(out) // fails only when the client is gone
}

func describeTLS(state *tls.ConnectionState) *tlsInfo {
	if state == nil {
		return nil
	}
	return &tlsInfo{
		Version:    tls.VersionName(state.Version),
		Cipher:     tls.CipherSuiteName(state.CipherSuite),
		Group:      state.CurveID.String(),
		ALPN:       state.NegotiatedProtocol,
		ServerName: state.ServerName,
	}
}

func describeConn(s quic.Stats) *connInfo {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return &connInfo{
		MinRTT: ms(s.MinRTT), SmoothedRTT: ms(s.SmoothedRTT), LatestRTT: ms(s.LatestRTT), RTTVar: ms(s.RTTVar),
		CongestionWindow: s.CongestionWindow, BytesInFlight: s.BytesInFlight,
		SentBytes: s.SentBytes, ReceivedBytes: s.ReceivedBytes,
		SentPackets: s.SentPackets, ReceivedPackets: s.ReceivedPackets,
		LostPackets: s.LostPackets, LostBytes: s.LostBytes,
	}
}
