// A customer without a page: what a test needs to have happened before it looks.
import { expect, type APIRequestContext } from "@playwright/test";

export interface PlacedOrder {
  readonly id: string;
  readonly number: number;
}

export class Customer {
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(
    private readonly request: APIRequestContext,
    token: string,
  ) {
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  /** Signs in, opens an account and fills it. */
  static async enter(
    request: APIRequestContext,
    userId: string,
    roubles: number,
  ): Promise<Customer> {
    const session = await request.post("/api/v1/session", {
      // All its digits: the id does not fit a JavaScript number.
      headers: { "Content-Type": "application/json" },
      data: `{"user_id": ${userId}}`,
    });
    expect(session.status()).toBe(200);
    const { token } = (await session.json()) as { token: string };
    const customer = new Customer(request, token);
    await customer.#post("/api/v1/account", {});
    await customer.#post("/api/v1/account/top-ups", {
      amount: { amount_minor: roubles * 100, currency: "RUB" },
    });
    return customer;
  }

  async order(description: string, roubles: number): Promise<PlacedOrder> {
    return (await this.#post("/api/v1/orders", {
      amount: { amount_minor: roubles * 100, currency: "RUB" },
      description,
    })) as PlacedOrder;
  }

  /** What becomes of an order. */
  async expectStatus(id: string, status: string): Promise<void> {
    await expect
      .poll(async () => {
        const answer = await this.request.get(`/api/v1/orders/${id}`, {
          headers: this.#headers,
        });
        return ((await answer.json()) as { status: string }).status;
      })
      .toBe(status);
  }

  /** How an operator's question is answered to a customer. */
  async asks(path: string): Promise<number> {
    const answer = await this.request.get(path, { headers: this.#headers });
    return answer.status();
  }

  async #post(path: string, data: object): Promise<unknown> {
    const answer = await this.request.post(path, {
      headers: { ...this.#headers, "Idempotency-Key": crypto.randomUUID() },
      data,
    });
    expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
    return answer.json();
  }
}
