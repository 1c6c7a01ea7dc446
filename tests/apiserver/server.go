package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
)

// auditPolicy has one line for each request of a user of the token file.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
- {level: Metadata, users: [scanner, limited, nobody, node-admin]}
`

// startServer starts kube-apiserver as its command does, but on a port that is free, and gives its URL. It may not be
// ready yet.
func startServer(ctx context.Context, folder string, identity *identity, etcd, audit string, flags []string, cancel context.CancelCauseFunc) (string, error) {
	policy := filepath.Join(folder, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return "", err
	}
	given := apiserver.NewServerRunOptions()
	all := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, some := range given.Flags().FlagSets {
		all.AddFlagSet(some)
	}
	if err := all.Parse(append([]string{
		"--etcd-servers=" + etcd,
		"--tls-cert-file=" + identity.server.certificate,
		"--tls-private-key-file=" + identity.server.key,
		"--token-auth-file=" + identity.tokenFile,
		"--authorization-mode=RBAC",
		"--allow-privileged",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + identity.server.key,
		"--service-account-signing-key-file=" + identity.server.key,
		"--service-cluster-ip-range=10.96.0.0/24",
		"--kubelet-certificate-authority=" + identity.caFile,
		"--kubelet-client-certificate=" + identity.client.certificate,
		"--kubelet-client-key=" + identity.client.key,
		"--kubelet-preferred-address-types=InternalIP",
		"--audit-log-path=" + audit,
		"--audit-policy-file=" + policy,
		"--max-requests-inflight=2000",
		"--max-mutating-requests-inflight=1000",
		// An address that is no loopback is wanted of one that is told to others; nothing asks it.
		"--advertise-address=192.0.2.1",
		"--endpoint-reconciler-type=none",
		// Objects are served as they were given: no service accounts, taints or priorities that controllers would make.
		"--disable-admission-plugins=ServiceAccount,TaintNodesByCondition,Priority,DefaultTolerationSeconds,RuntimeClass",
	}, flags...)); err != nil {
		return "", err
	}
	var err error
	given.SecureServing.Listener, given.SecureServing.BindPort, err =
		genericoptions.CreateListener("tcp", "127.0.0.1:0", net.ListenConfig{})
	if err != nil {
		return "", err
	}
	if err := given.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return "", err
	}
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	completed, err := given.Complete(ctx)
	if err != nil {
		return "", err
	}
	if problems := completed.Validate(); len(problems) > 0 {
		return "", utilerrors.NewAggregate(problems)
	}
	go func() {
		if err := app.Run(ctx, completed); err != nil {
			cancel(fmt.Errorf("kube-apiserver: %w", err))
		}
	}()
	return "https://" + given.SecureServing.Listener.Addr().String(), nil
}

// poll asks again and again, for two minutes at most.
func poll(ctx context.Context, what string, done wait.ConditionWithContextFunc) error {
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, done); err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}

// status is the status code of the answer to a GET; 0 where there is no answer.
func status(ctx context.Context, client rest.Interface, path string) int {
	code := 0
	client.Get().RequestURI(path).Do(ctx).StatusCode(&code)
	return code
}

func untilReady(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return poll(ctx, "the server", func(ctx context.Context) (bool, error) {
		return status(ctx, client.RESTClient(), "/readyz") == http.StatusOK, nil
	})
}

// startAggregation runs the controller that fills admin, edit, view and other roles that select roles, as a cluster's
// controller manager does.
func startAggregation(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	controller := clusterroleaggregation.NewClusterRoleAggregation(factory.Rbac().V1().ClusterRoles(), client.RbacV1())
	factory.Start(ctx.Done())
	go controller.Run(ctx, 2)
	return nil
}

// untilAggregated waits until each role that selects others has all their rules.
func untilAggregated(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return poll(ctx, "aggregated roles", func(ctx context.Context) (bool, error) {
		roles, err := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, nil
		}
		for _, role := range roles.Items {
			if !aggregated(role, roles.Items) {
				return false, nil
			}
		}
		return true, nil
	})
}

func aggregated(role rbac.ClusterRole, all []rbac.ClusterRole) bool {
	if role.AggregationRule == nil {
		return true
	}
	for _, chosen := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&chosen)
		if err != nil {
			return false
		}
		for _, other := range all {
			if other.Name == role.Name || !selector.Matches(labels.Set(other.Labels)) {
				continue
			}
			for _, rule := range other.Rules {
				if !slices.ContainsFunc(role.Rules, func(own rbac.PolicyRule) bool {
					return equality.Semantic.DeepEqual(own, rule)
				}) {
					return false
				}
			}
		}
	}
	return true
}
