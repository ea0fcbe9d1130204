package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A claim is a statement with all that is needed to judge it. Which fields it has depends on its kind.
type claim struct {
	Kind string `json:"kind"`

	// "record": the log of this size and root has the leaf hash at index.
	Size  int64    `json:"size"`
	Root  []byte   `json:"root,omitempty"`
	Index int64    `json:"index"`
	Leaf  []byte   `json:"leaf,omitempty"`
	Proof [][]byte `json:"proof"`

	// "tree": the log of size to begins with the log of size from; with proof.
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	FromRoot []byte `json:"fromRoot,omitempty"`
	ToRoot   []byte `json:"toRoot,omitempty"`

	// "note" and "checkpoint": the key has signed it, and the latter is one of its log.
	// "proof": by this file the log of the key holds the data.
	Vkey string `json:"vkey,omitempty"`
	File []byte `json:"file,omitempty"`
	Data []byte `json:"data,omitempty"`

	// "path": that of the tile of this level (-1: entries), index and width.
	Level int    `json:"level"`
	Width int    `json:"width"`
	Path  string `json:"path,omitempty"`
}

func judgeAll() error {
	var claims []claim
	if err := json.NewDecoder(os.Stdin).Decode(&claims); err != nil {
		return err
	}
	reasons := make([]string, len(claims))
	for i, c := range claims {
		if err := judge(c); err != nil {
			reasons[i] = err.Error()
		}
	}
	return answer(reasons)
}

func judge(c claim) error {
	switch c.Kind {
	case "record":
		return judgeRecord(c)
	case "tree":
		return judgeTree(c)
	case "note":
		_, err := openNote(c.File, c.Vkey)
		return err
	case "checkpoint":
		_, err := openCheckpoint(c.File, c.Vkey)
		return err
	case "proof":
		return judgeProofFile(c)
	case "path":
		if path := tilePath(tlog.Tile{H: height, L: c.Level, N: c.Index, W: c.Width}); path != c.Path {
			return errors.New("the path is " + path)
		}
		return nil
	}
	return fmt.Errorf("claim of kind %q", c.Kind)
}

func judgeRecord(c claim) error {
	proof, err := toHashes(c.Proof)
	if err != nil {
		return err
	}
	known, err := toHashes([][]byte{c.Root, c.Leaf})
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, c.Size, known[0], c.Index, known[1])
}

func judgeTree(c claim) error {
	proof, err := toHashes(c.Proof)
	if err != nil {
		return err
	}
	known, err := toHashes([][]byte{c.ToRoot, c.FromRoot})
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, c.To, known[0], c.From, known[1])
}

// judgeProofFile reads a C2SP tlog-proof without extra data.
func judgeProofFile(c claim) error {
	head, message, ok := strings.Cut(string(c.File), "\n\n")
	if !ok {
		return errors.New("proof without a checkpoint")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("not a tlog-proof")
	}
	index, err := parseDecimal(strings.TrimPrefix(lines[1], "index "))
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(message), c.Vkey)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(c.Data))
}

func toHashes(all [][]byte) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(all))
	for i, bytes := range all {
		if copy(hashes[i][:], bytes) != tlog.HashSize || len(bytes) != tlog.HashSize {
			return nil, fmt.Errorf("hash of %d bytes", len(bytes))
		}
	}
	return hashes, nil
}

func fromHashes(hashes []tlog.Hash) [][]byte {
	all := make([][]byte, len(hashes))
	for i := range hashes {
		all[i] = hashes[i][:]
	}
	return all
}
