package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// checkLog verifies every file of a log against its signed checkpoint: entries, tiles under the right names, and all kept checkpoints.
func checkLog(folder, vkey string) error {
	message, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(message, vkey)
	if err != nil {
		return err
	}
	entries, err := readEntries(folder, tree.N)
	if err != nil {
		return err
	}
	log, err := newLogData(entries)
	if err != nil {
		return err
	}
	if root, err := tlog.TreeHash(tree.N, log); err != nil || root != tree.Hash {
		return fmt.Errorf("the entries have the root %v, not %v (%v)", root, tree.Hash, err)
	}
	tiles, err := checkTiles(folder, log)
	if err != nil {
		return err
	}
	checkpoints, err := checkCheckpoints(folder, vkey, log)
	if err != nil {
		return err
	}
	if err := checkThroughTiles(folder, tree, log); err != nil {
		return err
	}
	return answer(map[string]any{"size": tree.N, "root": tree.Hash[:], "tiles": tiles, "checkpoints": checkpoints})
}

// checkTiles returns the paths of all files below tile, each of which must be a tile of this log with the content that it has in it.
func checkTiles(folder string, log *logData) ([]string, error) {
	var found []string
	err := filepath.WalkDir(filepath.Join(folder, "tile"), func(file string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return err
		}
		path, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		tile, err := parseTilePath(path)
		if err != nil {
			return err
		}
		expected, err := log.tileData(tile)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		data, err := os.ReadFile(file)
		if err == nil && !bytes.Equal(data, expected) {
			err = fmt.Errorf("%s has another content", path)
		}
		found = append(found, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, tile := range tilesOf(int64(len(log.entries))) {
		if _, err := os.Stat(filepath.Join(folder, tilePath(tile))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// checkCheckpoints returns the number of kept checkpoints; each must be of the size that is its name.
func checkCheckpoints(folder, vkey string, log *logData) (int, error) {
	kept, err := os.ReadDir(filepath.Join(folder, "checkpoints"))
	if err != nil {
		return 0, err
	}
	for _, item := range kept {
		message, err := os.ReadFile(filepath.Join(folder, "checkpoints", item.Name()))
		if err != nil {
			return 0, err
		}
		tree, err := openCheckpoint(message, vkey)
		if err != nil {
			return 0, err
		}
		root, err := tlog.TreeHash(tree.N, log)
		if err != nil || root != tree.Hash || fmt.Sprint(tree.N) != item.Name() {
			return 0, fmt.Errorf("the checkpoint of size %s is not of this log (%v)", item.Name(), err)
		}
	}
	return len(kept), nil
}

// checkThroughTiles proves records and earlier trees as a client does that has nothing but the checkpoint and the tiles.
func checkThroughTiles(folder string, tree tlog.Tree, log *logData) error {
	tiles := tlog.TileHashReader(tree, tileFolder(folder))
	for n := int64(0); n < tree.N; n += 1 + tree.N/64 {
		record, err := tlog.ProveRecord(tree.N, n, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(record, tree.N, tree.Hash, n, tlog.RecordHash(log.entries[n])); err != nil {
			return err
		}
		growth, err := tlog.ProveTree(tree.N, n+1, tiles)
		if err != nil {
			return err
		}
		old, err := tlog.TreeHash(n+1, log)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(growth, tree.N, tree.Hash, n+1, old); err != nil {
			return err
		}
	}
	return nil
}
