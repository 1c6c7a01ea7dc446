// A real Kubernetes API server with its etcd, in one process, for tests: custom resources without schemas, users with
// tokens, and nodes in whose virt-handler pods commands can be run.
//
//	apiserver serve [FLAGS]                       serves until standard input closes
//	apiserver apply   --kubeconfig FILE PATH...   creates or replaces the objects of files and folders
//	apiserver request --kubeconfig FILE [--user NAME] PATH...
//	apiserver exec    --kubeconfig FILE [--user NAME] [--spdy] NAMESPACE POD CONTAINER COMMAND...
//
// `serve` says on standard output, in one line of JSON, where it is once all is there. `request` and `exec` answer in JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(original, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("a command is missing: serve, apply, request or exec")
	}
	command, arguments := arguments[0], arguments[1:]
	flags := pflag.NewFlagSet(command, pflag.ContinueOnError)
	// What comes after the first argument belongs to the command that `exec` runs.
	flags.SetInterspersed(false)
	if command == "serve" {
		return serve(flags, arguments)
	}
	kubeconfig := flags.String("kubeconfig", "", "the file that `serve` names")
	user := flags.String("user", "admin", "who asks")
	spdy := flags.Bool("spdy", false, "speak SPDY instead of WebSocket")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	config, err := clientConfig(*kubeconfig, *user)
	if err != nil {
		return err
	}
	arguments = flags.Args()
	switch {
	case command == "apply":
		return apply(config, arguments)
	case command == "request":
		return request(config, arguments)
	case command == "exec" && len(arguments) > 3:
		return execute(config, *spdy, arguments[0], arguments[1], arguments[2], arguments[3:])
	}
	return fmt.Errorf("not understood: %s %s", command, strings.Join(arguments, " "))
}

// clientConfig is how a user of the kubeconfig file reaches the server. Nothing slows the client down.
func clientConfig(kubeconfig, user string) (*rest.Config, error) {
	loading := &clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: user}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(loading, overrides).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kubeconfig, err)
	}
	config.QPS = -1
	return config, nil
}

func answer(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
