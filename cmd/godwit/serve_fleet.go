package main

import (
	"fmt"
	"os"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// shareKeys has a server use the secrets in a file, if one is named.
func shareKeys(srv *http3.Server, file string) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the secrets: %w", err)
	}
	keys, err := quic.ParseFleetKeys(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	srv.QUICTransportConfig.FleetKeys = keys
	srv.TLSConfig.SetSessionTicketKeys(keys.SessionTicketKeys())
	return nil
}
