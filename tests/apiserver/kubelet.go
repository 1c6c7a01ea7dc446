package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	streams "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	terminal "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// virtHandlerNamespace is where the virt-handler pods are.
const virtHandlerNamespace = "openshift-cnv"

// onNode runs a command with a node's files below /proc/1/root, where a container with the host's process ids has them. All
// else is this machine's. The rest of /proc/1 is not there.
const onNode = `mount -t tmpfs node /proc/1 && mkdir /proc/1/root && mount --rbind "$1" /proc/1/root && shift && exec "$@"`

// kubelet is what the API server knows as the kubelet of every node that has a folder.
type kubelet struct {
	ctx     context.Context
	client  kubernetes.Interface
	folders map[string]string
}

// startNodes makes the nodes, their virt-handler pods, and the kubelet that runs commands in those.
func startNodes(ctx context.Context, config *rest.Config, identity *identity, nodes []string) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	kubelet := &kubelet{ctx: ctx, client: client, folders: map[string]string{}}
	for _, node := range nodes {
		name, folder, found := strings.Cut(node, "=")
		if !found {
			return fmt.Errorf("--node %s: NAME=FOLDER is wanted", node)
		}
		if kubelet.folders[name], err = filepath.Abs(folder); err != nil {
			return err
		}
		if _, err := os.Stat(folder); err != nil {
			return err
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	port, err := kubelet.serve(identity)
	if err != nil {
		return err
	}
	namespaces := client.CoreV1().Namespaces()
	made := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: virtHandlerNamespace}}
	if _, err := namespaces.Create(ctx, made, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for name := range kubelet.folders {
		if err := kubelet.register(name, port); err != nil {
			return fmt.Errorf("node %s: %w", name, err)
		}
		if err := kubelet.startVirtHandler(name); err != nil {
			return fmt.Errorf("virt-handler on node %s: %w", name, err)
		}
	}
	return nil
}

// serve listens as a kubelet does: over TLS, to the API server alone.
func (kubelet *kubelet) serve(identity *identity) (int32, error) {
	certificate, err := tls.LoadX509KeyPair(identity.kubelet.certificate, identity.kubelet.key)
	if err != nil {
		return 0, err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(identity.caText)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    authorities,
		// SPDY takes over a connection of HTTP/1.1.
		NextProtos: []string{"http/1.1"},
	})
	if err != nil {
		return 0, err
	}
	paths := http.NewServeMux()
	paths.HandleFunc("/exec/{namespace}/{pod}/{container}", kubelet.exec)
	go func() { _ = http.Serve(listener, paths) }()
	return int32(listener.Addr().(*net.TCPAddr).Port), nil
}

func (kubelet *kubelet) exec(response http.ResponseWriter, request *http.Request) {
	pod, err := kubelet.client.CoreV1().Pods(request.PathValue("namespace")).
		Get(request.Context(), request.PathValue("pod"), metav1.GetOptions{})
	if err != nil {
		http.Error(response, err.Error(), http.StatusNotFound)
		return
	}
	container := request.PathValue("container")
	folder, found := kubelet.folders[pod.Spec.NodeName]
	named := func(one core.Container) bool { return one.Name == container }
	if !found || !slices.ContainsFunc(pod.Spec.Containers, named) {
		http.Error(response, fmt.Sprintf("container not found (%q)", container), http.StatusNotFound)
		return
	}
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(response, request, runner{kubelet.ctx, folder}, pod.Name, pod.UID, container,
		request.URL.Query()["command"], options, 10*time.Minute, streams.DefaultStreamCreationTimeout,
		streams.SupportedStreamingProtocols)
}

// runner runs commands on a node that is a folder.
type runner struct {
	// ctx ends with the program, not with the request: a kubelet does not end a command whose reader has gone.
	ctx    context.Context
	folder string
}

func (runner runner) ExecInContainer(_ context.Context, _ string, _ types.UID, _ string, command []string, in io.Reader, out, err io.WriteCloser, tty bool, _ <-chan terminal.TerminalSize, _ time.Duration) error {
	if tty {
		return errors.New("there are no terminals here")
	}
	arguments := []string{"--mount"}
	if os.Geteuid() != 0 {
		arguments = append(arguments, "--map-root-user")
	}
	arguments = append(arguments, "sh", "-c", onNode, "sh", runner.folder)
	run := exec.CommandContext(runner.ctx, "unshare", append(arguments, command...)...)
	run.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	run.Dir = "/"
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	run.Cancel = func() error { return syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	if out != nil {
		run.Stdout = out
	}
	if err != nil {
		run.Stderr = err
	}
	if in != nil {
		input, err := run.StdinPipe()
		if err != nil {
			return err
		}
		// The command may end before its input does.
		go func() {
			_, _ = io.Copy(input, in)
			_ = input.Close()
		}()
	}
	failure := run.Run()
	var ended *exec.ExitError
	if errors.As(failure, &ended) && ended.Exited() {
		return utilexec.CodeExitError{Err: failure, Code: ended.ExitCode()}
	}
	return failure
}

// register makes a node known, or sends what asks for one that is known here.
func (kubelet *kubelet) register(name string, port int32) error {
	nodes := kubelet.client.CoreV1().Nodes()
	node, err := nodes.Get(kubelet.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		node = &core.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"kubernetes.io/hostname":         name,
			"kubernetes.io/os":               "linux",
			"node-role.kubernetes.io/worker": "",
			"kubevirt.io/schedulable":        "true",
		}}}
		node, err = nodes.Create(kubelet.ctx, node, metav1.CreateOptions{})
	}
	if err != nil {
		return err
	}
	node.Status.Addresses = []core.NodeAddress{
		{Type: core.NodeInternalIP, Address: "127.0.0.1"}, {Type: core.NodeHostName, Address: name},
	}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = port
	if len(node.Status.Conditions) == 0 {
		node.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, Reason: "KubeletReady"}}
	}
	_, err = nodes.UpdateStatus(kubelet.ctx, node, metav1.UpdateOptions{})
	return err
}

// startVirtHandler makes a virt-handler pod that runs on a node, unless there is one.
func (kubelet *kubelet) startVirtHandler(node string) error {
	pods := kubelet.client.CoreV1().Pods(virtHandlerNamespace)
	there, err := pods.List(kubelet.ctx, metav1.ListOptions{LabelSelector: "kubevirt.io=virt-handler", FieldSelector: "spec.nodeName=" + node})
	if err != nil || len(there.Items) > 0 {
		return err
	}
	privileged := true
	pod, err := pods.Create(kubelet.ctx, &core.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "virt-handler-" + node,
			Labels: map[string]string{
				"kubevirt.io":                  "virt-handler",
				"app.kubernetes.io/managed-by": "virt-operator",
				"app.kubernetes.io/component":  "compute",
				"controller-revision-hash":     "6b4f9c7d5",
				"pod-template-generation":      "1",
			},
		},
		Spec: core.PodSpec{
			NodeName:           node,
			HostPID:            true,
			ServiceAccountName: "kubevirt-handler",
			Containers: []core.Container{{
				Name: "virt-handler", Image: "virt-handler", Command: []string{"virt-handler"},
				SecurityContext: &core.SecurityContext{Privileged: &privileged},
			}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	started := true
	pod.Status = core.PodStatus{
		Phase: core.PodRunning,
		Conditions: []core.PodCondition{
			{Type: core.PodReady, Status: core.ConditionTrue}, {Type: core.ContainersReady, Status: core.ConditionTrue},
		},
		ContainerStatuses: []core.ContainerStatus{{
			Name: "virt-handler", Image: "virt-handler", Ready: true, Started: &started,
			State: core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: metav1.Now()}},
		}},
	}
	_, err = pods.UpdateStatus(kubelet.ctx, pod, metav1.UpdateOptions{})
	return err
}
