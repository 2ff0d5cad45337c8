package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manualCommand writes what packages of the command have beside it. It is for them, and not
// in the help.
func (a *app) manualCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "manual DIR",
		Short:  "Write manual pages and completions for shells to a directory",
		Hidden: true,
		Args:   one("a directory"),
		RunE:   func(cmd *cobra.Command, args []string) error { return writeManual(cmd.Root(), args[0]) },
	}
}

// writeManual writes man1/godwit.1, man1/godwit-get.1 and so on, and completions/godwit.bash,
// _godwit (of zsh), godwit.fish and godwit.ps1.
func writeManual(root *cobra.Command, dir string) error {
	pages, completions := filepath.Join(dir, "man1"), filepath.Join(dir, "completions")
	if err := errors.Join(os.MkdirAll(pages, 0o755), os.MkdirAll(completions, 0o755)); err != nil {
		return err
	}
	var write func(cmd *cobra.Command) error
	write = func(cmd *cobra.Command) error {
		path := filepath.Join(pages, pageName(cmd)+".1")
		if err := os.WriteFile(path, []byte(manPage(cmd)), 0o644); err != nil {
			return err
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				if err := write(sub); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := write(root); err != nil {
		return err
	}
	for name, generate := range map[string]func(io.Writer) error{
		"godwit.bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"_godwit":     root.GenZshCompletion,
		"godwit.fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"godwit.ps1":  root.GenPowerShellCompletionWithDesc,
	} {
		f, err := os.Create(filepath.Join(completions, name))
		if err != nil {
			return err
		}
		if err := errors.Join(generate(f), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// pageName returns the name of a command's page.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// roff writes a text so that no character of it commands the formatter (man 7 groff_char).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// paragraphs writes a text whose paragraphs have empty lines between them.
func paragraphs(text string) string {
	return strings.ReplaceAll(roff(strings.TrimSpace(text)), "\n\n", "\n.PP\n") + "\n"
}

// manPage returns a command's page (man 7 man).
func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, ".SH %s\n%s", title, text)
		}
	}
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"godwit %s\" \"Godwit\"\n", strings.ToUpper(roff(pageName(cmd))), roff(version()))
	section("NAME", roff(pageName(cmd))+` \- `+roff(cmd.Short)+"\n")
	section("SYNOPSIS", ".B "+roff(strings.TrimSuffix(cmd.UseLine(), " [flags]"))+"\n[options]\n")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	section("DESCRIPTION", paragraphs(long))
	var commands, related strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			fmt.Fprintf(&commands, ".TP\n.B %s\n%s\n", roff(sub.Name()), roff(sub.Short))
			fmt.Fprintf(&related, ".BR %s (1)\n", roff(pageName(sub)))
		}
	}
	section("COMMANDS", commands.String())
	section("OPTIONS", options(cmd.NonInheritedFlags()))
	section("OPTIONS OF ALL COMMANDS", options(cmd.InheritedFlags()))
	if cmd.Example != "" {
		section("EXAMPLES", ".nf\n"+roff(cmd.Example)+"\n.fi\n")
	}
	if cmd.HasParent() {
		fmt.Fprintf(&related, ".BR %s (1)\n", roff(pageName(cmd.Parent())))
	}
	section("SEE ALSO", related.String())
	return b.String()
}

// options describes flags.
func options(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		placeholder, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		b.WriteString(".TP\n\\fB" + roff(name) + "\\fR")
		if placeholder != "" {
			b.WriteString(" \\fI" + roff(placeholder) + "\\fR")
		}
		b.WriteString("\n" + roff(usage))
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			b.WriteString(roff(" (default " + f.DefValue + ")"))
		}
		b.WriteString("\n")
	})
	return b.String()
}
