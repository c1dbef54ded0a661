import { expect, test } from "vitest";
import { addressOf } from "@/features/view/address";

test("a plugin's page fetches below its own route", () => {
  expect(addressOf("/dial", "/a?b=1")).toBe("/api/plugins/route/dial/a?b=1");
  expect(addressOf("/dial", "a")).toBe("/api/plugins/route/dial/a");
  expect(addressOf("/dial", "")).toBe("/api/plugins/route/dial");
  expect(addressOf("/dial", "?b=1")).toBe("/api/plugins/route/dial/?b=1");
});

test("what is of the API as a whole or of elsewhere passes as it is", () => {
  expect(addressOf("/dial", "/api/health")).toBe("/api/health");
  expect(addressOf("/dial", "https://example.org/x")).toBe("https://example.org/x");
  expect(addressOf("/dial", "data:,x")).toBe("data:,x");
});
