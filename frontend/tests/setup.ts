// As much of a browser as pure modules look at when they are loaded.
Object.defineProperty(globalThis, "document", { value: { baseURI: "http://toru.test/" } });
Object.defineProperty(globalThis, "navigator", { value: { language: "en" }, configurable: true });
