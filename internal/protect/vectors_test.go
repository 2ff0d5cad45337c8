package protect

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vector reads bytes in hexadecimal as RFC 9001, Appendix A, and RFC 9369,
// Appendix A, print them.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".hex")
	if err != nil {
		t.Fatal(err)
	}
	return unhex(t, string(text))
}

func wantBytes(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s is %x, want %s", what, got, want)
	}
}

const vectorDstID = "8394c8f03e515708"

func TestInitialSecrets(t *testing.T) {
	tests := []struct {
		version                           wire.Version
		secret, key, iv, hp               string
		serverSecret, sKey, serverIV, sHP string
	}{
		{
			wire.Version1,
			"c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea",
			"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2",
			"3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b",
			"cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314",
		},
		{
			wire.Version2,
			"14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b",
			"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9",
			"0263db1782731bf4588e7e4d93b7463907cb8cd8200b5da55a8bd488eafc37c1",
			"82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652", "edf6d05c83121201b436e16877593c3a",
		},
	}
	for _, tt := range tests {
		clientSecret, serverSecret := initialSecrets(tt.version, unhex(t, vectorDstID))
		client, server := clientSecret[:], serverSecret[:]
		wantBytes(t, "client secret", client, tt.secret)
		wantBytes(t, "server secret", server, tt.serverSecret)
		l := labelsOf(tt.version)
		wantBytes(t, "client key", derive(AES128GCM, client, l.key, 16), tt.key)
		wantBytes(t, "client IV", derive(AES128GCM, client, l.iv, ivLen), tt.iv)
		wantBytes(t, "client hp", derive(AES128GCM, client, l.hp, 16), tt.hp)
		wantBytes(t, "server key", derive(AES128GCM, server, l.key, 16), tt.sKey)
		wantBytes(t, "server IV", derive(AES128GCM, server, l.iv, ivLen), tt.serverIV)
		wantBytes(t, "server hp", derive(AES128GCM, server, l.hp, 16), tt.sHP)
	}
}

// TestInitialPackets seals the sample Initial packets of both RFCs and opens
// them at the other side.
func TestInitialPackets(t *testing.T) {
	clientHello := append(vector(t, "client_hello"), make([]byte, 1162)...)[:1162]
	tests := []struct {
		name    string
		version wire.Version
		side    wire.Side
		header  string
		payload []byte
		pn      wire.PacketNumber
		pnLen   int
	}{
		{"v1_client_initial", wire.Version1, wire.ClientSide, "c300000001088394c8f03e5157080000449e00000002", clientHello, 2, 4},
		{"v1_server_initial", wire.Version1, wire.ServerSide, "c1000000010008f067a5502a4262b50040750001", vector(t, "server_hello"), 1, 2},
		{"v2_client_initial", wire.Version2, wire.ClientSide, "d36b3343cf088394c8f03e5157080000449e00000002", clientHello, 2, 4},
		{"v2_server_initial", wire.Version2, wire.ServerSide, "d16b3343cf0008f067a5502a4262b50040750001", vector(t, "server_hello"), 1, 2},
	}
	for _, tt := range tests {
		header := unhex(t, tt.header)
		pnOffset := len(header) - tt.pnLen
		want := vector(t, tt.name)

		sealer, _ := NewInitial(tt.version, unhex(t, vectorDstID), tt.side)
		got := sealer.Seal(append(bytes.Clone(header), tt.payload...), pnOffset, tt.pnLen, tt.pn)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: sealed\n%x, want\n%x", tt.name, got, want)
		}

		_, opener := NewInitial(tt.version, unhex(t, vectorDstID), tt.side.Peer())
		payload, pn, err := opener.Open(want, pnOffset, wire.NoPacket)
		if err != nil || pn != tt.pn || !bytes.Equal(payload, tt.payload) {
			t.Errorf("%s: opened packet %d, %v:\n%x, want\n%x", tt.name, pn, err, payload, tt.payload)
		}
	}
}

func TestChaCha20ShortHeader(t *testing.T) {
	secret := unhex(t, "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
	tests := []struct {
		version                 wire.Version
		key, iv, hp, ku, packet string
	}{
		{
			wire.Version1,
			"c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8", "e0459b3474bdd0e44a41c144",
			"25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
			"1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9",
			"4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
		},
		{
			wire.Version2,
			"3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2", "a6b5bc6ab7dafce30ffff5dd",
			"d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2",
			"c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88",
			"5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba",
		},
	}
	for _, tt := range tests {
		l := labelsOf(tt.version)
		wantBytes(t, "key", derive(ChaCha20Poly1305, secret, l.key, 32), tt.key)
		wantBytes(t, "IV", derive(ChaCha20Poly1305, secret, l.iv, ivLen), tt.iv)
		wantBytes(t, "hp", derive(ChaCha20Poly1305, secret, l.hp, 32), tt.hp)
		wantBytes(t, "ku", derive(ChaCha20Poly1305, secret, l.ku, 32), tt.ku)

		const pn = 654360564
		sealer, err := NewSealer(tt.version, ChaCha20Poly1305, secret)
		if err != nil {
			t.Fatal(err)
		}
		pkt := sealer.Seal(unhex(t, "4200bff401"), 1, 3, pn)
		wantBytes(t, "packet", pkt, tt.packet)

		opener, err := NewOpener(tt.version, ChaCha20Poly1305, secret)
		if err != nil {
			t.Fatal(err)
		}
		payload, got, err := opener.Open(pkt, 1, pn-1)
		if err != nil || got != pn || !bytes.Equal(payload, []byte{1}) {
			t.Errorf("%v: opened packet %d, %x, %v", tt.version, got, payload, err)
		}
	}
}

func TestRetryVectors(t *testing.T) {
	id, _ := wire.NewConnectionID(unhex(t, vectorDstID))
	for name, v := range map[string]wire.Version{"v1_retry": wire.Version1, "v2_retry": wire.Version2} {
		pkt := vector(t, name)
		at := len(pkt) - wire.RetryTagLen
		if tag := RetryTag(v, &id, pkt[:at]); !bytes.Equal(tag[:], pkt[at:]) {
			t.Errorf("%s: tag is %x, want %x", name, tag, pkt[at:])
		}
		if !VerifyRetry(v, &id, pkt) {
			t.Errorf("%s: not verified", name)
		}
		other, _ := wire.NewConnectionID([]byte{1})
		if VerifyRetry(v, &other, pkt) {
			t.Errorf("%s: verified for another connection ID", name)
		}
		for i := range pkt {
			pkt[i] ^= 1
			if VerifyRetry(v, &id, pkt) {
				t.Errorf("%s: verified with byte %d changed", name, i)
			}
			pkt[i] ^= 1
		}
		for i := range len(pkt) {
			if VerifyRetry(v, &id, pkt[:i]) {
				t.Errorf("%s: verified though truncated to %d bytes", name, i)
			}
		}
	}
}
