// Compiles policies for admission as the API server does, and asks them about objects: a line {"policy", "bindings",
// "requests"} on standard input gives a line {"error"} or {"answers"} on standard output.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	v1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The oldest release that has the policies as v1.
var oldest = version.MajorMinor(1, 30)

type line struct {
	Policy   json.RawMessage   `json:"policy"`
	Bindings []json.RawMessage `json:"bindings"`
	Requests []request         `json:"requests"`
}

// A request to create an object, or, with Old, to update it.
type request struct {
	Group    string            `json:"group"`
	Version  string            `json:"version"`
	Resource string            `json:"resource"`
	Object   map[string]any    `json:"object"`
	Old      map[string]any    `json:"old"`
	Values   map[string]string `json:"values"`
}

type answer struct {
	Denied  bool   `json:"denied"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

type output struct {
	Error   string   `json:"error,omitempty"`
	Answers []answer `json:"answers,omitempty"`
}

// Reads JSON that may have no field that the type does not know.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// As compilePolicy of the API server's plugin, but with the errors, and with what the oldest release knows only.
func compile(policy *v1.ValidatingAdmissionPolicy) (validating.Validator, error) {
	env, err := cel.NewCompositionEnv(cel.VariablesTypeName, environment.MustBaseEnvSet(oldest))
	if err != nil {
		return nil, err
	}
	compiler := cel.NewCompositedCompilerFromTemplate(env)
	options := cel.OptionalVariableDeclarations{HasParams: policy.Spec.ParamKind != nil, HasAuthorizer: true}
	mode := environment.NewExpressions
	for _, variable := range policy.Spec.Variables {
		named := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
		if result := compiler.CompileAndStoreVariable(named, options, mode); result.Error != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, result.Error)
		}
	}
	var conditions, validations, messages []cel.ExpressionAccessor
	for i := range policy.Spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&policy.Spec.MatchConditions[i]))
	}
	for _, validation := range policy.Spec.Validations {
		validations = append(validations, &validating.ValidationCondition{
			Expression: validation.Expression, Message: validation.Message, Reason: validation.Reason,
		})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: validation.MessageExpression})
	}
	for _, expression := range slices.Concat(conditions, validations, messages) {
		if result := compiler.CompileCELExpression(expression, options, mode); result.Error != nil {
			return nil, fmt.Errorf("%s: %w", expression.GetExpression(), result.Error)
		}
	}
	failure := policy.Spec.FailurePolicy
	matcher := matchconditions.NewMatcher(
		compiler.CompileCondition(conditions, options, mode), failure, "policy", "validate", policy.Name)
	without := cel.OptionalVariableDeclarations{HasParams: options.HasParams}
	return validating.NewValidator(
		compiler.CompileCondition(validations, options, mode), matcher,
		compiler.CompileCondition(nil, options, mode),
		compiler.CompileCondition(messages, without, mode), failure), nil
}

// Whether the policy looks at a resource when it is created or updated.
func constrains(policy *v1.ValidatingAdmissionPolicy, r request, operation v1.OperationType) bool {
	for _, rule := range policy.Spec.MatchConstraints.ResourceRules {
		if slices.Contains(rule.APIGroups, r.Group) && slices.Contains(rule.APIVersions, r.Version) &&
			slices.Contains(rule.Resources, r.Resource) && slices.Contains(rule.Operations, operation) {
			return true
		}
	}
	return false
}

func ask(policy *v1.ValidatingAdmissionPolicy, validator validating.Validator, r request) answer {
	operation, attribute := v1.Create, admission.Create
	object := &unstructured.Unstructured{Object: r.Object}
	var old runtime.Object
	if r.Old != nil {
		operation, attribute = v1.Update, admission.Update
		old = &unstructured.Unstructured{Object: r.Old}
	}
	if !constrains(policy, r, operation) {
		return answer{Error: "the policy does not look at the resource"}
	}
	kind := schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: object.GetKind()}
	resource := schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}
	attributes := admission.NewAttributesRecord(object, old, kind, object.GetNamespace(), object.GetName(), resource, "",
		attribute, nil, false, &user.DefaultInfo{Name: "somebody"})
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedKind: kind, VersionedObject: object}
	if old != nil {
		versioned.VersionedOldObject = old
	}
	var params runtime.Object
	if policy.Spec.ParamKind != nil {
		params = &corev1.ConfigMap{Data: r.Values}
	}
	result := validator.Validate(context.Background(), resource, versioned, params, nil,
		apiservercel.RuntimeCELCostBudget, nil)
	for _, decision := range result.Decisions {
		if decision.Evaluation == validating.EvalError {
			return answer{Error: decision.Message}
		}
		if decision.Action == validating.ActionDeny {
			return answer{Denied: true, Message: decision.Message}
		}
	}
	return answer{}
}

func run(l line) ([]answer, error) {
	var policy v1.ValidatingAdmissionPolicy
	if err := strict(l.Policy, &policy); err != nil {
		return nil, err
	}
	for _, data := range l.Bindings {
		var binding v1.ValidatingAdmissionPolicyBinding
		if err := strict(data, &binding); err != nil {
			return nil, err
		}
		if binding.Spec.PolicyName != policy.Name {
			return nil, fmt.Errorf("%s binds %s", binding.Name, binding.Spec.PolicyName)
		}
	}
	validator, err := compile(&policy)
	if err != nil {
		return nil, err
	}
	answers := []answer{}
	for _, r := range l.Requests {
		answers = append(answers, ask(&policy, validator, r))
	}
	return answers, nil
}

// Whole numbers are integers, as the API server reads them.
func integers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, element := range value {
			value[key] = integers(element)
		}
	case []any:
		for i, element := range value {
			value[i] = integers(element)
		}
	case float64:
		if whole := int64(value); float64(whole) == value {
			return whole
		}
	}
	return value
}

func main() {
	decoder := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	encoder := json.NewEncoder(os.Stdout)
	for decoder.More() {
		var l line
		if err := decoder.Decode(&l); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, r := range l.Requests {
			integers(r.Object)
			integers(r.Old)
		}
		answers, err := run(l)
		o := output{Answers: answers}
		if err != nil {
			o.Error = err.Error()
		}
		if err := encoder.Encode(o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
