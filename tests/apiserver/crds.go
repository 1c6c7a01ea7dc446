package main

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

//go:embed crds.yaml
var crdsText []byte

type customResource struct {
	Group    string   `json:"group"`
	Versions []string `json:"versions"`
	Plural   string   `json:"plural"`
	Kind     string   `json:"kind"`
	Scope    string   `json:"scope"`
}

func (resource customResource) name() string {
	return resource.Plural + "." + resource.Group
}

// customResources are all but those that are not to be installed.
func customResources(without []string) ([]customResource, error) {
	var all, kept []customResource
	if err := yaml.UnmarshalStrict(crdsText, &all); err != nil {
		return nil, fmt.Errorf("crds.yaml: %w", err)
	}
	used := map[string]bool{}
	left := func(names ...string) bool {
		for _, name := range names {
			if slices.Contains(without, name) {
				used[name] = true
				return true
			}
		}
		return false
	}
	for _, resource := range all {
		resource.Versions = slices.DeleteFunc(resource.Versions, func(version string) bool {
			return left(resource.name() + "/" + version)
		})
		if !left(resource.name(), resource.Group) && len(resource.Versions) > 0 {
			kept = append(kept, resource)
		}
	}
	for _, name := range without {
		if !used[name] {
			return nil, fmt.Errorf("--without %s: there is no such resource or group in crds.yaml", name)
		}
	}
	return kept, nil
}

// definition takes any object. It has no subresource of status, so that a status is kept when an object is written.
func (resource customResource) definition() *v1.CustomResourceDefinition {
	keep := true
	definition := &v1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: resource.name()},
		Spec: v1.CustomResourceDefinitionSpec{
			Group: resource.Group,
			Scope: v1.ResourceScope(resource.Scope),
			Names: v1.CustomResourceDefinitionNames{
				Plural:   resource.Plural,
				Singular: strings.ToLower(resource.Kind),
				Kind:     resource.Kind,
				ListKind: resource.Kind + "List",
			},
		},
	}
	for index, version := range resource.Versions {
		definition.Spec.Versions = append(definition.Spec.Versions, v1.CustomResourceDefinitionVersion{
			Name: version, Served: true, Storage: index == 0,
			Schema: &v1.CustomResourceValidation{OpenAPIV3Schema: &v1.JSONSchemaProps{
				Type: "object", XPreserveUnknownFields: &keep,
			}},
		})
	}
	return definition
}

// createCRDs installs resources, and waits until each version is served and told of.
func createCRDs(ctx context.Context, config *rest.Config, resources []customResource) error {
	client, err := clientset.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(8)
	for _, resource := range resources {
		work.Go(func() error {
			if _, err := definitions.Create(working, resource.definition(), metav1.CreateOptions{}); err != nil {
				return err
			}
			for _, version := range resource.Versions {
				path := fmt.Sprintf("/apis/%s/%s/%s?limit=1", resource.Group, version, resource.Plural)
				if err := poll(working, path, func(ctx context.Context) (bool, error) {
					return status(ctx, client.ApiextensionsV1().RESTClient(), path) == http.StatusOK, nil
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	// What is served may not be in discovery yet, which whoever writes or scans objects may go by.
	return poll(ctx, "discovery", func(context.Context) (bool, error) {
		_, lists, err := client.Discovery().ServerGroupsAndResources()
		if err != nil {
			return false, nil
		}
		told := map[string]bool{}
		for _, list := range lists {
			for _, resource := range list.APIResources {
				told[list.GroupVersion+"/"+resource.Name] = true
			}
		}
		for _, resource := range resources {
			for _, version := range resource.Versions {
				if !told[resource.Group+"/"+version+"/"+resource.Plural] {
					return false, nil
				}
			}
		}
		return true, nil
	})
}
