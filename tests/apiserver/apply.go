package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

func apply(config *rest.Config, paths []string) error {
	objects, err := readObjects(paths)
	if err != nil {
		return err
	}
	return applyObjects(context.Background(), config, objects)
}

// readObjects reads the objects of files, and of the YAML and JSON files of folders: documents of YAML, and lists of any
// kind. Answers that are errors, as snapshots have them, are no objects.
func readObjects(paths []string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, path := range paths {
		if err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if file != path && !slices.Contains([]string{".yaml", ".json"}, filepath.Ext(file)) {
				return nil
			}
			objects, err := readFile(file)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, objects...)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readFile(path string) ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 1<<20)
	for {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(document) == 0 {
			continue
		}
		object := &unstructured.Unstructured{Object: document}
		if object.GetKind() == "" || object.GetAPIVersion() == "" {
			return nil, fmt.Errorf("an object without kind or apiVersion")
		}
		all = append(all, elements(object)...)
	}
}

// elements are the objects of a list, or the object itself. Elements of a list of a built-in kind do not say what they are.
func elements(object *unstructured.Unstructured) []*unstructured.Unstructured {
	if object.GetKind() == "Status" {
		return nil
	}
	if !object.IsList() {
		return []*unstructured.Unstructured{object}
	}
	var all []*unstructured.Unstructured
	items, _ := object.Object["items"].([]any)
	for _, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			continue
		}
		element := &unstructured.Unstructured{Object: fields}
		if element.GetKind() == "" {
			element.SetKind(strings.TrimSuffix(object.GetKind(), "List"))
			element.SetAPIVersion(object.GetAPIVersion())
		}
		all = append(all, elements(element)...)
	}
	return all
}

func namespace(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	object.SetName(name)
	return object
}

// applyObjects creates or replaces objects with their status, after the namespaces that they are in.
func applyObjects(ctx context.Context, config *rest.Config, objects []*unstructured.Unstructured) error {
	writer, err := newWriter(config)
	if err != nil {
		return err
	}
	namespaces := map[string]*unstructured.Unstructured{}
	for _, object := range objects {
		if name := object.GetNamespace(); name != "" && namespaces[name] == nil {
			namespaces[name] = namespace(name)
		}
	}
	var rest, first []*unstructured.Unstructured
	for _, object := range objects {
		if object.GroupVersionKind() == (schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}) {
			namespaces[object.GetName()] = object
		} else {
			rest = append(rest, object)
		}
	}
	for _, object := range namespaces {
		first = append(first, object)
	}
	for _, some := range [][]*unstructured.Unstructured{first, rest} {
		if err := writer.putAll(ctx, some); err != nil {
			return err
		}
	}
	return untilAggregated(ctx, config)
}

type writer struct {
	client dynamic.Interface
	mapper meta.RESTMapper
	// withStatus has the resources whose status is written apart.
	withStatus map[schema.GroupVersionResource]bool
}

func newWriter(config *rest.Config) (*writer, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	asked, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, lists, err := asked.ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	made := &writer{client: client, withStatus: map[schema.GroupVersionResource]bool{}}
	var resources []*restmapper.APIGroupResources
	for _, group := range groups {
		resources = append(resources, &restmapper.APIGroupResources{
			Group: *group, VersionedResources: map[string][]metav1.APIResource{},
		})
	}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, group := range resources {
			if group.Group.Name == version.Group {
				group.VersionedResources[version.Version] = list.APIResources
			}
		}
		for _, resource := range list.APIResources {
			if name, found := strings.CutSuffix(resource.Name, "/status"); found {
				made.withStatus[version.WithResource(name)] = true
			}
		}
	}
	made.mapper = restmapper.NewDiscoveryRESTMapper(resources)
	return made, nil
}

func (writer *writer) putAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(20)
	for _, object := range objects {
		work.Go(func() error {
			if err := writer.put(ctx, object); err != nil {
				return fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
			}
			return nil
		})
	}
	return work.Wait()
}

func (writer *writer) put(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := writer.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var client dynamic.ResourceInterface = writer.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = writer.client.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	// What another server gave it would be a condition here.
	object.SetResourceVersion("")
	object.SetUID("")
	object.SetManagedFields(nil)
	written, err := create(ctx, client, object)
	if apierrors.IsAlreadyExists(err) {
		written, err = replace(ctx, client, object)
	}
	if err != nil {
		return err
	}
	if _, has := object.Object["status"]; has && writer.withStatus[mapping.Resource] {
		object.SetResourceVersion(written.GetResourceVersion())
		_, err = client.UpdateStatus(ctx, object, metav1.UpdateOptions{})
	}
	return err
}

// create makes an object. A pod gets its ephemeral containers afterwards, as from `kubectl debug`.
func create(ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	later, _, _ := unstructured.NestedSlice(object.Object, "spec", "ephemeralContainers")
	if object.GetKind() != "Pod" || len(later) == 0 {
		return client.Create(ctx, object, metav1.CreateOptions{})
	}
	first := object.DeepCopy()
	unstructured.RemoveNestedField(first.Object, "spec", "ephemeralContainers")
	written, err := client.Create(ctx, first, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	if err := unstructured.SetNestedSlice(written.Object, later, "spec", "ephemeralContainers"); err != nil {
		return nil, err
	}
	return client.Update(ctx, written, metav1.UpdateOptions{}, "ephemeralcontainers")
}

// replace writes over what is there. Another writer may come between, as the one that aggregates roles.
func replace(ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for {
		there, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		object.SetResourceVersion(there.GetResourceVersion())
		written, err := client.Update(ctx, object, metav1.UpdateOptions{})
		if !apierrors.IsConflict(err) {
			return written, err
		}
	}
}
