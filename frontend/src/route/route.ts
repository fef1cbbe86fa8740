// The addresses of the page, as data.

export type Route =
  | { readonly kind: "shop" }
  | { readonly kind: "order"; readonly id: string }
  /** The operators' console, which loads apart and knows its own addresses below `/ops`. */
  | { readonly kind: "ops"; readonly rest: string }
  | { readonly kind: "unknown" };

export function routeOf(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  const [first, second] = parts;
  if (first === undefined) return { kind: "shop" };
  if (first === "ops") {
    return { kind: "ops", rest: parts.slice(1).join("/") };
  }
  if (first === "orders" && second !== undefined && parts.length === 2) {
    return { kind: "order", id: second };
  }
  return { kind: "unknown" };
}

export const SHOP_PATH = "/";

export function orderPath(id: string): string {
  return `/orders/${encodeURIComponent(id)}`;
}
