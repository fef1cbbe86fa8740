// The operators' console as an operator uses it: what can be done and seen there, by role and label.
import { readFileSync } from "node:fs";
import { expect, type Locator, type Page } from "@playwright/test";

export function operatorToken(): string {
  const file = process.env.GOZON_OPERATOR_TOKEN_FILE;
  if (!file) throw new Error("GOZON_OPERATOR_TOKEN_FILE is not set");
  return readFileSync(file, "utf8").trim();
}

export class OpsConsole {
  constructor(readonly page: Page) {}

  async signIn(userId: string): Promise<void> {
    await this.page.goto("/ops");
    await this.page.getByLabel("User id").fill(userId);
    await this.page.getByLabel("Operators' token").fill(operatorToken());
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await expect(
      this.page.getByRole("heading", { name: "Operations" }),
    ).toBeVisible();
  }

  async goTo(part: string): Promise<void> {
    const parts = this.page.getByRole("navigation", {
      name: "Parts of the console",
    });
    await parts.getByRole("link", { name: part }).click();
  }

  /** A row of a table by its text. */
  row(table: string, text: string): Locator {
    return this.page
      .getByRole("group", { name: table })
      .getByRole("row")
      .filter({ hasText: text });
  }
}
