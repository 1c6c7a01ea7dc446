package main

import (
	"context"
	"fmt"
	"path/filepath"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// customResource is what an API server knows of a version of a custom resource.
type customResource struct {
	schema     *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
	namespaced bool
}

// customResources reads the CustomResourceDefinitions of a folder.
func customResources(folder string) (map[schema.GroupVersionKind]customResource, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	all := map[schema.GroupVersionKind]customResource{}
	for _, file := range files {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := readYAML(file, definition); err != nil {
			return nil, err
		}
		for _, version := range definition.Spec.Versions {
			resource, err := newCustomResource(version.Schema)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			resource.namespaced = definition.Spec.Scope == apiextensionsv1.NamespaceScoped
			kind := schema.GroupVersionKind{
				Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind,
			}
			all[kind] = *resource
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no CustomResourceDefinition in %s", folder)
	}
	return all, nil
}

func newCustomResource(of *apiextensionsv1.CustomResourceValidation) (*customResource, error) {
	internal := &apiextensions.CustomResourceValidation{}
	convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := convert(of, internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return &customResource{schema: structural, validator: validator, rules: rules}, nil
}

// objections is what an API server says of an object, fields that it would drop included.
func (c customResource) objections(object map[string]any) []string {
	var all []string
	options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, path := range pruning.PruneWithOptions(object, c.schema, true, options) {
		all = append(all, "unknown field "+path)
	}
	defaulting.Default(object, c.schema)
	errors := validation.ValidateCustomResource(nil, object, c.validator)
	errors = append(errors, listtype.ValidateListSetsAndMaps(nil, c.schema, object)...)
	ofRules, _ := c.rules.Validate(context.Background(), nil, c.schema, object, nil, celconfig.RuntimeCELCostBudget)
	for _, err := range append(errors, ofRules...) {
		all = append(all, err.Error())
	}
	return all
}
