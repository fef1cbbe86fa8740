// Watches calls for the answer that says that the session is over.
import { isRefusal } from "../api/failure";

/** Passes a call's outcome on as it is. */
export type Guard = <T>(call: Promise<T>) => Promise<T>;

export function guardOf(onUnauthenticated: () => void): Guard {
  return async (call) => {
    try {
      return await call;
    } catch (error) {
      if (isRefusal(error, "unauthenticated")) onUnauthenticated();
      throw error;
    }
  };
}
