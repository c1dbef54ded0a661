package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestItCountsWhomItGreets(t *testing.T) {
	handler := routes()
	for number := 1; number <= 3; number++ {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/hello", nil))
		var said struct{ Greeted int }
		if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil || said.Greeted != number {
			t.Errorf("greeted %d times, and it said %s", number, answer.Body)
		}
	}
}

func TestWhatIsNotThereIs404(t *testing.T) {
	answer := httptest.NewRecorder()
	routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	if answer.Code != http.StatusNotFound {
		t.Errorf("got %d", answer.Code)
	}
}

func TestTheMetadataIsJson(t *testing.T) {
	if !json.Valid([]byte(metadata)) {
		t.Error(metadata)
	}
}
