package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	components "github.com/dapr/dapr/pkg/apis/components/v1alpha1"
	configuration "github.com/dapr/dapr/pkg/apis/configuration/v1alpha1"
	resiliency "github.com/dapr/dapr/pkg/apis/resiliency/v1alpha1"
	"github.com/dapr/dapr/pkg/injector/patcher"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// What Strimzi has no Go types for, as far as it is used here.
type (
	strimzi[T any] struct {
		meta.TypeMeta   `json:",inline"`
		meta.ObjectMeta `json:"metadata"`
		Spec            T `json:"spec"`
	}
	topic struct {
		Partitions int            `json:"partitions"`
		Replicas   int            `json:"replicas"`
		Config     map[string]int `json:"config"`
	}
	user struct {
		Authentication struct {
			Type string `json:"type"`
		} `json:"authentication"`
		Authorization struct {
			Type string `json:"type"`
			ACLs []struct {
				Resource struct {
					Type        string `json:"type"`
					Name        string `json:"name"`
					PatternType string `json:"patternType"`
				} `json:"resource"`
				Operations []string `json:"operations"`
			} `json:"acls"`
		} `json:"authorization"`
	}
)

var decoder = func() runtime.Decoder {
	utilruntime.Must(components.AddToScheme(scheme.Scheme))
	utilruntime.Must(configuration.AddToScheme(scheme.Scheme))
	utilruntime.Must(resiliency.AddToScheme(scheme.Scheme))
	factory := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict)
	return factory.UniversalDeserializer()
}()

// read reads one object; a field that its type does not have is an error.
func read(text []byte) (any, error) {
	var head meta.TypeMeta
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, err
	}
	switch {
	case !strings.HasPrefix(head.APIVersion, "kafka.strimzi.io/"):
		object, _, err := decoder.Decode(text, nil, nil)
		return object, err
	case head.Kind == "KafkaTopic":
		object := &strimzi[topic]{}
		return object, yaml.UnmarshalStrict(text, object)
	default:
		object := &strimzi[user]{}
		return object, yaml.UnmarshalStrict(text, object)
	}
}

// cluster builds what `kubectl apply -k` would apply, reads it, and looks whether it fits together.
func cluster(dapr, name string) error {
	kustomizer := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	path := filepath.Join(dapr, "kubernetes", name)
	built, err := kustomizer.Run(filesys.MakeFsOnDisk(), path)
	if err != nil {
		return within(path, err)
	}
	var faults []error
	var objects []any
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err == nil {
			var object any
			object, err = read(text)
			objects = append(objects, object)
		}
		faults = append(faults, within(resource.CurId().String(), err))
	}
	text, err := os.ReadFile(filepath.Join(dapr, "config.yaml"))
	if err != nil {
		return err
	}
	local, err := read(text)
	if err != nil {
		return err
	}
	if local, ok := local.(*configuration.Configuration); ok {
		faults = append(faults, fits(objects, local)...)
	}
	return within(path, errors.Join(faults...))
}

// fits looks whether objects name each other as they should, and agree with one machine's configuration.
func fits(objects []any, local *configuration.Configuration) (faults []error) {
	fault := func(format string, words ...any) { faults = append(faults, fmt.Errorf(format, words...)) }
	pods := map[string]*core.PodTemplateSpec{}
	config := map[string]bool{}
	for _, object := range objects {
		switch object := object.(type) {
		case *apps.Deployment:
			pods[object.Name] = &object.Spec.Template
		case *core.ConfigMap:
			config[object.Name] = true
		}
	}
	selects := func(who string, selector map[string]string, names ...string) {
		var found []string
		for name, pod := range pods {
			if labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
				found = append(found, name)
			}
		}
		if slices.Sort(found); !slices.Equal(found, names) {
			fault("%s selects %v, not %v", who, found, names)
		}
	}
	known := annotations()
	for name, pod := range pods {
		for key := range pod.Annotations {
			if strings.HasPrefix(key, "dapr.io/") && !known[key] {
				fault("%s: Dapr knows no annotation %s", name, key)
			}
		}
		for _, container := range pod.Spec.Containers {
			for _, from := range container.EnvFrom {
				if !config[from.ConfigMapRef.Name] {
					fault("%s: there is no ConfigMap %s", name, from.ConfigMapRef.Name)
				}
			}
		}
	}
	for _, object := range objects {
		switch object := object.(type) {
		case *apps.Deployment:
			selects("Deployment "+object.Name, object.Spec.Selector.MatchLabels, object.Name)
		case *core.Service:
			selects("Service", object.Spec.Selector, "tidings")
		case *configuration.Configuration:
			if object.Spec.TracingSpec = local.Spec.TracingSpec; !reflect.DeepEqual(object.Spec, local.Spec) {
				fault("config.yaml is another on one machine, and not only in where traces go")
			}
		case *policy.PodDisruptionBudget:
			selects("PodDisruptionBudget", object.Spec.Selector.MatchLabels, "tidings")
		case *components.Component:
			for _, pod := range pods {
				if err := scoped(object, pod.Annotations["dapr.io/app-id"]); err != nil {
					faults = append(faults, err)
				}
			}
		}
	}
	ids := map[string]bool{}
	for pod := range maps.Values(pods) {
		ids[pod.Annotations["dapr.io/app-id"]] = true
	}
	if len(ids) != len(pods) {
		fault("Deployments share an app id")
	}
	return faults
}

// scoped looks whether an app is given a component. The cron binding is for some alone.
func scoped(object any, id string) error {
	component, ok := object.(*components.Component)
	if !ok || component.Spec.Type == "bindings.cron" || len(component.Scopes) == 0 {
		return nil
	}
	if !slices.Contains(component.Scopes, id) {
		return fmt.Errorf("%s is not in the scopes of %s", id, component.Name)
	}
	return nil
}

// annotations are those that Dapr's injector reads.
func annotations() map[string]bool {
	known := map[string]bool{}
	sidecar := reflect.TypeFor[patcher.SidecarConfig]()
	for i := range sidecar.NumField() {
		known[sidecar.Field(i).Tag.Get("annotation")] = true
	}
	return known
}
