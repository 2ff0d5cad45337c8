package wire

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fullParams has every parameter a server can send, none at its default.
func fullParams(t testing.TB) TransportParameters {
	return TransportParameters{
		OriginalDstID:          SomeID(testID(t, "8394c8f03e515708")),
		InitialSrcID:           SomeID(testID(t, "")),
		RetrySrcID:             SomeID(testID(t, "0102")),
		StatelessResetToken:    ResetToken{1, 2, 15: 3},
		HasStatelessResetToken: true,
		PreferredAddress: &PreferredAddress{
			IPv4:  netip.MustParseAddrPort("192.0.2.1:443"),
			IPv6:  netip.MustParseAddrPort("[2001:db8::1]:4433"),
			ID:    testID(t, "c1c2c3"),
			Token: ResetToken{9, 15: 8},
		},
		MaxIdleTimeout:                 30 * time.Second,
		MaxUDPPayloadSize:              1472,
		InitialMaxData:                 1 << 20,
		InitialMaxStreamDataBidiLocal:  1 << 18,
		InitialMaxStreamDataBidiRemote: 1 << 17,
		InitialMaxStreamDataUni:        1 << 16,
		InitialMaxStreamsBidi:          100,
		InitialMaxStreamsUni:           MaxStreamCount,
		AckDelayExponent:               20,
		MaxAckDelay:                    16383 * time.Millisecond,
		DisableActiveMigration:         true,
		ActiveConnIDLimit:              8,
		MaxDatagramFrameSize:           65535,
		GreaseQUICBit:                  true,
		ResetStreamAt:                  true,
		VersionInformation:             &VersionInformation{Version2, []Version{Version2, Version1, 0x1a2a3a4a}},
	}
}

func TestTransportParameters(t *testing.T) {
	full := fullParams(t)
	onlyIPv6 := DefaultTransportParameters()
	onlyIPv6.PreferredAddress = &PreferredAddress{IPv6: full.PreferredAddress.IPv6, ID: full.PreferredAddress.ID}
	for _, want := range []TransportParameters{full, onlyIPv6, DefaultTransportParameters()} {
		b := AppendTransportParameters(nil, &want)
		got, err := ParseTransportParameters(b, ServerSide)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("parsed %+v, %v; want %+v", got, err, want)
		}
	}
	if want := reflect.ValueOf(full); want.NumField() > 0 {
		for i := range want.NumField() {
			if want.Field(i).IsZero() {
				t.Errorf("the test leaves out %s", want.Type().Field(i).Name)
			}
		}
	}
}

func TestTransportParametersDefaults(t *testing.T) {
	p := DefaultTransportParameters()
	if b := AppendTransportParameters(nil, &p); len(b) != 0 {
		t.Errorf("the defaults are sent as %x", b)
	}
	got, err := ParseTransportParameters(nil, ClientSide)
	if err != nil || got != p {
		t.Errorf("none parse as %+v, %v", got, err)
	}
	if p.MaxUDPPayloadSize != 65527 || p.AckDelayExponent != 3 || p.MaxAckDelay != 25*time.Millisecond || p.ActiveConnIDLimit != 2 {
		t.Errorf("defaults are %+v", p)
	}
}

func TestTransportParametersRounding(t *testing.T) {
	p := DefaultTransportParameters()
	p.MaxIdleTimeout = time.Microsecond // 0 would mean none
	got, err := ParseTransportParameters(AppendTransportParameters(nil, &p), ClientSide)
	if err != nil || got.MaxIdleTimeout != time.Millisecond {
		t.Errorf("an idle timeout of 1 us is %v, %v for the peer", got.MaxIdleTimeout, err)
	}
	got, err = ParseTransportParameters(unhex(t, "0108ffffffffffffffff"), ClientSide)
	if err != nil || got.MaxIdleTimeout < 200*365*24*time.Hour {
		t.Errorf("the longest idle timeout is %v, %v", got.MaxIdleTimeout, err)
	}
}

func TestTransportParametersBytes(t *testing.T) {
	// Unknown parameters, some repeated, and integers in long encodings.
	b := unhex(t, "1b03aabbcc"+"0402"+"4005"+"1b00"+"0a0103"+"5ab20100"+"0304800005dc")
	got, err := ParseTransportParameters(b, ClientSide)
	want := DefaultTransportParameters()
	want.InitialMaxData = 5
	want.MaxUDPPayloadSize = 1500
	if err != nil || got != want {
		t.Errorf("parsed %+v, %v; want %+v", got, err, want)
	}
}

func TestTransportParametersInvalid(t *testing.T) {
	token := "000102030405060708090a0b0c0d0e0f"
	address := strings.Repeat("00", 24)
	tests := []struct{ name, params, want string }{
		{"no length", "01", "truncated"},
		{"no value", "0102", "truncated"},
		{"length of 62 bits", "01ffffffffffffffff", "truncated"},
		{"unknown and truncated", "1b0500", "truncated"},
		{"repeated", "0401050401 05", "initial_max_data is repeated"},
		{"repeated flag", "6ab2006ab200", "grease_quic_bit is repeated"},
		{"integer too short for its length", "04020500", "initial_max_data"},
		{"integer truncated", "040180", "initial_max_data"},
		{"integer empty", "0400", "initial_max_data"},
		{"max_udp_payload_size below 1200", "030244af", "max_udp_payload_size"},
		{"initial_max_streams_bidi over 2^60", "0808d000000000000001", "initial_max_streams_bidi"},
		{"initial_max_streams_uni over 2^60", "0908d000000000000001", "initial_max_streams_uni"},
		{"ack_delay_exponent over 20", "0a0115", "ack_delay_exponent"},
		{"max_ack_delay of 2^14", "0b0480004000", "max_ack_delay"},
		{"active_connection_id_limit below 2", "0e0101", "active_connection_id_limit"},
		{"flag with a value", "0c0100", "disable_active_migration"},
		{"flag with a value", "6ab20100", "grease_quic_bit"},
		{"connection ID of 21 bytes", "0f15" + token + "0000000000", "initial_source_connection_id"},
		{"short token", "020f" + token[2:], "stateless_reset_token"},
		{"long token", "0211" + token + "00", "stateless_reset_token"},
		{"preferred address without ID", "0d29" + address + "00" + token, "preferred_address"},
		{"preferred address with a byte too many", "0d2b" + address + "0101" + token + "00", "preferred_address"},
		{"preferred address with a byte too few", "0d29" + address + "0101" + token[2:], "preferred_address"},
		{"preferred address that is empty", "0d00", "preferred_address"},
	}
	for _, tt := range tests {
		b := unhex(t, strings.ReplaceAll(tt.params, " ", ""))
		if p, err := ParseTransportParameters(b, ServerSide); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: parsed %+v, %v; want an error with %q", tt.name, p, err, tt.want)
		}
	}
}

func TestTransportParametersFromClient(t *testing.T) {
	full := fullParams(t)
	for name, p := range map[string]TransportParameters{
		"original_destination_connection_id": {OriginalDstID: full.OriginalDstID},
		"retry_source_connection_id":         {RetrySrcID: full.RetrySrcID},
		"stateless_reset_token":              {HasStatelessResetToken: true},
		"preferred_address":                  {PreferredAddress: full.PreferredAddress},
	} {
		b := AppendTransportParameters(nil, &p)
		if _, err := ParseTransportParameters(b, ServerSide); err != nil {
			t.Errorf("%s from a server: %v", name, err)
		}
		if _, err := ParseTransportParameters(b, ClientSide); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s from a client: %v", name, err)
		}
	}
}

// FuzzTransportParameters parses, appends, and expects to parse the same.
func FuzzTransportParameters(f *testing.F) {
	full := fullParams(f)
	f.Add(AppendTransportParameters(nil, &full), true)
	f.Add(unhex(f, "1b03aabbcc040240050a0103"), false)
	f.Add(unhex(f, "110c6b3343cf6b3343cf00000001"), false)
	f.Add(unhex(f, "110400000001"), true)
	f.Fuzz(func(t *testing.T, b []byte, server bool) {
		from := ClientSide
		if server {
			from = ServerSide
		}
		p, err := ParseTransportParameters(b, from)
		if err != nil {
			return
		}
		enc := AppendTransportParameters(nil, &p)
		q, err := ParseTransportParameters(enc, from)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
		if again := AppendTransportParameters(nil, &q); !bytes.Equal(again, enc) {
			t.Fatalf("%x became %x", enc, again)
		}
	})
}
