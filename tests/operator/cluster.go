package main

import (
	"context"
	"fmt"
	"os"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis"
	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"github.com/ComplianceAsCode/compliance-operator/pkg/profileparser"
	"github.com/antchfx/xmlquery"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"
)

// cluster is an API server in memory, in which the operator has parsed a bundle.
type cluster struct {
	client.Client
	scheme *runtime.Scheme
	bundle *v1alpha1.ProfileBundle
	// What the parser logged and went on.
	complaints []string
}

func operatorScheme() (*runtime.Scheme, error) {
	all := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apis.AddToScheme} {
		if err := add(all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// newCluster parses a data stream as the operator's profileparser does.
func newCluster(dataStream, bundleFile string) (*cluster, error) {
	all, err := operatorScheme()
	if err != nil {
		return nil, err
	}
	bundle := &v1alpha1.ProfileBundle{}
	if err := readYAML(bundleFile, bundle); err != nil {
		return nil, err
	}
	content, err := readXML(dataStream)
	if err != nil {
		return nil, err
	}
	objects := fake.NewClientBuilder().
		WithScheme(all).
		WithStatusSubresource(&v1alpha1.TailoredProfile{}, &v1alpha1.CustomRule{}).
		Build()
	if err := objects.Create(context.Background(), bundle); err != nil {
		return nil, err
	}
	config := &profileparser.ParserConfig{
		DataStreamPath:   dataStream,
		ProfileBundleKey: client.ObjectKeyFromObject(bundle),
		Client:           objects,
		Scheme:           all,
	}
	complaints := listen()
	if err := profileparser.ParseBundle(content, bundle, config); err != nil {
		return nil, fmt.Errorf("the bundle is invalid: %w", err)
	}
	return &cluster{Client: objects, scheme: all, bundle: bundle, complaints: complaints.heard()}, nil
}

func readXML(path string) (*xmlquery.Node, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return xmlquery.Parse(file)
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
