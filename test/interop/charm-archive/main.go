// Reads .charm archives with the package Juju 3.6 reads them with, as the controller does at `juju deploy` and
// the unit's agent when it unpacks them, and prints what it found as one JSON object a line.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sort"

	"github.com/juju/charm/v12"
)

type report struct {
	Path       string         `json:"path"`
	Error      string         `json:"error,omitempty"`
	Name       string         `json:"name,omitempty"`
	Bases      []string       `json:"bases,omitempty"`
	Assumes    bool           `json:"assumes,omitempty"`
	Endpoints  []string       `json:"endpoints,omitempty"`
	Options    []string       `json:"options,omitempty"`
	Defaults   charm.Settings `json:"defaults,omitempty"`
	Actions    map[string]any `json:"actions,omitempty"`
	Executable []string       `json:"executable,omitempty"`
}

func main() {
	answers := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[1:] {
		found := report{Path: path}
		if err := read(path, &found); err != nil {
			found = report{Path: path, Error: err.Error()}
		}
		if err := answers.Encode(found); err != nil {
			panic(err)
		}
	}
}

func read(path string, found *report) error {
	archive, err := charm.ReadCharmArchive(path)
	if err != nil {
		return err
	}
	if err := charm.CheckMeta(archive); err != nil {
		return err
	}
	meta := archive.Meta()
	found.Name = meta.Name
	found.Assumes = meta.Assumes != nil
	for name := range meta.CombinedRelations() {
		found.Endpoints = append(found.Endpoints, name)
	}
	sort.Strings(found.Endpoints)
	if manifest := archive.Manifest(); manifest != nil {
		if err := manifest.Validate(); err != nil {
			return err
		}
		for _, base := range manifest.Bases {
			found.Bases = append(found.Bases, base.String())
		}
	}
	for name := range archive.Config().Options {
		found.Options = append(found.Options, name)
	}
	sort.Strings(found.Options)
	found.Defaults = archive.Config().DefaultSettings()
	found.Actions = map[string]any{}
	for name, action := range archive.Actions().ActionSpecs {
		defaults, err := action.InsertDefaults(map[string]interface{}{})
		if err != nil {
			return err
		}
		found.Actions[name] = defaults
	}
	found.Executable, err = unpack(archive)
	return err
}

// unpack unpacks the archive as a unit's agent does and lists what the owner may execute then.
func unpack(archive *charm.CharmArchive) ([]string, error) {
	root, err := os.MkdirTemp("", "charm-archive-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	if err := archive.ExpandTo(root); err != nil {
		return nil, err
	}
	var executable []string
	err = filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Mode()&0100 != 0 {
			name, _ := filepath.Rel(root, path)
			executable = append(executable, name)
		}
		return err
	})
	return executable, err
}
