// Holds what virtscap makes against the Compliance Operator's own code, at the version that go.mod names. Each command
// answers in JSON on standard output.
//
//	operator bundle DATASTREAM PROFILEBUNDLE           what the operator makes of the content
//	operator tailor DATASTREAM PROFILEBUNDLE FILE...   the tailoring that it makes of each TailoredProfile
//	operator results DATASTREAM RESULTS...             what it reads in each file of XCCDF results
//	operator cel                                       what its CEL scanner says of the rules on standard input
//	operator manifests CRDS FILE...                    what an API server would object to in each file
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	command, arguments := next(arguments)
	file, rest := next(arguments)
	bundle, files := next(rest)
	switch command {
	case "bundle":
		return answer(bundleSummary(file, bundle))
	case "tailor":
		return answer(tailorings(file, bundle, files))
	case "results":
		return answer(parsedResults(file, rest))
	case "cel":
		return scanRules(os.Stdin, os.Stdout)
	case "manifests":
		return answer(objections(file, rest))
	}
	return fmt.Errorf("unknown command %q", command)
}

func next(arguments []string) (string, []string) {
	if len(arguments) == 0 {
		return "", nil
	}
	return arguments[0], arguments[1:]
}

func answer(value any, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(value)
}
