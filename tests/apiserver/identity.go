package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// users are who can ask. All but the first may do nothing until bindings let them.
var users = []string{"admin", "scanner", "limited", "nobody", "node-admin"}

// pair is a certificate with its key, in files.
type pair struct{ certificate, key string }

// identity is what the servers and users are known by.
type identity struct {
	caFile    string
	caText    []byte
	server    pair
	kubelet   pair
	client    pair
	tokenFile string
	tokens    map[string]string
}

func newIdentity(folder string) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := template("virtscap test CA")
	authority.IsCA = true
	authority.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return nil, err
	}
	made := &identity{
		caFile:    filepath.Join(folder, "ca.crt"),
		caText:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		tokenFile: filepath.Join(folder, "tokens.csv"),
		tokens:    map[string]string{},
	}
	if err := os.WriteFile(made.caFile, made.caText, 0o600); err != nil {
		return nil, err
	}
	for _, wanted := range []struct {
		name string
		into *pair
	}{{"server", &made.server}, {"kubelet", &made.kubelet}, {"client", &made.client}} {
		*wanted.into, err = issue(filepath.Join(folder, wanted.name), wanted.name, authority, key)
		if err != nil {
			return nil, err
		}
	}
	return made, made.writeTokens()
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		BasicConstraintsValid: true,
	}
}

func issue(path, name string, authority *x509.Certificate, signer *ecdsa.PrivateKey) (pair, error) {
	made := pair{path + ".crt", path + ".key"}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return made, err
	}
	leaf := template(name)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf.DNSNames = []string{"localhost"}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), signer)
	if err != nil {
		return made, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return made, err
	}
	if err := writePEM(made.certificate, "CERTIFICATE", der); err != nil {
		return made, err
	}
	return made, writePEM(made.key, "EC PRIVATE KEY", keyDER)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (made *identity) writeTokens() error {
	var lines strings.Builder
	for _, user := range users {
		secret := make([]byte, 16)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		made.tokens[user] = hex.EncodeToString(secret)
		group := ""
		if user == "admin" {
			group = "system:masters"
		}
		fmt.Fprintf(&lines, "%s,%s,%s,%q\n", made.tokens[user], user, user, group)
	}
	return os.WriteFile(made.tokenFile, []byte(lines.String()), 0o600)
}

func (made *identity) writeKubeconfig(path, url string) (string, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: made.caText}
	for user, token := range made.tokens {
		config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
		config.Contexts[user] = &clientcmdapi.Context{Cluster: "test", AuthInfo: user}
	}
	config.CurrentContext = "admin"
	return path, clientcmd.WriteToFile(*config, path)
}
