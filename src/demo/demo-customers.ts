import { Faker, base, de, en, en_GB, en_GH, en_NG, en_US, en_ZA, fr, pt_BR, type LocaleDefinition } from "@faker-js/faker";
import type { CustomerInput } from "../modules/customer/customer.rules.ts";

/** The seed that fixes the demo bank: the same number gives the same customers everywhere. */
export const DEMO_SEED = 20_240_917;

/**
 * Countries of the demo bank's customers: the language of the names, and the telephone numbers, which lie
 * in ranges that are reserved for fiction or not in service.
 */
const COUNTRIES: { country: string; locale: LocaleDefinition; phone: (digits: string) => string }[] = [
  { country: "NG", locale: en_NG, phone: (digits) => `+234 700 000 ${digits}` },
  { country: "GH", locale: en_GH, phone: (digits) => `+233 20 000 ${digits}` },
  { country: "ZA", locale: en_ZA, phone: (digits) => `+27 60 000 ${digits}` },
  { country: "GB", locale: en_GB, phone: (digits) => `+44 7700 90${digits}` },
  { country: "US", locale: en_US, phone: (digits) => `+1 202 555 01${digits.slice(2)}` },
  { country: "FR", locale: fr, phone: (digits) => `+33 6 39 98 ${digits}` },
  { country: "DE", locale: de, phone: (digits) => `+49 171 392${digits}` },
  { country: "BR", locale: pt_BR, phone: (digits) => `+55 11 90000 ${digits}` },
];

const CONSENTS = [
  { source: "branch", at: "2024-03-01T09:30:00Z", textVersion: "2024-01" },
  { source: "mobile-app", at: "2025-06-15T18:45:00+01:00", textVersion: "2025-05" },
];

/** `count` invented customers, the same for the same seed. Addresses are at example.com; nobody is meant. */
export function demoCustomers(count: number, seed = DEMO_SEED): CustomerInput[] {
  const fakers = COUNTRIES.map(({ locale }, index) => {
    const faker = new Faker({ locale: [locale, en, base] });
    faker.seed(seed + index);
    return faker;
  });
  return Array.from({ length: count }, (_, index) => {
    const place = index % COUNTRIES.length;
    const faker = fakers[place]!;
    const { country, phone } = COUNTRIES[place]!;
    const gender = faker.helpers.arrayElement(["female", "male"] as const);
    const firstname = faker.person.firstName(gender);
    const lastname = faker.person.lastName(gender);
    const number = String(index + 1).padStart(4, "0");
    return {
      clientRef: `demo-${number}`,
      firstname,
      lastname,
      accountName: `${firstname} ${lastname}`,
      email: `customer.${number}@example.com`,
      country,
      state: faker.location.state(),
      address: faker.location.streetAddress(),
      gender,
      phone: phone(number),
      accountNumber: faker.string.numeric({ length: 10, allowLeadingZeros: false }),
      reference: `ref-${number}`,
      // Of some nobody knows what they agreed to, as in a bank that only began to ask.
      ...(index % 3 < 2 && { consent: CONSENTS[index % 3]! }),
    };
  });
}
