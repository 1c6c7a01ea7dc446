package main

import (
	"fmt"
	"regexp"
	"sort"
	"sync"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// What the operator's code says at the level of information where it loses something and goes on.
var losing = regexp.MustCompile(`(?i)couldn't|could not|^no |not supported|unsupported|too short|skipping`)

// complaints is a log that keeps what tells of a loss: most of it the operator tells nobody else.
type complaints struct {
	lock sync.Mutex
	all  []string
}

var listener = &complaints{}

// listen begins to keep what the operator's code logs.
func listen() *complaints {
	listener.heard()
	logf.SetLogger(logr.New(sink{listener}))
	return listener
}

// heard is what was kept, sorted, for the parser runs in parallel.
func (c *complaints) heard() []string {
	c.lock.Lock()
	defer c.lock.Unlock()
	heard := c.all
	c.all = nil
	sort.Strings(heard)
	return heard
}

func (c *complaints) keep(text string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.all = append(c.all, text)
}

type sink struct{ kept *complaints }

func (s sink) Init(logr.RuntimeInfo)                 {}
func (s sink) Enabled(int) bool                      { return true }
func (s sink) WithName(string) logr.LogSink          { return s }
func (s sink) WithValues(values ...any) logr.LogSink { return s }
func (s sink) Error(err error, text string, v ...any) {
	s.kept.keep(fmt.Sprint(text, ": ", err, " ", v))
}

func (s sink) Info(_ int, text string, values ...any) {
	if losing.MatchString(text) {
		s.kept.keep(fmt.Sprint(text, " ", values))
	}
}
