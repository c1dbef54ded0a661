import createClient, { type FetchResponse } from "openapi-fetch";
import type { paths } from "./schema";
import type { Problem } from "./types";

/** Where the manager lives: `/`, or the path that a reverse proxy gives it. Ends with a slash. */
export const base = new URL(".", document.baseURI);

/** An address of the API, such as `/api/stream`, as this page reaches it. */
export function apiUrl(path: string): string {
  return base.pathname.slice(0, -1) + path;
}

export const api = createClient<paths>({ baseUrl: base.href.slice(0, -1) });

/** A request that came to nothing: the core's own words, or that it could not be reached. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  /** Nobody answered, which may be different in a moment. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** What the API answered; `ApiError` for everything but success. */
// biome-ignore lint/suspicious/noExplicitAny: openapi-fetch's own bounds
export async function answer<T extends Record<string | number, any>, O, M extends `${string}/${string}`>(
  request: Promise<FetchResponse<T, O, M>>,
): Promise<NonNullable<FetchResponse<T, O, M>["data"]>> {
  let got: FetchResponse<T, O, M>;
  try {
    got = await request;
  } catch (reason) {
    throw new ApiError(String(reason), 0, "unreachable");
  }
  if (got.data !== undefined && got.data !== null) return got.data;
  throw errorOf(got.response, got.error);
}

function errorOf(response: Response, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(body.detail, body.status, body.code, body.facts);
  // A proxy's page, say.
  return new ApiError(`${response.status} ${response.statusText}`.trim(), response.status, "no-problem");
}

function isProblem(body: unknown): body is Problem & { facts: Record<string, unknown> } {
  return typeof body === "object" && body !== null && "detail" in body && "code" in body;
}
