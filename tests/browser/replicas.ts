// Replicas of the shop that a test may kill, and a door in front of them that it may shut: what a load balancer and a
// network are to a page.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** One address that leads to whichever replica answers, until it is shut. */
export class Door {
  readonly url: string;
  readonly #server: Server;
  readonly #ports: () => readonly number[];
  readonly #sockets = new Set<Socket>();
  #shut = false;
  #upgrades = true;

  private constructor(
    server: Server,
    ports: () => readonly number[],
    port: number,
  ) {
    this.#server = server;
    this.#ports = ports;
    this.url = `http://localhost:${port}`;
  }

  /** Opens a door to the ports that `ports` names at the time of each connection, the first that answers. */
  static async open(ports: () => readonly number[]): Promise<Door> {
    const server = createServer();
    server.listen(0, "localhost");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") {
      throw new Error("the door has no port");
    }
    const door = new Door(server, ports, address.port);
    server.on("connection", (client) => void door.#lead(client));
    return door;
  }

  /** Ends every connection, as a network does that breaks. The next ones are let in. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends every connection and lets nobody in until `unlock`. */
  lock(): void {
    this.#shut = true;
    this.cut();
  }

  unlock(): void {
    this.#shut = false;
  }

  /** From now on no WebSocket gets through, as at a proxy that does not know them. */
  refuseUpgrades(): void {
    this.#upgrades = false;
    this.cut();
  }

  async close(): Promise<void> {
    this.lock();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #lead(client: Socket): Promise<void> {
    this.#keep(client);
    if (this.#shut) {
      client.destroy();
      return;
    }
    if (!this.#upgrades) {
      const head = await firstOf(client);
      if (head === null || /^upgrade: *websocket/im.test(head.toString())) {
        client.destroy();
        return;
      }
      client.unshift(head);
    }
    for (const port of this.#ports()) {
      const inner = await reach(port);
      if (!inner) continue;
      this.#keep(inner);
      client.on("close", () => inner.destroy());
      inner.on("close", () => client.destroy());
      client.pipe(inner).pipe(client);
      return;
    }
    client.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // Whoever is cut off says so; that is what tests want.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** What a client says first, which is the head of its request; null if it leaves without a word. */
function firstOf(client: Socket): Promise<Buffer | null> {
  return new Promise((resolve) => {
    client.once("data", (head: Buffer) => {
      client.pause();
      resolve(head);
    });
    client.once("close", () => resolve(null));
  });
}

function reach(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(port, "localhost");
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });
}

/** A door to the shop that the tests were given. */
export function doorToTheShop(): Promise<Door> {
  const { port } = new URL(process.env.GOZON_URL ?? "");
  return Door.open(() => [Number(port)]);
}

/** One more process of the whole shop, over the same databases and the same broker. */
export class Replica {
  readonly port: number;
  readonly #adminPort: number;
  readonly #process: ChildProcess;

  private constructor(port: number, adminPort: number, process: ChildProcess) {
    this.port = port;
    this.#adminPort = adminPort;
    this.#process = process;
  }

  static async start(): Promise<Replica> {
    const program = process.env.GOZON_BIN;
    if (!program) {
      throw new Error(
        "GOZON_BIN is not set: give the executable that GOZON_URL is, and the variables it runs with",
      );
    }
    const [port, adminPort] = [await freePort(), await freePort()];
    const child = spawn(program, ["all"], {
      stdio: "ignore",
      env: {
        ...process.env,
        GOZON_PORT: String(port),
        GOZON_ADMIN_PORT: String(adminPort),
        GOZON_LOG: "off",
      },
    });
    const replica = new Replica(port, adminPort, child);
    await replica.#ready();
    return replica;
  }

  /** As a machine that is gone: without a word. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill("SIGKILL");
    if (this.#process.signalCode === null) await once(this.#process, "exit");
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + 60_000;
    const address = `http://localhost:${this.#adminPort}/readyz`;
    while (Date.now() < deadline && this.#process.exitCode === null) {
      const answer = await fetch(address).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.kill();
    throw new Error("a replica did not become ready");
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") {
    throw new Error("no port is free");
  }
  return address.port;
}
