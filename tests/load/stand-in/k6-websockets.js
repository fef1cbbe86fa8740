// The stand-in of `k6/websockets`.
import Socket from "ws";

export class WebSocket {
  #socket;

  constructor(url, _protocols, { headers } = {}) {
    this.#socket = new Socket(url, { headers });
    // Unheard, an error would end the process.
    this.#socket.on("error", () => {});
  }

  addEventListener(name, listener) {
    this.#socket.addEventListener(name, listener);
  }

  close() {
    this.#socket.close();
  }
}
