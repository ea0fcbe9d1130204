package main

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// Hashes of a tile are those of every eighth level.
	height = 8
	width  = 1 << height
)

// tilePath is the path of C2SP tlog-tiles. That of sumdb has the height in it as well, and calls entries data.
func tilePath(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func parseTilePath(path string) (tlog.Tile, error) {
	inSumdb := strings.Replace(path, "tile/entries/", "tile/data/", 1)
	return tlog.ParseTilePath(strings.Replace(inSumdb, "tile/", "tile/8/", 1))
}

// tilesOf lists the tiles and bundles of a log of this size.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	// Older versions of sumdb list partial tiles of every width up to the one that is asked for.
	for _, tile := range tlog.NewTiles(height, 0, size) {
		if last := len(tiles) - 1; last >= 0 && tiles[last].L == tile.L && tiles[last].N == tile.N {
			tiles[last] = tile
		} else {
			tiles = append(tiles, tile)
		}
	}
	for _, tile := range tiles {
		if tile.L == 0 {
			tile.L = -1
			tiles = append(tiles, tile)
		}
	}
	return tiles
}

// A logData is a log in memory.
type logData struct {
	entries [][]byte
	// By sumdb's index of stored hashes.
	hashes []tlog.Hash
}

func newLogData(entries [][]byte) (*logData, error) {
	log := &logData{entries: entries}
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, log)
		if err != nil {
			return nil, err
		}
		log.hashes = append(log.hashes, hashes...)
	}
	return log, nil
}

func (log *logData) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(log.hashes)) {
			return nil, errors.New("the log has no such hash")
		}
		hashes[i] = log.hashes[index]
	}
	return hashes, nil
}

// tileData is the content that the file of a tile or bundle has.
func (log *logData) tileData(tile tlog.Tile) ([]byte, error) {
	if tile.L >= 0 {
		return tlog.ReadTileData(tile, log)
	}
	first := tile.N * width
	last := first + int64(tile.W)
	if last > int64(len(log.entries)) {
		return nil, errors.New("the log has no such entries")
	}
	var data []byte
	for _, entry := range log.entries[first:last] {
		data = binary.BigEndian.AppendUint16(data, uint16(len(entry)))
		data = append(data, entry...)
	}
	return data, nil
}

// readEntries reads all entries of a log from its bundles.
func readEntries(folder string, size int64) ([][]byte, error) {
	var entries [][]byte
	for _, tile := range tilesOf(size) {
		if tile.L >= 0 {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, tilePath(tile)))
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, io.ErrUnexpectedEOF
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
	}
	return entries, nil
}

// A tileFolder gives a client of sumdb the hash tiles of a log.
type tileFolder string

func (folder tileFolder) Height() int { return height }

func (folder tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(folder), tilePath(tile)))
		if errors.Is(err, fs.ErrNotExist) && tile.W < width {
			// A partial tile may be gone where the full one is there.
			full := tile
			full.W = width
			bytes, err = os.ReadFile(filepath.Join(string(folder), tilePath(full)))
		}
		if err != nil {
			return nil, err
		}
		if len(bytes) < tile.W*tlog.HashSize {
			return nil, io.ErrUnexpectedEOF
		}
		data[i] = bytes[:tile.W*tlog.HashSize]
	}
	return data, nil
}

func (folder tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}
