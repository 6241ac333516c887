import { parsePhoneNumberFromString } from "libphonenumber-js";
import { invalid } from "./invalid.ts";

/**
 * The phone in international form, where a dial code is given beside it; else, or when it is no number, as it came: what
 * is a valid phone is the gateway's rule. Throws `invalid` for a dial code that is none, or goes with no phone or
 * another's.
 */
export function internationalPhone(phone: unknown, dialCode: unknown): unknown {
  if (dialCode == null) return phone;
  const wrong = (message: string) => invalid([{ field: "dialCode", message }]);
  const code = typeof dialCode === "string" ? /^\+?([1-9]\d{0,2})$/.exec(dialCode.trim())?.[1] : undefined;
  if (code === undefined) throw wrong("must be a country calling code, such as +234");
  if (phone == null) throw wrong("goes only with a phone");
  if (typeof phone !== "string" || phone.length > 32) return phone;
  const parsed = parsePhoneNumberFromString(phone, { defaultCallingCode: code, extract: false });
  if (!parsed) return phone;
  if (parsed.countryCallingCode !== code) throw wrong("is not the phone's");
  return parsed.ext ? phone : parsed.number;
}
