package main

import (
	"context"
	"fmt"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"github.com/ComplianceAsCode/compliance-operator/pkg/controller/metrics"
	"github.com/ComplianceAsCode/compliance-operator/pkg/controller/metrics/metricsfakes"
	"github.com/ComplianceAsCode/compliance-operator/pkg/controller/tailoredprofile"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// tailoring is what the operator's controller makes of a TailoredProfile.
type tailoring struct {
	Name        string            `json:"name"`
	Extends     string            `json:"extends"`
	Annotations map[string]string `json:"annotations"`
	State       string            `json:"state"`
	Error       string            `json:"error"`
	Profile     string            `json:"profile"`
	XML         string            `json:"xml"`
}

// How often the controller wants to look at an object until it is done: it notes the type, then the owner, and so on.
const rounds = 10

func tailorings(dataStream, bundleFile string, files []string) (map[string]tailoring, error) {
	cluster, err := newCluster(dataStream, bundleFile)
	if err != nil {
		return nil, err
	}
	counters := metrics.NewMetrics(&metricsfakes.FakeImpl{})
	if err := counters.Register(); err != nil {
		return nil, err
	}
	controller := &tailoredprofile.ReconcileTailoredProfile{
		Client: cluster, Scheme: cluster.scheme, Metrics: counters,
	}
	all := map[string]tailoring{}
	for _, file := range files {
		made, err := tailor(cluster, controller, file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[file] = *made
	}
	return all, nil
}

func tailor(cluster *cluster, controller reconcile.Reconciler, file string) (*tailoring, error) {
	ctx := context.Background()
	object := &v1alpha1.TailoredProfile{}
	if err := readYAML(file, object); err != nil {
		return nil, err
	}
	if err := cluster.Create(ctx, object); err != nil {
		return nil, err
	}
	key := client.ObjectKeyFromObject(object)
	for range rounds {
		if _, err := controller.Reconcile(ctx, reconcile.Request{NamespacedName: key}); err != nil {
			return nil, err
		}
	}
	if err := cluster.Get(ctx, key, object); err != nil {
		return nil, err
	}
	made := &tailoring{
		Name:        object.Name,
		Extends:     object.Spec.Extends,
		Annotations: object.Annotations,
		State:       string(object.Status.State),
		Error:       object.Status.ErrorMessage,
		Profile:     object.Status.ID,
	}
	output := object.Status.OutputRef
	if output.Name == "" {
		return made, nil
	}
	text := &corev1.ConfigMap{}
	if err := cluster.Get(ctx, client.ObjectKey{Namespace: output.Namespace, Name: output.Name}, text); err != nil {
		return nil, err
	}
	made.XML = text.Data["tailoring.xml"]
	return made, nil
}
