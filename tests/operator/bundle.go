package main

import (
	"context"
	"sort"
	"strings"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// summary is what the operator made of a bundle, in an order that does not change.
type summary struct {
	Profiles   []profile  `json:"profiles"`
	Rules      []rule     `json:"rules"`
	Variables  []variable `json:"variables"`
	Complaints []string   `json:"complaints"`
}

type profile struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations"`
	v1alpha1.ProfilePayload
}

type rule struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations"`
	v1alpha1.RulePayload
}

type variable struct {
	Name string `json:"name"`
	v1alpha1.VariablePayload
}

func bundleSummary(dataStream, bundleFile string) (*summary, error) {
	cluster, err := newCluster(dataStream, bundleFile)
	if err != nil {
		return nil, err
	}
	// A client lists by name.
	var profiles v1alpha1.ProfileList
	var rules v1alpha1.RuleList
	var variables v1alpha1.VariableList
	for _, list := range []client.ObjectList{&profiles, &rules, &variables} {
		if err := cluster.List(context.Background(), list); err != nil {
			return nil, err
		}
	}
	all := &summary{Complaints: cluster.complaints}
	for _, one := range profiles.Items {
		all.Profiles = append(all.Profiles, profile{one.Name, stable(one.Annotations), one.ProfilePayload})
	}
	for _, one := range rules.Items {
		all.Rules = append(all.Rules, rule{one.Name, stable(one.Annotations), one.RulePayload})
	}
	for _, one := range variables.Items {
		all.Variables = append(all.Variables, variable{one.Name, one.VariablePayload})
	}
	return all, nil
}

// stable is annotations without what differs from run to run.
func stable(annotations map[string]string) map[string]string {
	delete(annotations, v1alpha1.ProfileImageDigestAnnotation)
	if profiles, has := annotations[v1alpha1.RuleProfileAnnotationKey]; has {
		names := strings.Split(profiles, ",")
		sort.Strings(names)
		annotations[v1alpha1.RuleProfileAnnotationKey] = strings.Join(names, ",")
	}
	return annotations
}
