package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// openNote returns the text of a note that the key has signed.
func openNote(message []byte, vkey string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	return opened.Text, nil
}

// openCheckpoint returns the tree of a signed checkpoint (C2SP tlog-checkpoint) whose origin is the name of the key.
func openCheckpoint(message []byte, vkey string) (tlog.Tree, error) {
	text, err := openNote(message, vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, errors.New("checkpoint of fewer than three lines")
	}
	origin, _, _ := strings.Cut(vkey, "+")
	if lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("checkpoint of %q", lines[0])
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func formatCheckpoint(origin string, tree tlog.Tree) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, tree.N, base64.StdEncoding.EncodeToString(tree.Hash[:]))
}

// parseDecimal reads a number that has no sign and no leading zeros.
func parseDecimal(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err == nil && strconv.FormatUint(uint64(number), 10) != text {
		err = fmt.Errorf("number %q", text)
	}
	return number, err
}
