// A plugin in Go without any SDK: net/http on the socket that systemd hands over.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

const metadata = `{
  "id": "hello-go",
  "name": "Hello from Go",
  "version": "1.0.0",
  "author": "The Toru authors",
  "icon": "🐹",
  "route": "/hello-go",
  "description": "It greets, and counts how often: net/http, and nothing else.",
  "protocol": "http"
}`

//go:embed bundle.js
var bundle []byte

// The first descriptor that a process inherits: sd_listen_fds(3).
const inherited = 3

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--metadata" {
		fmt.Println(metadata)
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "<3>%v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	if os.Getenv("LISTEN_FDS") == "" {
		return fmt.Errorf("there is no socket to serve on: Toru starts this program")
	}
	listener, err := net.FileListener(os.NewFile(inherited, "plugin"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
	stopping, done := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer done()
	finished := make(chan error, 1)
	go func() {
		<-stopping.Done()
		// What was read is answered. systemd kills who takes five seconds.
		limit, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		finished <- server.Shutdown(limit)
	}()
	fmt.Printf("<6>serving instance %s\n", os.Getenv("TORU_INSTANCE_ID"))
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	if err := <-finished; err != nil {
		fmt.Println("<4>requests were cut, to end in time")
	}
	fmt.Println("<6>goodbye")
	return nil
}

func routes() http.Handler {
	var greeted int64
	mux := http.NewServeMux()
	hello := func(out http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/" && request.URL.Path != "/hello" {
			http.Error(out, "There is nothing at "+request.URL.Path+".", http.StatusNotFound)
			return
		}
		say(out, map[string]any{"message": "Hello from Go!", "greeted": atomic.AddInt64(&greeted, 1)})
	}
	mux.HandleFunc("/", hello)
	mux.HandleFunc("/about", func(out http.ResponseWriter, request *http.Request) {
		// Toru says who asks, and nobody can forge it.
		say(out, map[string]any{"pid": os.Getpid(), "user": request.Header.Get("X-Toru-User")})
	})
	mux.HandleFunc("/bundle.js", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		out.Write(bundle)
	})
	return mux
}

func say(out http.ResponseWriter, content any) {
	out.Header().Set("Content-Type", "application/json")
	json.NewEncoder(out).Encode(content)
}
