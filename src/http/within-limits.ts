import type { Charge } from "../limits/charge.ts";
import { tellLimits } from "../limits/headers.ts";

/**
 * Answers a request of a key within its limits, whatever route it takes, and says in the answer's headers what is left.
 * A key that has nothing left is refused before anything is read. What `respond` does pays by `charge`; what paid
 * nothing, as a body that is no JSON, is charged afterwards. `refuse` makes an error an answer.
 */
export async function withinLimits(
  charge: Charge,
  respond: () => Promise<Response>,
  refuse: (error: unknown) => Response,
): Promise<Response> {
  let response: Response;
  try {
    charge.refuseExhausted();
    response = await respond();
  } catch (error) {
    response = refuse(error);
  }
  try {
    await charge.payLeast();
  } catch (error) {
    response = refuse(error);
  }
  tellLimits(response.headers, charge);
  return response;
}
