// Command pack builds the addon and packs the npm packages, into bindings/js/dist unless
// -o names another folder. It is run at the top of the project. Arguments name platforms;
// without any it packs them all:
//
//	go run ./bindings/js/cmd/pack linux-x64-gnu
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/godwit-quic/godwit/bindings/js/internal/pack"
)

func main() {
	source := filepath.Join("bindings", "js")
	dist := flag.String("o", filepath.Join(source, "dist"), "the `folder` for the tarballs")
	flag.Parse()
	if err := run(source, *dist, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(source, dist string, names []string) error {
	var platforms []pack.Platform
	for _, p := range pack.Platforms {
		if len(names) == 0 || slices.Contains(names, p.Name) {
			platforms = append(platforms, p)
		}
	}
	if len(names) > 0 && len(platforms) != len(names) {
		return fmt.Errorf("not all of %q are platforms", names)
	}
	scratch, err := os.MkdirTemp("", "godwit-pack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	p := pack.Packer{Source: source, Dist: dist, Scratch: scratch}
	list, err := p.All(context.Background(), platforms)
	for _, one := range list {
		fmt.Printf("%-24s %s, %d bytes unpacked\n", one.Name, one.Tarball, one.Size)
	}
	return err
}
