// Two languages: the browser's first, then the person's.
import { expect, test } from "@playwright/test";
import { freshUserId, ShopPage } from "./shop-page";

test.describe("in a Russian browser", () => {
  test.use({ locale: "ru-RU" });

  test("the page speaks Russian, with its own money and plural forms, until told otherwise", async ({
    page,
  }) => {
    await page.goto("/");
    await expect(page.locator("html")).toHaveAttribute("lang", "ru");
    await page.getByLabel("Номер пользователя").fill(freshUserId());
    await page.getByRole("button", { name: "Войти" }).click();
    await page.getByRole("button", { name: "Открыть счёт" }).click();
    await page.getByLabel("Пополнить на").fill("1234,50");
    await page.getByRole("button", { name: "Пополнить" }).click();
    await expect(page.getByRole("status", { name: "Баланс" })).toHaveText(
      "1\u202f234,50\u00a0₽",
    );
    for (const name of ["Чайник", "Самовар"]) {
      await page.getByLabel("Что заказываете?").fill(name);
      await page.getByLabel("Сумма").fill("100");
      await page.getByRole("button", { name: "Заказать" }).click();
      await expect(
        page.getByRole("listitem").filter({ hasText: name }),
      ).toContainText("Деньги списаны с вашего счёта.");
    }
    await expect(page.getByText("2 заказа")).toBeVisible();

    await page.getByRole("button", { name: "English" }).click();
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
    await expect(page.getByText("2 orders")).toBeVisible();
    await expect(page.getByRole("status", { name: "Balance" })).toHaveText(
      "1\u202f034.50\u00a0₽",
    );
    await page.reload();
    await expect(page.getByText("2 orders")).toBeVisible();
  });
});

test("a choice of language reaches the other tabs", async ({
  page,
  context,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  const other = await context.newPage();
  await other.goto("/");
  await expect(other.getByRole("heading", { name: "New order" })).toBeVisible();
  await page.getByRole("button", { name: "Русский" }).click();
  await expect(
    other.getByRole("heading", { name: "Новый заказ" }),
  ).toBeVisible();
});
