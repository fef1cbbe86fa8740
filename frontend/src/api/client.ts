// Calls of the shop's API as its OpenAPI document has them: paths, parameters, bodies and answers are checked by the
// compiler against the generated schema, and what really arrives is decoded.
import type { Decoder } from "./decode";
import { request } from "./http";
import type { Json } from "./json";
import type { paths } from "./schema";
import type { Whole } from "./types";

type Method = "get" | "post" | "delete";

/** The paths that have this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: object } ? P : never;
}[keyof paths];

export type Operation<M extends Method, P extends PathOf<M>> = paths[P][M];

/** Path, query and headers as the document has them; and the body, if there is one. */
export type Input<O> = (O extends { parameters: infer Parameters }
  ? Omit<Parameters, "cookie">
  : object) &
  (O extends { requestBody: { content: { "application/json": infer Body } } }
    ? { readonly body: Body }
    : { readonly body?: never });

type Success = 200 | 201 | 202 | 204;

/** What a success brings; nothing, if it has no body. */
export type Answer<O> = O extends { responses: infer R }
  ? {
      [Status in keyof R & Success]: R[Status] extends {
        content: { "application/json": infer Body };
      }
        ? Whole<Body>
        : void;
    }[keyof R & Success]
  : never;

/** Lets a decoder through that makes no more of the answer than the document promises. */
type Fits<O, T> = [Answer<O>] extends [T]
  ? unknown
  : { readonly "the document promises less than is decoded": never };

interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly body?: Json;
}

export function call<M extends Method, P extends PathOf<M>, T>(
  method: M,
  path: P,
  input: Input<Operation<M, P>>,
  decode: Decoder<T> & Fits<Operation<M, P>, T>,
): Promise<T> {
  const { query, header, body, path: places } = input as Parts;
  return request({
    method: method.toUpperCase(),
    path: address(path, places ?? {}, query ?? {}),
    headers: texts(header ?? {}),
    body,
    decode,
  }).then(({ answer }) => answer);
}

/** What is new since the entity tag `known`, with its own tag; null if nothing is. */
export function callIfNew<P extends PathOf<"get">, T>(
  path: P,
  known: string | null,
  input: Input<Operation<"get", P>>,
  decode: Decoder<T> & Fits<Operation<"get", P>, T>,
): Promise<Tagged<T> | null> {
  const { query, path: places } = input as Parts;
  return request<T | null>({
    method: "GET",
    path: address(path, places ?? {}, query ?? {}),
    headers: known === null ? {} : { "If-None-Match": known },
    body: undefined,
    decode,
    unchanged: null,
  }).then(({ answer, tag }) => (answer === null ? null : { answer, tag }));
}

export interface Tagged<T> {
  readonly answer: T;
  readonly tag: string | null;
}

function address(
  template: string,
  places: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>>,
): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(places[name] ?? ""),
  );
  const search = new URLSearchParams(texts(query)).toString();
  return search === "" ? path : `${path}?${search}`;
}

/** What is absent stays absent. */
function texts(
  members: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]),
  );
}
