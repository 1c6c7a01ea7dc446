// Runs jq filters with gojq, the engine of the Compliance Operator's collector: a line {"filter", "input"} on standard
// input gives a line {"output"} or {"error"} on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/itchyny/gojq"
)

type request struct {
	Filter string `json:"filter"`
	Input  any    `json:"input"`
}

type answer struct {
	Output any    `json:"output"`
	Error  string `json:"error,omitempty"`
}

func run(r request) (any, error) {
	query, err := gojq.Parse(r.Filter)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, err
	}
	value, ok := code.Run(r.Input).Next()
	if !ok {
		return nil, fmt.Errorf("no result")
	}
	if err, ok := value.(error); ok {
		return nil, err
	}
	return value, nil
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	decoder := json.NewDecoder(in)
	encoder := json.NewEncoder(os.Stdout)
	for decoder.More() {
		var r request
		if err := decoder.Decode(&r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		output, err := run(r)
		a := answer{Output: output}
		if err != nil {
			a.Error = err.Error()
		}
		if err := encoder.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
