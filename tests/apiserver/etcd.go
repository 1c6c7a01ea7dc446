package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type etcd struct {
	url    string
	client *clientv3.Client
}

func startEtcd(ctx context.Context, folder string) (*etcd, error) {
	free := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config := embed.NewConfig()
	config.Dir = folder
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{free}, []url.URL{free}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{free}, []url.URL{free}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// Nothing here has to outlive a crash.
	config.UnsafeNoFsync = true
	config.TickMs, config.ElectionMs = 10, 100
	config.QuotaBackendBytes = 8 << 30
	config.LogLevel = "error"
	config.LogOutputs = []string{"stderr"}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &etcd{"http://" + server.Clients[0].Addr().String(), v3client.New(server.Server)}, nil
}

// namespacesOfVMs is over how many namespaces VirtualMachines are spread.
const namespacesOfVMs = 10

func namespaceOf(number int) string {
	return fmt.Sprintf("vms-%d", number%namespacesOfVMs)
}

func namespacesOfVirtualMachines(count int) []*unstructured.Unstructured {
	var made []*unstructured.Unstructured
	for number := range min(count, namespacesOfVMs) {
		made = append(made, namespace(namespaceOf(number)))
	}
	return made
}

// putVirtualMachines writes VirtualMachines as the API server stores custom resources, without it: it would take far
// longer.
func (store *etcd) putVirtualMachines(ctx context.Context, count, bytes int) error {
	writers, ctx := errgroup.WithContext(ctx)
	writers.SetLimit(64)
	for number := range count {
		writers.Go(func() error {
			name, namespace := fmt.Sprintf("vm-%06d", number), namespaceOf(number)
			text, err := virtualMachine(name, namespace, number, bytes)
			if err != nil {
				return err
			}
			_, err = store.client.Put(ctx, "/registry/kubevirt.io/virtualmachines/"+namespace+"/"+name, text)
			return err
		})
	}
	return writers.Wait()
}

// virtualMachine is one that offends against nothing.
func virtualMachine(name, namespace string, number, bytes int) (string, error) {
	type object = map[string]any
	type list = []any
	userData := func(padding int) object {
		return object{"userData": "#cloud-config\n# " + strings.Repeat("x", padding) + "\n"}
	}
	cloudInit := object{"name": "cloudinit"}
	machine := object{
		"apiVersion": "kubevirt.io/v1",
		"kind":       "VirtualMachine",
		"metadata": object{
			"name": name, "namespace": namespace, "generation": 1,
			"uid":               fmt.Sprintf("00000000-0000-4000-8000-%012x", number),
			"creationTimestamp": time.Unix(1_750_000_000+int64(number), 0).UTC().Format(time.RFC3339),
			"labels":            object{"app": name},
		},
		"spec": object{
			"runStrategy": "Always",
			"template": object{
				"metadata": object{"labels": object{"kubevirt.io/domain": name}},
				"spec": object{
					"domain": object{
						"cpu":    object{"cores": 2},
						"memory": object{"guest": "4Gi"},
						"devices": object{
							"disks": list{
								object{"name": "root", "disk": object{"bus": "virtio"}},
								object{"name": "cloudinit", "disk": object{"bus": "virtio"}},
							},
							"interfaces": list{object{"name": "default", "masquerade": object{}}},
						},
					},
					"networks": list{object{"name": "default", "pod": object{}}},
					"volumes": list{
						object{"name": "root", "persistentVolumeClaim": object{"claimName": name}},
						cloudInit,
					},
				},
			},
		},
		"status": object{"printableStatus": "Running", "ready": true},
	}
	cloudInit["cloudInitNoCloud"] = userData(0)
	text, err := json.Marshal(machine)
	if err != nil {
		return "", err
	}
	cloudInit["cloudInitNoCloud"] = userData(max(0, bytes-len(text)))
	text, err = json.Marshal(machine)
	return string(text), err
}
