package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"github.com/ComplianceAsCode/compliance-operator/pkg/utils/celvalidation"
	"github.com/ComplianceAsCode/compliance-sdk/pkg/fetchers"
	"github.com/ComplianceAsCode/compliance-sdk/pkg/scanner"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// request is a rule for the CEL scanner, and what the API server answers.
type request struct {
	Expression string  `json:"expression"`
	Inputs     []input `json:"inputs"`
}

type input struct {
	Name     string `json:"name"`
	Group    string `json:"group"`
	Version  string `json:"version"`
	Resource string `json:"resource"`
	// The objects; nothing where they cannot be had.
	Items json.RawMessage `json:"items"`
}

// verdict is what the CEL scanner says. What is invalid, the operator would not take in the first place.
type verdict struct {
	Invalid  string   `json:"invalid"`
	Status   string   `json:"status"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
}

// scanRules answers each request with a verdict, in order.
func scanRules(in io.Reader, out io.Writer) error {
	var requests []json.RawMessage
	for decoder := json.NewDecoder(in); decoder.More(); {
		var r json.RawMessage
		if err := decoder.Decode(&r); err != nil {
			return err
		}
		requests = append(requests, r)
	}
	verdicts := make([]*verdict, len(requests))
	errs := make([]error, len(requests))
	var known sync.Map
	var work sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, r := range requests {
		slots <- struct{}{}
		work.Go(func() {
			verdicts[i], errs[i] = once(&known, r)
			<-slots
		})
	}
	work.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for _, said := range verdicts {
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
	return nil
}

// once scans a rule, each of the same requests once. Where something cannot be had, all requests of an expression are
// the same: the scanner then sees nothing at all, whatever else there is.
func once(known *sync.Map, raw json.RawMessage) (*verdict, error) {
	var r request
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	key := string(raw)
	if slices.ContainsFunc(r.Inputs, func(one input) bool { return string(one.Items) == "null" }) {
		key = r.Expression
	}
	scan, _ := known.LoadOrStore(key, sync.OnceValues(func() (*verdict, error) { return scanRule(r) }))
	return scan.(func() (*verdict, error))()
}

func scanRule(r request) (*verdict, error) {
	rule := &v1alpha1.Rule{ObjectMeta: metav1.ObjectMeta{Name: "rule"}}
	rule.RulePayload.ScannerType = v1alpha1.ScannerTypeCEL
	rule.RulePayload.CheckType = v1alpha1.CheckTypePlatform
	rule.RulePayload.Title = "rule"
	answers := answers{lists: map[schema.GroupVersionKind][]unstructured.Unstructured{}}
	kinds := map[string]string{}
	for _, one := range r.Inputs {
		spec := v1alpha1.KubernetesInputSpec{Group: one.Group, APIVersion: one.Version, Resource: one.Resource}
		if err := spec.Validate(); err != nil {
			return &verdict{Invalid: err.Error()}, nil
		}
		rule.RulePayload.Inputs = append(rule.RulePayload.Inputs,
			v1alpha1.InputPayload{Name: one.Name, KubernetesInputSpec: spec})
		// Without discovery a resource stands for its kind.
		kinds[one.Resource] = one.Resource
		kind := schema.GroupVersionKind{Group: one.Group, Version: one.Version, Kind: one.Resource}
		if err := answers.add(kind, one.Items); err != nil {
			return nil, err
		}
	}
	rule.RulePayload.Expression = r.Expression
	if err := validate(rule); err != nil {
		return &verdict{Invalid: err.Error()}, nil
	}
	kubernetes := fetchers.NewKubernetesFetcher(answers, nil).
		WithConfig(&fetchers.ResourceMappingConfig{CustomKindMappings: kinds})
	all := fetchers.NewCompositeFetcher()
	all.RegisterCustomFetcher(scanner.InputTypeKubernetes, kubernetes)
	config := scanner.ScanConfig{Rules: []scanner.Rule{rule}}
	results, err := scanner.NewScanner(adapter{all}, silence{}).Scan(context.Background(), config)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%d results of one rule", len(results))
	}
	result := results[0]
	return &verdict{Status: string(result.Status), Error: result.ErrorMessage, Warnings: result.Warnings}, nil
}

var valid sync.Map

// validate says what the operator says of a rule before it takes it, once for each expression.
func validate(rule *v1alpha1.Rule) error {
	if _, has := valid.Load(rule.Expression()); has {
		return nil
	}
	if err := celvalidation.ValidateCELRule(rule.Name, &rule.RulePayload); err != nil {
		return err
	}
	valid.Store(rule.Expression(), true)
	return nil
}

// adapter fetches as the operator's ComplianceFetcherAdapter does.
type adapter struct{ inputs scanner.InputFetcher }

func (a adapter) FetchResources(
	_ context.Context, rule scanner.Rule, variables []scanner.CelVariable,
) (map[string]any, []string, error) {
	resources, err := a.inputs.FetchInputs(rule.Inputs(), variables)
	var warnings []string
	if err != nil {
		warnings = append(warnings, err.Error())
	}
	return resources, warnings, err
}

// answers is an API server of which nothing but lists is asked.
type answers struct {
	client.Client
	lists map[schema.GroupVersionKind][]unstructured.Unstructured
}

func (a answers) add(kind schema.GroupVersionKind, items json.RawMessage) error {
	var objects []map[string]any
	// Whole numbers become integers, as they do for a client.
	if err := kubejson.Unmarshal(items, &objects); err != nil {
		return err
	}
	if objects == nil {
		return nil
	}
	list := []unstructured.Unstructured{}
	for _, object := range objects {
		list = append(list, unstructured.Unstructured{Object: object})
	}
	a.lists[kind] = list
	return nil
}

func (a answers) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	kind := list.GetObjectKind().GroupVersionKind()
	items, has := a.lists[kind]
	if !has {
		return fmt.Errorf("the server could not find the requested resource %s", kind)
	}
	list.(*unstructured.UnstructuredList).Items = items
	return nil
}

// silence is the scanner's log.
type silence struct{}

func (silence) Debug(string, ...any) {}
func (silence) Info(string, ...any)  {}
func (silence) Warn(string, ...any)  {}
func (silence) Error(string, ...any) {}
