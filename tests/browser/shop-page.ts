// The shop's page as a person uses it: what can be done and seen there, by role and label.
import { expect, type Locator, type Page } from "@playwright/test";

export class ShopPage {
  readonly connection: Locator;
  readonly balance: Locator;
  readonly orders: Locator;

  constructor(readonly page: Page) {
    this.connection = page.getByRole("group", { name: "Connection" });
    this.balance = page.getByRole("status", { name: "Balance" });
    this.orders = page
      .getByRole("list", { name: "Orders" })
      .getByRole("listitem");
  }

  async signIn(userId: string): Promise<void> {
    await this.page.getByLabel("User id").fill(userId);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await expect(this.page.getByText(`User ${userId}`)).toBeVisible();
  }

  async openAccount(): Promise<void> {
    await this.page.getByRole("button", { name: "Open an account" }).click();
    await expect(this.balance).toBeVisible();
  }

  async topUp(amount: string): Promise<void> {
    const field = this.page.getByLabel("Top up by");
    await expect(this.balance).toBeVisible();
    const button = this.page.getByRole("button", {
      name: "Top up",
      exact: true,
    });
    // One at a time is called so: that which opens the form, or that which sends it.
    if (!(await field.isVisible())) await button.click();
    await field.fill(amount);
    await button.click();
  }

  async placeOrder(description: string, amount: string): Promise<void> {
    const form = this.page.getByRole("region", { name: "New order" });
    await form.getByLabel("What is it for?").fill(description);
    await form.getByLabel("Amount").fill(amount);
    await form.getByRole("button", { name: "Place order" }).click();
  }

  order(description: string): Locator {
    return this.orders.filter({ hasText: description });
  }

  async expectBalance(roubles: string): Promise<void> {
    await expect(this.balance).toHaveText(`${roubles}\u00a0₽`);
  }

  async expectNoHorizontalScroll(): Promise<void> {
    const overflow = await this.page.evaluate(() => {
      const root = document.documentElement;
      return root.scrollWidth - root.clientWidth;
    });
    expect(overflow).toBeLessThanOrEqual(0);
  }
}

/** Nobody else's: ids are cheap, and each test wants an empty account. */
export function freshUserId(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return ((BigInt(high >>> 1) << 32n) | BigInt(low) | 1n).toString();
}
