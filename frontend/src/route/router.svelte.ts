// Where the person is: the browser's address, changed without loading the page anew.
import { routeOf } from "./route";

class Router {
  #url = $state.raw(new URL(location.href));
  readonly route = $derived(routeOf(this.#url.pathname));

  constructor() {
    addEventListener("popstate", () => this.#read());
  }

  /** What is asked of the page behind the `?` of the address. */
  get query(): URLSearchParams {
    return this.#url.searchParams;
  }

  /** Goes to an address of this page; the top is where a new page begins. */
  go(path: string): void {
    history.pushState(null, "", path);
    this.#read();
    scrollTo(0, 0);
  }

  /** Changes the address in place: nothing the person would want to go back to. */
  replace(path: string): void {
    history.replaceState(history.state, "", path);
    this.#read();
  }

  #read(): void {
    this.#url = new URL(location.href);
  }
}

export const router = new Router();

/** An attachment for links within the page: a plain click stays in it, any other is the browser's. */
export function within(link: HTMLAnchorElement): () => void {
  const follow = (event: MouseEvent) => {
    const plain =
      event.button === 0 &&
      !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!plain || event.defaultPrevented) return;
    event.preventDefault();
    router.go(link.pathname + link.search);
  };
  link.addEventListener("click", follow);
  return () => link.removeEventListener("click", follow);
}
