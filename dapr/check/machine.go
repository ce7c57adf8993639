package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/cli"
	"sigs.k8s.io/yaml"
)

// run is what `dapr run -f` reads of an app; appProcess what apps and common have alike.
type (
	appProcess struct {
		ResourcesPaths []string          `json:"resourcesPaths"`
		ConfigFilePath string            `json:"configFilePath"`
		Env            map[string]string `json:"env"`
	}
	app struct {
		appProcess
		AppID                  string   `json:"appID"`
		AppDirPath             string   `json:"appDirPath"`
		AppPort                int      `json:"appPort"`
		Command                []string `json:"command"`
		DaprHTTPPort           int      `json:"daprHTTPPort"`
		EnableAppHealthCheck   bool     `json:"enableAppHealthCheck"`
		AppHealthCheckPath     string   `json:"appHealthCheckPath"`
		AppHealthProbeInterval int      `json:"appHealthProbeInterval"`
		AppHealthThreshold     int      `json:"appHealthThreshold"`
	}
	run struct {
		Version int        `json:"version"`
		Common  appProcess `json:"common"`
		Apps    []app      `json:"apps"`
	}
)

// runs looks at a file for `dapr run -f`.
func runs(dapr, name string) error {
	text, err := os.ReadFile(filepath.Join(dapr, name))
	if err != nil {
		return err
	}
	var run run
	if err := yaml.UnmarshalStrict(text, &run); err != nil {
		return within(name, err)
	}
	var faults []error
	for _, path := range append(run.Common.ResourcesPaths, run.Common.ConfigFilePath) {
		if _, err := os.Stat(filepath.Join(dapr, path)); err != nil {
			faults = append(faults, err)
		}
	}
	var ids []string
	for _, app := range run.Apps {
		ids = append(ids, app.AppID)
	}
	for _, path := range run.Common.ResourcesPaths {
		faults = append(faults, resources(filepath.Join(dapr, path), ids...))
	}
	taken := map[string]bool{}
	for _, app := range run.Apps {
		once := []string{app.AppID, fmt.Sprint(app.AppPort), app.Env["LEPTOS_SITE_ADDR"]}
		for _, own := range once {
			if taken[own] {
				faults = append(faults, fmt.Errorf("%s: %q is taken", app.AppID, own))
			}
			taken[own] = true
		}
	}
	return within(name, errors.Join(faults...))
}

// resources reads the files of a folder that a sidecar on one machine is given, and looks whether apps
// with these ids are given all of them.
func resources(folder string, ids ...string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	var faults []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && bytes.HasPrefix(text, []byte("resources:")) {
			continue // for kustomize
		}
		var object any
		if err == nil {
			object, err = read(text)
		}
		for _, id := range ids {
			err = errors.Join(err, scoped(object, id))
		}
		faults = append(faults, within(file, err))
	}
	return errors.Join(faults...)
}

// compose reads compose.yaml as it is with a profile, and looks whether that has a broker and its components.
func compose(root, profile, broker string) error {
	options, err := cli.NewProjectOptions(
		[]string{filepath.Join(root, "compose.yaml")},
		cli.WithEnv([]string{"COMPOSE_PROFILES=" + profile}),
		cli.WithDefaultProfiles(),
	)
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err == nil {
		_, err = project.GetService(broker)
	}
	if path := "--resources-path=/dapr/components/" + broker; err == nil &&
		!slices.Contains(project.Services["daprd"].Command, path) {
		err = errors.New("daprd has no " + path)
	}
	return within("compose.yaml with profile "+strconv.Quote(profile), err)
}
