// A fault of the payment service that tests put into its database and mend again: whatever one user orders is refused
// there for good, as by a handler with a mistake in it.
import { execFileSync } from "node:child_process";

function payments(statement: string): void {
  const { GOZON_PSQL: psql, GOZON_PAYMENTS_OWNER_URL: url } = process.env;
  if (!psql || !url) {
    throw new Error(
      "GOZON_PSQL and GOZON_PAYMENTS_OWNER_URL are not set: `make test` sets them",
    );
  }
  const settings = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"];
  execFileSync(psql, [...settings, "--dbname", url, "--command", statement], {
    timeout: 30_000,
    env: { ...process.env, PGOPTIONS: "-c client_min_messages=warning" },
  });
}

/** From now on the user's payments violate a constraint. */
export function poison(userId: string): void {
  const user = BigInt(userId);
  payments(
    `create function payments.poison_${user}() returns trigger language plpgsql as $$ begin
       raise exception 'a fault of the handler' using errcode = 'check_violation'; end $$;
     create trigger poison_${user} before insert on payments.payment
       for each row when (new.user_id = ${user}) execute function payments.poison_${user}()`,
  );
}

/** The fault is mended. */
export function mend(userId: string): void {
  const user = BigInt(userId);
  payments(
    `drop trigger if exists poison_${user} on payments.payment;
     drop function if exists payments.poison_${user}()`,
  );
}
