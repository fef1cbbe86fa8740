// A shop of which a test decides what goes wrong.
import { once } from "node:events";
import { createServer } from "node:http";

import { WebSocketServer } from "ws";

/**
 * What may go wrong; each is asked every time.
 * @typedef {object} Faults
 * @property {(request: { route: string, key?: string, nth: number }) => object | "cut" | undefined} [answer] Another answer
 *   than the right one, or a connection that is cut after the effect; `nth` counts the requests of that route.
 * @property {(nth: number) => "FINISHED" | "CANCELLED" | "NEW" | undefined} [end] Another end of the nth order than the right one.
 * @property {(nth: number) => boolean} [pushed] Whether the nth order's end is pushed.
 * @property {(nth: number) => boolean} [closes] Whether the socket closes instead, so that the end comes with the next.
 * @property {number} [stolen] Taken from every balance.
 */
export class FakeShop {
  /** Every request: its route and its key. */
  requests = [];
  /** The cursors that sockets were opened with. */
  cursors = [];
  #faults;
  #server = createServer((request, response) => this.#serve(request, response));
  #sockets = new WebSocketServer({ server: this.#server });
  /** By the customer's token. */
  #balances = new Map();
  #orders = new Map();
  #byKey = new Map();

  /** @param {Faults} faults */
  static async open(faults = {}) {
    const shop = new FakeShop();
    shop.#faults = faults;
    shop.#sockets.on("connection", (_socket, { url }) => shop.#follow(url));
    shop.#server.listen(0, "127.0.0.1");
    await once(shop.#server, "listening");
    return shop;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  close() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** @param {string} route */
  keysOf(route) {
    return this.requests
      .filter((request) => request.route === route)
      .map(({ key }) => key);
  }

  async #serve(request, response) {
    let text = "";
    for await (const part of request) text += part;
    const path = request.url.replace(/\/orders\/.+/, "/orders/{id}");
    const route = `${request.method} ${path}`;
    const key = request.headers["idempotency-key"];
    this.requests.push({ route, key });
    const nth = this.keysOf(route).length;
    const other = this.#faults.answer?.({ route, key, nth });
    const id = request.url.split("/").pop();
    const asked = { route, key, id, token: request.headers.authorization };
    const right =
      typeof other === "object"
        ? other
        : this.#do(asked, text && JSON.parse(text));
    if (other === "cut") {
      request.socket.destroy();
      return;
    }
    const { status = 200, headers = {}, body = {} } = right;
    response.writeHead(status, {
      "content-type": "application/json",
      ...headers,
    });
    response.end(JSON.stringify(body));
  }

  #do({ route, key, id, token }, body) {
    const balance = this.#balances.get(token) ?? 0;
    switch (route) {
      case "GET /api/openapi.json":
        return {};
      case "POST /api/v1/session":
        return { body: { token: `token of ${body.user_id}` } };
      case "POST /api/v1/account":
        return { status: 201 };
      case "POST /api/v1/account/top-ups":
        this.#balances.set(token, balance + body.amount.amount_minor);
        return { status: 201 };
      case "GET /api/v1/account": {
        const stolen = this.#faults.stolen ?? 0;
        return { body: { balance: { amount_minor: balance - stolen } } };
      }
      case "POST /api/v1/orders":
        return {
          status: 201,
          body: this.#place(key, token, body.amount.amount_minor),
        };
      case "GET /api/v1/orders/{id}":
        return { body: this.#orders.get(id) };
      default:
        return { status: 404 };
    }
  }

  #place(key, token, amount) {
    if (this.#byKey.has(key)) return this.#byKey.get(key);
    const nth = this.#orders.size + 1;
    const balance = this.#balances.get(token);
    const payable = amount <= balance;
    const status =
      this.#faults.end?.(nth) ?? (payable ? "FINISHED" : "CANCELLED");
    if (payable) this.#balances.set(token, balance - amount);
    const order = { id: `order-${nth}`, status };
    this.#orders.set(order.id, order);
    this.#byKey.set(key, { ...order, status: "NEW" });
    if (this.#faults.closes?.(nth)) {
      for (const socket of this.#sockets.clients) socket.close(1012);
    } else if (this.#faults.pushed?.(nth) ?? true) {
      this.#tell("changes", [order]);
    }
    return this.#byKey.get(key);
  }

  #follow(url) {
    this.cursors.push(new URL(url, this.url).searchParams.get("cursor"));
    this.#tell(
      "snapshot",
      this.cursors.length > 1 ? [...this.#orders.values()] : [],
    );
  }

  #tell(type, orders) {
    const cursor = `after ${this.#orders.size}`;
    for (const socket of this.#sockets.clients) {
      socket.send(JSON.stringify({ type, cursor, orders }));
    }
  }
}
