package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

type options struct {
	without     []string
	vms         int
	vmBytes     int
	apply       []string
	nodes       []string
	serverFlags []string
}

// place is what the test is told.
type place struct {
	URL        string            `json:"url"`
	CA         string            `json:"ca"`
	Kubeconfig string            `json:"kubeconfig"`
	Tokens     map[string]string `json:"tokens"`
	PID        int               `json:"pid"`
	Log        string            `json:"log"`
	Audit      string            `json:"audit"`
	// Seconds is what each part of the start took.
	Seconds map[string]float64 `json:"seconds"`
}

func serve(flags *pflag.FlagSet, arguments []string) error {
	var given options
	flags.StringArrayVar(&given.without, "without", nil, "a resource (PLURAL.GROUP), one version of it (PLURAL.GROUP/VERSION) or a group that is not installed")
	flags.IntVar(&given.vms, "vms", 0, "how many VirtualMachines there are, over the namespaces vms-0 to vms-9")
	flags.IntVar(&given.vmBytes, "vm-bytes", 4096, "how large each of them is")
	flags.StringArrayVar(&given.apply, "apply", nil, "a file or folder of objects in YAML or JSON")
	flags.StringArrayVar(&given.nodes, "node", nil, "NAME=FOLDER: a node with these files, and its virt-handler pod")
	flags.StringArrayVar(&given.serverFlags, "server-flag", nil, "a flag for kube-apiserver")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("not understood: %s", strings.Join(flags.Args(), " "))
	}

	folder, err := os.MkdirTemp("", "virtscap-apiserver-")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	go untilNotWanted(cancel)
	failed := make(chan error, 1)
	go func() {
		if err := start(ctx, folder, given, cancel); err != nil {
			failed <- err
		}
	}()
	select {
	case err = <-failed:
		err = fmt.Errorf("%w\n%s", err, tail(filepath.Join(folder, "log")))
	case <-ctx.Done():
		if cause := context.Cause(ctx); cause != errNotWanted {
			err = fmt.Errorf("%w\n%s", cause, tail(filepath.Join(folder, "log")))
		}
	}
	// The process ends right afterwards. Until then etcd may put a file into what is being removed.
	for range 20 {
		if os.RemoveAll(folder) == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

var errNotWanted = fmt.Errorf("no longer wanted")

// untilNotWanted waits for the end of standard input, or for a signal: a test that is killed leaves nothing running.
func untilNotWanted(cancel context.CancelCauseFunc) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(closed)
	}()
	select {
	case <-signals:
	case <-closed:
	}
	cancel(errNotWanted)
}

// start starts everything in its order, and says where it is.
func start(ctx context.Context, folder string, given options, cancel context.CancelCauseFunc) error {
	log, err := logTo(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	seconds := map[string]float64{}
	timed := func(what string, work func() error) error {
		begin := time.Now()
		defer func() { seconds[what] = time.Since(begin).Seconds() }()
		if err := work(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}

	wanted, err := customResources(given.without)
	if err != nil {
		return err
	}
	identity, err := newIdentity(folder)
	if err != nil {
		return err
	}
	var store *etcd
	if err := timed("etcd", func() (err error) {
		store, err = startEtcd(ctx, filepath.Join(folder, "etcd"))
		return err
	}); err != nil {
		return err
	}
	if err := timed("vms", func() error {
		return store.putVirtualMachines(ctx, given.vms, given.vmBytes)
	}); err != nil {
		return err
	}
	audit := filepath.Join(folder, "audit.jsonl")
	var url string
	if err := timed("server", func() (err error) {
		url, err = startServer(ctx, folder, identity, store.url, audit, given.serverFlags, cancel)
		return err
	}); err != nil {
		return err
	}
	kubeconfig, err := identity.writeKubeconfig(filepath.Join(folder, "kubeconfig"), url)
	if err != nil {
		return err
	}
	config, err := clientConfig(kubeconfig, "admin")
	if err != nil {
		return err
	}
	if err := timed("ready", func() error { return untilReady(ctx, config) }); err != nil {
		return err
	}
	if err := timed("crds", func() error { return createCRDs(ctx, config, wanted) }); err != nil {
		return err
	}
	if err := startAggregation(ctx, config); err != nil {
		return err
	}
	if err := timed("apply", func() error {
		objects, err := readObjects(given.apply)
		if err != nil {
			return err
		}
		return applyObjects(ctx, config, append(namespacesOfVirtualMachines(given.vms), objects...))
	}); err != nil {
		return err
	}
	if err := timed("nodes", func() error {
		return startNodes(ctx, config, identity, given.nodes)
	}); err != nil {
		return err
	}
	return answer(place{
		URL: url, CA: identity.caFile, Kubeconfig: kubeconfig, Tokens: identity.tokens, PID: os.Getpid(),
		Log: log, Audit: audit, Seconds: seconds,
	})
}

// original is standard error as the program was given it.
var original = os.Stderr

// logTo sends what Kubernetes and etcd write to standard error, a panic's trace too, to a file.
func logTo(path string) (string, error) {
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	copied, err := syscall.Dup(int(os.Stderr.Fd()))
	if err != nil {
		return "", err
	}
	original = os.NewFile(uintptr(copied), "stderr")
	return path, syscall.Dup3(int(file.Fd()), 2, 0)
}

// tail is the end of the log, for who reads why a start failed.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}
