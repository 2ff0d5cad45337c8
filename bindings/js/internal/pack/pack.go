// Package pack builds the addon for every platform, and packs it and the JavaScript over it
// as npm packages: godwit, and @godwit/... for each platform. zig, from the Python package
// index, is the C compiler for all of them, as it has every system's symbols, of old releases
// as well.
package pack

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	addonName   = "godwit.node"
	hostName    = "godwit-host" // beside it, where the engine is a process of its own
	noticesName = "NOTICES"

	// MaxUnpacked is how many bytes godwit and the package of a platform may have together.
	MaxUnpacked = 12_000_000
)

// manifest is a package.json, as far as it is written here.
type manifest struct {
	Name                 string            `json:"name"`
	Version              string            `json:"version"`
	Description          string            `json:"description"`
	License              string            `json:"license"`
	Engines              map[string]string `json:"engines"`
	OS                   []string          `json:"os,omitempty"`
	CPU                  []string          `json:"cpu,omitempty"`
	Libc                 []string          `json:"libc,omitempty"`
	Main                 string            `json:"main,omitempty"`
	Files                []string          `json:"files"`
	OptionalDependencies map[string]string `json:"optionalDependencies,omitempty"`
}

// Packed is a package that was packed.
type Packed struct {
	// Name is the package's.
	Name string
	// Tarball is the path of the file.
	Tarball string
	// Addon is the path of the addon that went into it, empty for godwit itself; it is in
	// the folder that Packer.Scratch names.
	Addon string
	// Size is how many bytes it has unpacked.
	Size int64
}

// Packer packs.
type Packer struct {
	// Source is the folder bindings/js.
	Source string
	// Dist is the folder for the tarballs, which is made.
	Dist string
	// Scratch is a folder for what goes into them.
	Scratch string
}

// All packs godwit and the packages of platforms, in this order.
func (p *Packer) All(ctx context.Context, platforms []Platform) ([]Packed, error) {
	for _, dir := range []*string{&p.Source, &p.Dist, &p.Scratch} {
		var err error
		if *dir, err = filepath.Abs(*dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(p.Dist, 0o755); err != nil {
		return nil, err
	}
	main, m, err := p.main(ctx)
	if err != nil {
		return nil, err
	}
	list := []Packed{main}
	for _, platform := range platforms {
		one, err := p.platform(ctx, platform, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", platform.Name, err)
		}
		if sum := main.Size + one.Size; sum > MaxUnpacked {
			return nil, fmt.Errorf("%s and %s have %d bytes unpacked, more than %d", main.Name, one.Name, sum, MaxUnpacked)
		}
		list = append(list, one)
	}
	return list, nil
}

// main packs godwit itself: what its package.json says, and the project's license.
func (p *Packer) main(ctx context.Context) (Packed, manifest, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(p.Source, "package.json"))
	if err != nil {
		return Packed{}, m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return Packed{}, m, fmt.Errorf("package.json: %w", err)
	}
	for _, platform := range Platforms {
		name := platform.manifest().Name
		if got := m.OptionalDependencies[name]; got != m.Version {
			return Packed{}, m, fmt.Errorf("package.json: %s in optionalDependencies is %q, not the package's version %s", name, got, m.Version)
		}
	}
	dir := filepath.Join(p.Scratch, m.Name)
	for _, name := range append([]string{"package.json", "README.md"}, m.Files...) {
		if err := copyInto(dir, p.Source, name); err != nil {
			return Packed{}, m, err
		}
	}
	packed, err := p.pack(ctx, dir, m)
	return packed, m, err
}

// platform builds the addon and packs it.
func (p *Packer) platform(ctx context.Context, platform Platform, main manifest) (Packed, error) {
	m := platform.manifest()
	m.Version, m.License, m.Engines = main.Version, main.License, main.Engines
	dir := filepath.Join(p.Scratch, platform.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Packed{}, err
	}
	addon := filepath.Join(dir, addonName)
	if err := p.Build(ctx, platform, addon); err != nil {
		return Packed{}, err
	}
	if !platform.Apart {
		if err := checkSymbols(addon); err != nil {
			return Packed{}, err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return Packed{}, err
	}
	notices, err := p.notices(ctx, platform)
	if err != nil {
		return Packed{}, err
	}
	readme := fmt.Sprintf("# %s\n\n%s, which installs it by itself.\n", m.Name, m.Description)
	for name, content := range map[string]string{"package.json": string(text) + "\n", "README.md": readme, noticesName: notices} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return Packed{}, err
		}
	}
	packed, err := p.pack(ctx, dir, m)
	packed.Addon = addon
	return packed, err
}

// pack makes the tarball of a folder.
func (p *Packer) pack(ctx context.Context, dir string, m manifest) (Packed, error) {
	if err := copyInto(dir, filepath.Join(p.Source, "..", ".."), "LICENSE"); err != nil {
		return Packed{}, err
	}
	packed := Packed{Name: m.Name}
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", p.Dist, dir)
	out, err := output(cmd)
	if err != nil {
		return packed, err
	}
	packed.Tarball = filepath.Join(p.Dist, strings.TrimSpace(out))
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			packed.Size += info.Size()
		}
		return err
	})
	return packed, err
}

// copyInto copies a file or folder.
func copyInto(dir, from, name string) error {
	source, target := filepath.Join(from, name), filepath.Join(dir, name)
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(target, os.DirFS(source))
	}
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o644)
}

// output runs a command. An error has what it said.
func output(cmd *exec.Cmd) (string, error) {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w\n%s%s", cmd, err, out, said.String())
	}
	return string(out), nil
}
