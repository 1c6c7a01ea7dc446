package main

import (
	"os"
	"sort"

	"github.com/ComplianceAsCode/compliance-operator/pkg/apis/compliance/v1alpha1"
	"github.com/ComplianceAsCode/compliance-operator/pkg/utils"
)

// results is what the operator's aggregator reads in a file of results.
type results struct {
	Checks []check `json:"checks"`
	// What it says of remediations that it lost.
	Error string `json:"error"`
}

type check struct {
	Name         string        `json:"name"`
	ID           string        `json:"id"`
	Status       string        `json:"status"`
	Severity     string        `json:"severity"`
	Instructions string        `json:"instructions"`
	Description  string        `json:"description"`
	Rationale    string        `json:"rationale"`
	Warnings     []string      `json:"warnings"`
	ValuesUsed   []string      `json:"valuesUsed"`
	Remediations []remediation `json:"remediations"`
}

type remediation struct {
	Name        string                               `json:"name"`
	Annotations map[string]string                    `json:"annotations"`
	Spec        v1alpha1.ComplianceRemediationSpec   `json:"spec"`
	Status      v1alpha1.RemediationApplicationState `json:"status"`
}

func parsedResults(dataStream string, files []string) (map[string]results, error) {
	all, err := operatorScheme()
	if err != nil {
		return nil, err
	}
	content, err := readXML(dataStream)
	if err != nil {
		return nil, err
	}
	parsed := map[string]results{}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		var of results
		found, err := utils.ParseResultsFromContentAndXccdf(all, "scan", "openshift-compliance", content, file, nil)
		if err != nil {
			of.Error = err.Error()
			if found == nil {
				return nil, err
			}
		}
		for _, one := range found {
			of.Checks = append(of.Checks, newCheck(one))
		}
		parsed[path] = of
	}
	return parsed, nil
}

func newCheck(parsed *utils.ParseResult) check {
	result := parsed.CheckResult
	// The operator collects them from a map.
	sort.Strings(result.ValuesUsed)
	one := check{
		Name:         result.Name,
		ID:           result.ID,
		Status:       string(result.Status),
		Severity:     string(result.Severity),
		Instructions: result.Instructions,
		Description:  result.Description,
		Rationale:    result.Rationale,
		Warnings:     result.Warnings,
		ValuesUsed:   result.ValuesUsed,
	}
	for _, fix := range parsed.Remediations {
		one.Remediations = append(one.Remediations,
			remediation{fix.Name, fix.Annotations, fix.Spec, fix.Status.ApplicationState})
	}
	return one
}
