// Loads, and registers nothing.
window.somethingElse = 1;
