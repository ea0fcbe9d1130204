// Reads, makes and judges logs with golang.org/x/mod/sumdb, the Go implementation of signed notes, tiled logs and their proofs. Where that has
// no word for a format (paths and bundles of C2SP tlog-tiles, the text of a checkpoint, tlog-proof), the format is read here by its specification.
//
//	reference check <folder> <vkey>   verifies a whole log; prints its size and root
//	reference make <folder>           makes a log from a request on standard input; prints its key and claims about it
//	reference judge                   reads claims from standard input; prints of each why it does not hold, or ""
//
// Requests and answers are JSON, bytes in base64. The exit code is 1 where a log is refused, with the reason on standard error.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "check":
		return checkLog(args[1], args[2])
	case len(args) == 2 && args[0] == "make":
		return makeLog(args[1])
	case len(args) == 1 && args[0] == "judge":
		return judgeAll()
	}
	return errors.New("usage: reference check <folder> <vkey> | make <folder> | judge")
}

func answer(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
