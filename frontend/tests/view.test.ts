import { expect, test } from "vitest";
import { addressOf, isScreen, placeOf } from "@/features/view/address";

test("a plugin's page fetches below its own route", () => {
  expect(addressOf("/dial", "/a?b=1")).toBe("/api/plugins/route/dial/a?b=1");
  expect(addressOf("/dial", "a")).toBe("/api/plugins/route/dial/a");
  expect(addressOf("/dial", "")).toBe("/api/plugins/route/dial");
  expect(addressOf("/dial", "?b=1")).toBe("/api/plugins/route/dial/?b=1");
  expect(addressOf("/dial", "//a")).toBe("/api/plugins/route/dial//a");
  expect(addressOf("/dial", "/apis/a")).toBe("/api/plugins/route/dial/apis/a");
});

test("what is of the API as a whole or of elsewhere passes as it is", () => {
  expect(addressOf("/dial", "/api/health")).toBe("/api/health");
  expect(addressOf("/dial", "https://example.org/x")).toBe("https://example.org/x");
  expect(addressOf("/dial", "data:,x")).toBe("data:,x");
});

test("a plugin's page goes to the manager's screens by a slash, and else to places of its own", () => {
  expect(placeOf("gauge", "/plugins?q=a#b").href).toBe("http://toru.test/plugins?q=a#b");
  expect(placeOf("gauge", "items/7?c=d").href).toBe("http://toru.test/view/gauge/items/7?c=d");
  expect(placeOf("gauge", "").href).toBe("http://toru.test/view/gauge/");
  expect(placeOf("gauge", "//elsewhere.test/x").href).toBe("http://toru.test//elsewhere.test/x");
});

test("only screens of the manager's are gone to without loading anything anew", () => {
  expect(isScreen(placeOf("gauge", "/plugins"))).toBe(true);
  expect(isScreen(placeOf("gauge", "/api/plugins"))).toBe(false);
  expect(isScreen(placeOf("gauge", "https://elsewhere.test/view"))).toBe(false);
  expect(isScreen(placeOf("gauge", "javascript:alert(1)"))).toBe(false);
});
