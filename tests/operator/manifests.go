package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"github.com/ComplianceAsCode/compliance-operator/pkg/controller/customrule"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"
)

// judged is a document of a file, and what speaks against it.
type judged struct {
	Kind       string   `json:"kind"`
	Name       string   `json:"name"`
	By         string   `json:"by"`
	Objections []string `json:"objections"`
}

// objections judges each document of each file.
func objections(crds string, files []string) (map[string][]judged, error) {
	resources, err := customResources(crds)
	if err != nil {
		return nil, err
	}
	known, err := operatorScheme()
	if err != nil {
		return nil, err
	}
	all := map[string][]judged{}
	for _, file := range files {
		documents, err := documents(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, document := range documents {
			one, err := judge(document, resources, known)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all[file] = append(all[file], *one)
		}
	}
	return all, nil
}

// documents is the documents of a YAML file, as JSON.
func documents(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(file))
	var all [][]byte
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		document, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, err
		}
		if string(document) != "null" {
			all = append(all, document)
		}
	}
}

func judge(
	document []byte, resources map[schema.GroupVersionKind]customResource, known *runtime.Scheme,
) (*judged, error) {
	var content map[string]any
	if err := kubejson.Unmarshal(document, &content); err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: content}
	kind := object.GroupVersionKind()
	one := &judged{Kind: kind.Kind, Name: object.GetName()}
	if resource, has := resources[kind]; has {
		one.By = "CustomResourceDefinition"
		one.Objections = append(metadata(object, resource.namespaced), resource.objections(content)...)
		if kind.Kind == "CustomRule" {
			said, err := customRule(document, known)
			if err != nil {
				return nil, err
			}
			one.Objections = append(one.Objections, said...)
		}
	} else if known.Recognizes(kind) {
		one.By = "type"
		decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			one.Objections = append(one.Objections, err.Error())
		}
	}
	return one, nil
}

func metadata(object *unstructured.Unstructured, namespaced bool) []string {
	meta := &metav1.ObjectMeta{
		Name:        object.GetName(),
		Namespace:   object.GetNamespace(),
		Labels:      object.GetLabels(),
		Annotations: object.GetAnnotations(),
	}
	var all []string
	for _, err := range validation.ValidateObjectMeta(meta, namespaced, validation.NameIsDNSSubdomain, nil) {
		all = append(all, err.Error())
	}
	return all
}

// customRule is what the operator's controller says of a CustomRule.
func customRule(document []byte, known *runtime.Scheme) ([]string, error) {
	rule := &v1alpha1.CustomRule{}
	if err := yaml.UnmarshalStrict(document, rule); err != nil {
		return []string{err.Error()}, nil
	}
	rule.Generation = 1
	objects := fake.NewClientBuilder().WithScheme(known).WithStatusSubresource(rule).WithObjects(rule).Build()
	controller := &customrule.CustomRuleReconciler{Client: objects, Scheme: known}
	key := client.ObjectKeyFromObject(rule)
	if _, err := controller.Reconcile(context.Background(), reconcile.Request{NamespacedName: key}); err != nil {
		return nil, err
	}
	if err := objects.Get(context.Background(), key, rule); err != nil {
		return nil, err
	}
	if rule.Status.Phase != v1alpha1.CustomRulePhaseReady {
		return []string{rule.Status.ErrorMessage}, nil
	}
	return nil, nil
}
