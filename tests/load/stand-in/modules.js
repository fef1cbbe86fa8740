// Lets Node find `k6/http` and the like in this folder.
import { register } from "node:module";

const hooks = `
export function resolve(specifier, context, next) {
  const name = /^k6\\/(\\w+)$/.exec(specifier);
  return name ? next(new URL("k6-" + name[1] + ".js", ${JSON.stringify(import.meta.url)}).href, context) : next(specifier, context);
}`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
