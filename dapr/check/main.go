// Command check looks at the files that people deploy, as far as that goes without a cluster: it reads
// them as strictly as those who get them could, and looks whether they fit together.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: check FOLDER, where compose.yaml and dapr/ lie")
		os.Exit(2)
	}
	root := os.Args[1]
	dapr := filepath.Join(root, "dapr")
	var faults []error
	for _, folder := range []string{"common", "kafka", "kafka-sasl", "memory", "redis"} {
		faults = append(faults, resources(filepath.Join(dapr, "components", folder)))
	}
	err := errors.Join(append(faults,
		runs(dapr, "dapr.yaml"),
		runs(dapr, "split.yaml"),
		cluster(dapr, "redis"),
		cluster(dapr, "kafka"),
		cluster(dapr, "split"),
		compose(root, "", "redis"),
		compose(root, "redis", "redis"),
		compose(root, "kafka", "kafka"),
	)...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// within says where an error is.
func within(where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", where, err)
}
