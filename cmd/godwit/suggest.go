package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// renamed are flags that were once called otherwise, or are in programs alike.
var renamed = map[string]string{
	"timeout": "max-time", "http1": "http1.1", "root": "demo", "cookies": "cookie", "show-headers": "include", "http2-prior-knowledge": "http2",
	"certificate": "cert", "port": "listen", "no-check-certificate": "insecure",
}

// flagError adds to the error of a flag that there is not one that may be meant.
func flagError(cmd *cobra.Command, err error) error {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) {
		return err
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("unknown flag: -%s", name)
	}
	err = fmt.Errorf("unknown flag: --%s", name)
	if meant := nearestFlag(cmd, name); meant != "" {
		err = fmt.Errorf("%w; did you mean --%s?", err, meant)
	}
	return err
}

// unknownBelow returns the command and the error of a command line with a command that only
// has others, like cert, and none of them after it: package cobra shows the help then, as if
// all had been well.
func unknownBelow(root *cobra.Command, args []string) (*cobra.Command, error) {
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root || cmd.Runnable() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		return nil, nil // package cobra says what is wrong, if anything is
	}
	err = fmt.Errorf("unknown command %q for %q", rest[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = maxMistakes
	if meant := cmd.SuggestionsFor(rest[0]); len(meant) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(meant, " or "))
	}
	return cmd, err
}

// describeCompletion says what the command is for that package cobra adds.
func describeCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Print what has a shell complete commands, flags and their values"
			cmd.Long = `Print what has a shell complete commands, flags and their values. Until the shell ends:

  bash        source <(godwit completion bash)
  zsh         source <(godwit completion zsh)
  fish        godwit completion fish | source
  powershell  godwit completion powershell | Out-String | Invoke-Expression

The help of each says how to have it in every shell.`
		}
	}
}

// maxMistakes is how many letters may be wrong in a flag's name.
const maxMistakes = 2

// nearestFlag returns the flag whose name is the most like another, "" if none is.
func nearestFlag(cmd *cobra.Command, name string) string {
	if meant := renamed[name]; meant != "" && cmd.Flags().Lookup(meant) != nil {
		return meant
	}
	best, fewest := "", maxMistakes+1
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		mistakes := distance(name, f.Name)
		if len(name) > maxMistakes && strings.HasPrefix(f.Name, name) {
			mistakes = min(mistakes, maxMistakes)
		}
		if !f.Hidden && mistakes < fewest && mistakes < len(f.Name)-1 {
			best, fewest = f.Name, mistakes
		}
	})
	return best
}

// distance returns how many letters have to be changed, added or left out to make one word
// of another (Levenshtein). Words are short: nobody else's come here.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(diagonal+cost, row[j]+1, row[j+1]+1)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// complete has shells complete the values of flags that have only some, which their
// placeholders name. Shells show what is said of flags as it is: without the marks of
// placeholders.
func complete(cmd *cobra.Command, bare bool) {
	each := func(f *pflag.Flag) {
		name, usage := pflag.UnquoteUsage(f)
		if strings.Contains(name, "|") {
			// It fails for a flag that there is not, or that has a function already.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(strings.Split(name, "|"), cobra.ShellCompDirectiveNoFileComp))
		}
		if bare {
			f.Usage = usage
		}
	}
	cmd.Flags().VisitAll(each)
	cmd.PersistentFlags().VisitAll(each)
	for _, sub := range cmd.Commands() {
		complete(sub, bare)
	}
}
