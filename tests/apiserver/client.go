package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

// request asks the server for paths, and tells the status code and the body of what it answers to each.
func request(config *rest.Config, paths []string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for _, path := range paths {
		code := 0
		result := client.RESTClient().Get().RequestURI(path).Do(context.Background()).StatusCode(&code)
		body, err := result.Raw()
		if code == 0 {
			return err
		}
		text := any(json.RawMessage(body))
		if !json.Valid(body) {
			text = string(body)
		}
		if err := answer(map[string]any{"status": code, "body": text}); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a command in a container, and tells what it wrote and how it ended.
func execute(config *rest.Config, spdy bool, namespace, pod, container string, command []string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec).
		URL()
	var executor remotecommand.Executor
	if spdy {
		executor, err = remotecommand.NewSPDYExecutor(config, "POST", url)
	} else {
		executor, err = remotecommand.NewWebSocketExecutor(config, "GET", url.String())
	}
	if err != nil {
		return err
	}
	var stdout, stderr bytes.Buffer
	err = executor.StreamWithContext(context.Background(), remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
	said := map[string]any{"stdout": stdout.String(), "stderr": stderr.String(), "exit": 0}
	var ended utilexec.CodeExitError
	switch {
	case errors.As(err, &ended):
		said["exit"] = ended.Code
	case err != nil:
		said["exit"], said["error"] = nil, err.Error()
	}
	return answer(said)
}
