package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A request says what to make.
type request struct {
	// Origin of the log, and the name of the key that is generated for it.
	Origin  string   `json:"origin"`
	Entries [][]byte `json:"entries"`
	// Those of which checkpoints are signed and kept, ascending; all entries at least.
	Sizes []int64 `json:"sizes"`
	// Sizes up to which everything is proven, and larger ones of logs of nothing but empty entries.
	Exhaustive int64   `json:"exhaustive"`
	Large      []int64 `json:"large"`
}

func makeLog(folder string) error {
	var r request
	if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return err
	}
	log, err := newLogData(r.Entries)
	if err != nil {
		return err
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, r.Origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	if err := writeTiles(folder, log); err != nil {
		return err
	}
	claims, err := signAll(folder, r, log, signer, vkey)
	if err != nil {
		return err
	}
	for size := int64(1); size <= r.Exhaustive; size++ {
		for n := int64(0); n < size; n++ {
			if claims, err = proveBoth(claims, size, n, log); err != nil {
				return err
			}
		}
	}
	for _, size := range r.Large {
		for _, n := range []int64{0, 1, size / 3, size / 2, size - 2, size - 1} {
			if claims, err = proveBoth(claims, size, n, tlog.HashReaderFunc(emptyEntries)); err != nil {
				return err
			}
		}
	}
	return answer(map[string]any{"vkey": vkey, "claims": claims})
}

func writeTiles(folder string, log *logData) error {
	for _, tile := range tilesOf(int64(len(log.entries))) {
		data, err := log.tileData(tile)
		if err != nil {
			return err
		}
		if err := writeFile(folder, tilePath(tile), data); err != nil {
			return err
		}
	}
	return nil
}

// signAll writes the checkpoints of all sizes, and returns as claims that they are good, and what they prove of their last entries.
func signAll(folder string, r request, log *logData, signer note.Signer, vkey string) ([]claim, error) {
	var claims []claim
	for _, size := range r.Sizes {
		root, err := tlog.TreeHash(size, log)
		if err != nil {
			return nil, err
		}
		text := formatCheckpoint(r.Origin, tlog.Tree{N: size, Hash: root})
		message, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			return nil, err
		}
		for _, path := range []string{"checkpoint", fmt.Sprintf("checkpoints/%d", size)} {
			if err := writeFile(folder, path, message); err != nil {
				return nil, err
			}
		}
		proof, err := tlog.ProveRecord(size, size-1, log)
		if err != nil {
			return nil, err
		}
		file := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", size-1)
		for _, hash := range proof {
			file += hash.String() + "\n"
		}
		claims = append(claims,
			claim{Kind: "note", Vkey: vkey, File: message},
			claim{Kind: "checkpoint", Vkey: vkey, File: message},
			claim{Kind: "proof", Vkey: vkey, File: append([]byte(file+"\n"), message...), Data: log.entries[size-1]},
		)
	}
	return claims, nil
}

// proveBoth adds that the log of this size has its leaf n, and that it begins with the log of the first n + 1.
func proveBoth(claims []claim, size, n int64, hashes tlog.HashReader) ([]claim, error) {
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return nil, err
	}
	old, err := tlog.TreeHash(n+1, hashes)
	if err != nil {
		return nil, err
	}
	leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
	if err != nil {
		return nil, err
	}
	record, err := tlog.ProveRecord(size, n, hashes)
	if err != nil {
		return nil, err
	}
	growth, err := tlog.ProveTree(size, n+1, hashes)
	if err != nil {
		return nil, err
	}
	return append(claims,
		claim{Kind: "record", Size: size, Root: root[:], Index: n, Leaf: leaf[0][:], Proof: fromHashes(record)},
		claim{Kind: "tree", From: n + 1, To: size, FromRoot: old[:], ToRoot: root[:], Proof: fromHashes(growth)},
	), nil
}

// emptyEntries reads the hashes of a log of any size that has only empty entries: one hash for each level.
func emptyEntries(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		hashes[i] = tlog.RecordHash(nil)
		for ; level > 0; level-- {
			hashes[i] = tlog.NodeHash(hashes[i], hashes[i])
		}
	}
	return hashes, nil
}

func writeFile(folder, path string, data []byte) error {
	file := filepath.Join(folder, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}
