// Every state of the customer's page that a designer should look at, each brought about as it comes about in life.
import { expect, type Page } from "@playwright/test";
import { freshUserId } from "../shop-page";
import type { Words } from "./words";

/** A shop at rest decides in a moment; one that does not is not what the pictures are of. */
const DECIDED_WITHIN_MS = 15_000;

export interface State {
  readonly name: string;
  readonly reach: (stage: Stage) => Promise<void>;
}

/** A page in a language, and the ways to act on it without its words. */
export class Stage {
  constructor(
    readonly page: Page,
    readonly words: Words,
  ) {}

  async signIn(): Promise<void> {
    await this.page.goto("/");
    await this.post("session", { user_id: Number(freshUserId()) % 1e9 });
    await this.page.reload();
    await this.page.getByText(this.words.newOrder).waitFor();
  }

  async signInAsOperator(operator_token: string): Promise<void> {
    const user_id = Number(freshUserId()) % 1e9;
    await this.post("session", { user_id, operator_token });
  }

  async openAccount(roubles: number): Promise<void> {
    await this.post("account", {});
    await this.post("account/top-ups", { amount: rub(roubles) });
  }

  /** Answers with the order's id, once it is decided. */
  async order(roubles: number, description: string): Promise<string> {
    const body = { amount: rub(roubles), description };
    const { id } = await this.post("orders", body);
    const address = `/api/v1/orders/${String(id)}`;
    await expect(async () => {
      const answer = await this.page.request.get(address);
      const order = (await answer.json()) as { status: string };
      expect(order.status).not.toBe("NEW");
    }).toPass({ timeout: DECIDED_WITHIN_MS });
    return String(id);
  }

  async cancel(id: string): Promise<void> {
    await this.page.request.post(`/api/v1/orders/${id}/cancel`, {
      headers: { "Idempotency-Key": crypto.randomUUID(), "If-Match": '"2"' },
    });
  }

  /** Shows orders as they were for a moment, with the steps they had made by then. */
  async showAs(then: object, isMade: (step: string) => boolean): Promise<void> {
    await this.page.routeWebSocket(/events/, () => undefined);
    await this.page.route(/api\/v1\/orders/, async (route) => {
      const answer = await route.fetch();
      const found = (await answer.json()) as Found;
      await route.fulfill({
        json: {
          ...found,
          ...then,
          items: found.items?.map((order) => ({ ...order, ...then })),
          timeline: found.timeline?.filter(({ step }) => isMade(step)),
        },
      });
    });
  }

  /** No stream gets through, whatever carries it. */
  async cutStreams(): Promise<void> {
    await this.page.routeWebSocket(/events/, (it) => void it.close());
    await this.page.route(/api\/v1\/events/, (route) => route.abort());
  }

  async openTopUp(): Promise<void> {
    const { page, words } = this;
    await page.getByRole("button", { name: words.topUp, exact: true }).click();
  }

  async fillOrder(roubles: string): Promise<void> {
    const { page, words } = this;
    await page.getByLabel(words.description).fill(words.kettle);
    await page.getByLabel(words.amount, { exact: true }).fill(roubles);
    await page.getByRole("button", { name: words.place }).click();
  }

  private async post(
    path: string,
    data: object,
  ): Promise<Record<string, unknown>> {
    const answer = await this.page.request.post(`/api/v1/${path}`, {
      headers: { "Idempotency-Key": crypto.randomUUID() },
      data,
    });
    if (!answer.ok()) throw new Error(`${path}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  }
}

function rub(roubles: number): object {
  return { amount_minor: Math.round(roubles * 100), currency: "RUB" };
}

/** An order, or a page of them. */
interface Found {
  readonly items?: readonly object[];
  readonly timeline?: readonly { readonly step: string }[];
}

const never = () => new Promise<void>(() => undefined);

export const STATES: readonly State[] = [
  {
    name: "sign-in",
    reach: async ({ page }) => {
      await page.goto("/");
    },
  },
  {
    name: "sign-in-mistake",
    reach: async ({ page, words }) => {
      await page.goto("/");
      await page.getByLabel(words.userId).fill("nobody");
      await page.getByRole("button", { name: words.signIn }).click();
    },
  },
  {
    name: "loading",
    reach: async (stage) => {
      await stage.signIn();
      await stage.page.route(/api\/v1\/(account|orders)/, never);
      await stage.page.routeWebSocket(/events/, () => undefined);
      await stage.page.reload();
      await stage.page.getByText(stage.words.newOrder).waitFor();
    },
  },
  { name: "empty", reach: (stage) => stage.signIn() },
  {
    name: "top-up",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(123456.78);
      await stage.page.reload();
      await stage.openTopUp();
    },
  },
  {
    name: "orders",
    reach: async (stage) => {
      await stage.signIn();
      const { words } = stage;
      await stage.order(10, words.cup);
      await stage.openAccount(1000);
      await stage.order(2500, words.samovar);
      await stage.cancel(await stage.order(300, words.long));
      await stage.order(199.9, words.kettle);
      await stage.page.getByText(words.kettle).first().waitFor();
    },
  },
  {
    name: "sending",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      await stage.page.reload();
      await stage.page.getByText(stage.words.topUp).first().waitFor();
      await stage.page.route("**/api/v1/orders", never);
      await stage.fillOrder("100");
    },
  },
  {
    name: "mistakes",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      await stage.page.reload();
      await stage.openTopUp();
      await stage.page.getByLabel(stage.words.topUpBy).fill("1.234");
      await stage.page.getByLabel(stage.words.topUpBy).press("Enter");
      await stage.page.getByRole("button", { name: stage.words.place }).click();
    },
  },
  {
    name: "declined",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(100);
      await stage.page.reload();
      await stage.fillOrder("250");
      await stage.page.getByText(stage.words.missing).waitFor();
    },
  },
  {
    name: "unknown-outcome",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      await stage.page.reload();
      await stage.page.route("**/api/v1/orders", (route) => route.abort());
      await stage.fillOrder("250");
      await stage.page.getByText(stage.words.checking).waitFor();
    },
  },
  {
    name: "server-error",
    reach: async (stage) => {
      await stage.signIn();
      await stage.page.routeWebSocket(/events/, () => undefined);
      await stage.page.route(/api\/v1\/(account|orders)/, (route) =>
        route.fulfill({ status: 503, body: "" }),
      );
      await stage.page.reload();
      await stage.page.getByText(stage.words.trouble).first().waitFor();
    },
  },
  {
    name: "reconnecting",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      await stage.order(10, stage.words.cup);
      await stage.cutStreams();
      await stage.page.evaluate(() => dispatchEvent(new Event("online")));
      await stage.page.getByText(stage.words.asOf).waitFor();
    },
  },
  {
    name: "offline",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      await stage.order(10, stage.words.cup);
      await stage.cutStreams();
      await stage.page.context().setOffline(true);
      await stage.page.getByText(stage.words.asOf).waitFor();
    },
  },
  {
    name: "order-waiting",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.kettle);
      const waiting = { status: "NEW", decided_at: null, version: 1 };
      await stage.showAs(waiting, (step) => step === "placed");
      await stage.page.goto(`/orders/${id}`);
      await stage.page.getByText(stage.words.happened).waitFor();
    },
  },
  {
    name: "order-refunding",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.kettle);
      await stage.cancel(id);
      const refunding = { status: "REFUNDING", reason: null, version: 3 };
      const isOver = ["refunded", "cancelled"];
      await stage.showAs(refunding, (step) => !isOver.includes(step));
      await stage.page.goto(`/orders/${id}`);
      await stage.page.getByText(stage.words.happened).waitFor();
    },
  },
  {
    name: "order-paid",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.kettle);
      await stage.page.goto(`/orders/${id}`);
      await stage.page.getByText(stage.words.happened).waitFor();
    },
  },
  {
    name: "order-cancel-asked",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.kettle);
      await stage.page.goto(`/orders/${id}`);
      await stage.page
        .getByRole("button", { name: stage.words.cancel })
        .click();
    },
  },
  {
    name: "order-refunded",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.long);
      await stage.cancel(id);
      await stage.page.goto(`/orders/${id}`);
      await stage.page.getByText(stage.words.moneyBack).first().waitFor();
      await stage.page.locator("summary").click();
    },
  },
  {
    name: "order-declined",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(100);
      const id = await stage.order(2500, stage.words.samovar);
      await stage.page.goto(`/orders/${id}`);
      await stage.page.getByText(stage.words.missing).waitFor();
    },
  },
  {
    name: "order-unknown",
    reach: async (stage) => {
      await stage.signIn();
      await stage.page.goto("/orders/018f0000-0000-7000-8000-000000000000");
      await stage.page.getByText(stage.words.noOrder).waitFor();
    },
  },
];
